import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { count, flag } from '../../src/base/options.js'
import { resolvePipeline, resolveLink, type LinkSettings } from '../../src/core/link-options.js'

t.test('an interval is all that a link needs', async (t) => {
  t.strictSame(resolveLink({ interval: 5 }), {
    id: undefined,
    tags: [],
    given: { interval: 5 },
    settings: {
      schedule: { every: 5000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false },
      copyRecords: true,
      onStartFailure: 'stop',
      ignoreExceptions: false,
      inletConcurrency: 9999,
      immediateTransfer: true,
      rounds: 'pulled',
      timeout: undefined,
      maxInstances: 1,
      stateless: false,
      delivery: 'memory',
      retry: { minDelay: 1000, maxDelay: 300_000 },
      deadLetters: false,
      catchUp: false,
      lane: 'auto',
    },
  })
})

t.test('what is given is taken, with lengths of time in milliseconds', async (t) => {
  const options: LinkSettings = {
    interval: { minutes: 1 },
    jitter: { seconds: 2 },
    alignToClock: true,
    id: 'c',
    tags: ['a', 'b'],
    copyRecords: false,
    onStartFailure: 'retry',
    ignoreExceptions: true,
    inletConcurrency: 2,
    immediateTransfer: false,
    rounds: 1000,
    timeout: 1.5,
    maxInstances: 3,
    stateless: true,
    lane: 'cpu',
  }
  const { id: _id, tags: _tags, ...given } = options
  t.strictSame(resolveLink(options), {
    id: 'c',
    tags: ['a', 'b'],
    given,
    settings: {
      schedule: { every: 60_000, cron: undefined, timeZone: undefined, jitter: 2000, alignToClock: true },
      copyRecords: false,
      onStartFailure: 'retry',
      ignoreExceptions: true,
      inletConcurrency: 2,
      immediateTransfer: false,
      rounds: 1000,
      timeout: 1500,
      maxInstances: 3,
      stateless: true,
      delivery: 'memory',
      retry: { minDelay: 1000, maxDelay: 300_000 },
      deadLetters: false,
      catchUp: false,
      lane: 'cpu',
    },
  })
})

t.test('a cron expression takes the place of an interval', async (t) => {
  t.strictSame(resolveLink({ cron: '0 9 * * *', timeZone: 'Europe/Amsterdam', jitter: 90 }).settings.schedule, {
    every: undefined,
    cron: '0 9 * * *',
    timeZone: 'Europe/Amsterdam',
    jitter: 90_000,
    alignToClock: false,
  })
})

t.test('what goes by the clock does not transfer at the start, unless it is told to', async (t) => {
  const immediate = (options: LinkSettings) => resolveLink(options).settings.immediateTransfer
  t.equal(immediate({ interval: 60 }), true)
  t.equal(immediate({ interval: 60, jitter: 5 }), true)
  t.equal(immediate({ cron: '0 2 * * *' }), false)
  t.equal(immediate({ interval: 60, alignToClock: true }), false)
  t.equal(immediate({ cron: '0 2 * * *', immediateTransfer: true }), true)
  t.equal(immediate({ interval: 60, alignToClock: true, immediateTransfer: true }), true)
  t.equal(immediate({ interval: 60, immediateTransfer: false }), false)
})

t.test('one tag needs no list, and a jitter of 0 is none', async (t) => {
  const { tags, settings } = resolveLink({ interval: 1, tags: 'http_to_mongo', jitter: 0 })
  t.strictSame(tags, ['http_to_mongo'])
  t.equal(settings.schedule.jitter, 0)
})

t.test('settings do not change any more, whatever becomes of the options', async (t) => {
  const tags = ['a']
  const link = resolveLink(Object.freeze({ interval: 1, tags }))
  tags.push('b')
  t.strictSame(link.tags, ['a'])
  const { settings } = link
  t.ok(Object.isFrozen(settings) && Object.isFrozen(link.tags) && Object.isFrozen(settings.schedule))
})

t.test('an option that is not as it should be is refused, with what was expected and what came', async (t) => {
  const interval = 1
  const wrong: [unknown, RegExp][] = [
    [null, /^options: expected an object, got null$/],
    [[], /^options: expected an object, got \[\]$/],
    ['x', /^options: expected an object, got 'string'$/],
    [{}, /^interval: expected either interval or cron, got undefined$/],
    [{ interval, cron: '* * * * *' }, /^interval: expected either interval or cron, got 'both'$/],
    [{ interval: null }, /^interval: expected a number of seconds or a duration .+, got null$/],
    [{ interval: 0 }, /^interval: expected .+ of at least 1 ms, got 0$/],
    [{ cron: 'now' }, /^cron: expected a cron expression .+, got 'now'$/],
    [{ interval, timeZone: 'UTC' }, /^timeZone: expected no time zone without cron, got 'UTC'$/],
    [{ cron: '* * * * *', timeZone: 'Nowhere' }, /^timeZone: expected an IANA time zone .+, got 'Nowhere'$/],
    [{ cron: '* * * * *', alignToClock: true }, /^alignToClock: expected false with cron, .+, got true$/],
    [{ interval, alignToClock: 'yes' }, /^alignToClock: expected a boolean, got 'yes'$/],
    [{ interval, jitter: 1 }, /^jitter: expected less than the interval of 1000 ms, got 1$/],
    [{ interval, jitter: -1 }, /^jitter: expected .+, got -1$/],
    [{ interval, tags: 5 }, /^tags\[0\]: expected a string of at least one character, got 5$/],
    [{ interval, tags: ['a', ''] }, /^tags\[1\]: expected a string of at least one character, got ''$/],
    [{ interval, copyRecords: 1 }, /^copyRecords: expected a boolean, got 1$/],
    [{ interval, ignoreExceptions: null }, /^ignoreExceptions: expected a boolean, got null$/],
    [{ interval, inletConcurrency: 0 }, /^inletConcurrency: expected an integer of at least 1, or Infinity, got 0$/],
    [
      { interval, inletConcurrency: '2' },
      /^inletConcurrency: expected an integer of at least 1, or Infinity, got '2'$/,
    ],
    [{ interval, immediateTransfer: 'no' }, /^immediateTransfer: expected a boolean, got 'no'$/],
    [{ interval, timeout: 0 }, /^timeout: expected .+, got 0$/],
    [
      { interval, timeout: { second: 1 } },
      /^timeout\.second: expected one of .+, got 'second': did you mean seconds\?$/,
    ],
    [{ interval, maxInstances: 1.5 }, /^maxInstances: expected an integer of at least 1, got 1\.5$/],
    [{ interval, stateless: 0 }, /^stateless: expected a boolean, got 0$/],
    [{ interval, lane: 'fast' }, /^lane: expected one of 'io', 'cpu', 'auto', got 'fast'$/],
    [
      { interval, inlet: 1 },
      /^inlet: expected one of the options, got 'inlet': did you mean inlets\? They are inlets, outlets, /,
    ],
    [{ intervall: 1 }, /^intervall: .+: did you mean interval\? They are /],
    [{ interval, copy_records: true }, /^copy_records: .+: did you mean copyRecords\? They are /],
    [{ interval: { second: 5 } }, /^interval\.second: expected one of .+, got 'second': did you mean seconds\?$/],
    [{ interval, whatever: 1 }, /^whatever: expected one of the options .+, got 'whatever'$/],
    [{ interval, id: '' }, /^id: expected a string of 1 to 200 characters, .+, got ''$/],
    [{ interval, id: 5 }, /^id: expected a string .+, got 5$/],
    [{ interval, id: 'two\nlines' }, /^id: expected a string .+, got 'two/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => resolveLink(options as LinkSettings), { code: 'DATABAY_INVALID_OPTION', message })
  }
})

t.test('processors and groupers are one, several or none', async (t) => {
  const processor = <T>(records: T[]) => records
  const grouper = <T>(batches: T[]) => batches
  const buffer = new Buffer()
  t.strictSame(resolvePipeline({}), { processors: [], groupers: [] })
  t.strictSame(resolvePipeline({ processors: processor, groupers: grouper }), {
    processors: [processor],
    groupers: [grouper],
  })
  const pipeline = resolvePipeline({ processors: [processor, buffer], groupers: [grouper, grouper] })
  t.strictSame(pipeline, { processors: [processor, buffer], groupers: [grouper, grouper] })
  t.ok(Object.isFrozen(pipeline.processors) && Object.isFrozen(pipeline.groupers))
})

t.test('what is no processor or grouper is refused, with its place', async (t) => {
  t.throws(() => resolvePipeline({ processors: [() => [], 5] }), { message: /^processors\[1\]: expected .+, got 5$/ })
  t.throws(() => resolvePipeline({ groupers: new Buffer() }), { message: /^groupers\[0\]: expected a function, got / })
})

t.test('a check takes what is left out for the default', async (t) => {
  t.equal(flag(true).read('x', undefined), true)
  t.equal(flag(true).read('x', false), false)
  t.equal(count(7).read('x', undefined), 7)
  t.equal(count(7).read('x', 1), 1)
  t.throws(() => count(7).read('threads', Infinity), {
    message: /^threads: expected an integer of at least 1, got Inf/,
  })
})

t.test(
  'links that are given the same have one object of settings, and one that is given another has its own',
  async (t) => {
    const settings = (options: LinkSettings) => resolveLink(options).settings
    const one = settings({ interval: 5, timeout: { seconds: 2 }, id: 'a' })
    t.equal(settings({ interval: 5, timeout: { seconds: 2 }, tags: 'b' }), one)
    t.equal(settings({ interval: 5, timeout: { milliseconds: 2000 } }).timeout, 2000)
    t.match(settings({ interval: 5 }), { timeout: undefined, lane: 'auto' })
    t.match(settings({ interval: 5, lane: 'cpu' }), { lane: 'cpu' })
    t.match(settings({ cron: '* * * * *' }), { schedule: { every: undefined, cron: '* * * * *' } })
    t.match(resolveLink({ interval: 5, id: 'c', tags: ['d'] }), { id: 'c', tags: ['d'] })
  },
)

t.test('what is wrong is told of a link that is given the same as the one before', async (t) => {
  resolveLink({ interval: 5 })
  t.throws(() => resolveLink({ interval: 5, id: '' }), { code: 'DATABAY_INVALID_OPTION', message: /^id: / })
  t.throws(() => resolveLink({ interval: 5, tags: [''] }), { code: 'DATABAY_INVALID_OPTION', message: /^tags\[0\]: / })
  t.throws(() => resolveLink({ interval: 5, intervall: 5 } as LinkSettings), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^intervall: /,
  })
  const duration = { seconds: 5 }
  resolveLink({ interval: duration })
  duration.seconds = 7
  t.equal(resolveLink({ interval: duration }).settings.schedule.every, 7000, 'a duration that was changed counts')
})

t.test('a duration with a wrong name is refused, though the link before had as many names', async (t) => {
  resolveLink({ interval: { minutes: 1 } })
  t.throws(() => resolveLink({ interval: { minute: undefined } } as unknown as LinkSettings), {
    code: 'DATABAY_INVALID_OPTION',
  })
})
