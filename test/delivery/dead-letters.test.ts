import t, { type Test } from 'tap'
import { UncloneableRecordError } from '../../src/base/errors.js'
import type { Cursor } from '../../src/core/cursor.js'
import type { DeadLetterOptions } from '../../src/core/delivery-options.js'
import { Inlet } from '../../src/core/inlet.js'
import { blameRecords, InvalidPayloadError, PartialPushError } from '../../src/core/partial-push.js'
import type { Record } from '../../src/core/record.js'
import type { Update } from '../../src/core/update.js'
import { Backoff } from '../../src/delivery/backoff.js'
import { decodeRecords } from '../../src/store/codec.js'
import { DeadLetters } from '../../src/store/dead-letters.js'
import type { Store } from '../../src/store/store.js'
import { bad, down, Lists, setUp, Target } from '../helpers/durable-links.js'

function payloadsIn(store: Store): unknown[] {
  const letters = new DeadLetters(store.database)
  return letters.list().flatMap(({ id }) => {
    const { body } = letters.read(id) ?? {}
    return body === undefined ? [undefined] : decodeRecords(body).map(({ payload }) => payload)
  })
}

t.test('a letter says what was refused, by whom, why and how often', async (t) => {
  const { letters, open, store } = await setUp(t)
  const target = new Target()
  target.instead = bad
  const link = await open(new Lists(['a', 'bad 1', 'b']), target)
  const report = await link.transfer()
  t.match(report, { failed: false, errors: [{ node: 'Target', stage: 'push', code: 'DATABAY_INVALID_PAYLOAD' }] })
  t.match(report.outlets, [{ pushed: 2, dead: 1, dropped: 0 }])
  t.same(target.got, ['a', 'b'], 'the others are delivered')
  t.same(payloadsIn(store), ['bad 1'])
  t.match(letters.list(), [
    {
      link: 'a',
      outlet: 'Target',
      stage: 'push',
      node: 'Target',
      place: 'outlet:0',
      attempts: 3,
      code: 'DATABAY_INVALID_PAYLOAD',
      error: { message: 'it is bad' },
      replay: false,
    },
  ])
})

t.test('a batch that is tried again says so to its outlet, and reads as the transfer that brought it', async (t) => {
  const { open } = await setUp(t)
  const target = new Target()
  target.instead = down
  const link = await open(new Lists(['a'], ['b']), target)
  const first = await link.transfer()
  t.match(first, { failed: false, blocked: { node: 'Target', stage: 'push', message: 'it is down', attempts: 1 } })
  t.match(first.outlets, [{ pushed: 0, waiting: 1 }])
  const second = await link.transfer({ retry: true })
  t.match(second, { pulled: 0, blocked: { attempts: 2, since: first.blocked?.since } })
  target.instead = () => undefined
  const third = await link.transfer({ retry: true })
  t.match(third, { pulled: 0, blocked: undefined, outlets: [{ pushed: 1 }] }, 'a retry pulls nothing further')
  t.match(await link.transfer(), { pulled: 1 })
  t.same(target.got, ['a', 'b'])
  t.same(
    target.updates.map((update) => [update.transferNumber, update.attempt]),
    [
      [0, 1],
      [0, 2],
      [0, 3],
      [3, 1],
    ],
  )
})

t.test('without dead letters, what is refused blocks the link, and the others go on', async (t) => {
  const { open, letters } = await setUp(t)
  const [target, other] = [new Target(), new Target()]
  target.instead = bad
  const link = await open(new Lists(['bad 1'], ['b']), [target, other], { deadLetters: false })
  for (let time = 0; time < 5; time++)
    t.match(await link.transfer(), { failed: false, blocked: { attempts: time + 1 } })
  t.equal(letters.count(), 0)
  t.same(other.got, ['bad 1'], 'the other outlet has it once')
  target.instead = () => undefined
  await link.transfer()
  t.same(
    [target.got, other.got],
    [
      ['bad 1', 'b'],
      ['bad 1', 'b'],
    ],
  )
})

t.test('without dead letters, a processor that fails is given the same again', async (t) => {
  const { open } = await setUp(t)
  const target = new Target()
  let fails = true
  const processors = (records: Record[]) => {
    if (fails) throw new Error('no')
    return records
  }
  const link = await open(new Lists(['a'], ['b']), target, { deadLetters: false, processors })
  t.match(await link.transfer(), { pulled: 1, failed: false, blocked: { stage: 'process' } })
  fails = false
  t.match(await link.transfer(), { pulled: 1, blocked: undefined })
  await link.transfer()
  t.same(target.got, ['a', 'b'])
})

t.test('when there is no room for a further letter', async (t) => {
  const full = async (t: Test, deadLetters: DeadLetterOptions) => {
    const { open, store, letters } = await setUp(t)
    const target = new Target()
    target.instead = bad
    const link = await open(new Lists(['bad 1'], ['bad 2'], ['c'], ['bad 3']), target, {
      deadLetters: { max: 1, ...deadLetters },
    })
    const reports = []
    for (let time = 0; time < 6; time++) reports.push(await link.transfer())
    return { reports, target, store, letters, link }
  }
  t.test('the link waits for some', async (t) => {
    const { reports, target, store, letters, link } = await full(t, {})
    t.match(reports.at(-1), { failed: false, blocked: { code: 'DATABAY_DEAD_LETTERS_FULL', attempts: 5 } })
    t.same(payloadsIn(store), ['bad 1'])
    await store.write(() => letters.delete(letters.list().map(({ id }) => id)))
    t.match(await link.transfer(), { blocked: undefined, outlets: [{ pushed: 1, dead: 1 }] })
    t.same([payloadsIn(store), target.got], [['bad 2'], ['c']])
  })
  t.test('the oldest one is dropped', async (t) => {
    const { target, store } = await full(t, { whenFull: 'dropOldest' })
    t.same([payloadsIn(store), target.got], [['bad 3'], ['c']])
  })
  t.test('the newest one is dropped, and counted', async (t) => {
    const { reports, target, store } = await full(t, { whenFull: 'dropNewest' })
    t.same([payloadsIn(store), target.got], [['bad 1'], ['c']])
    t.equal(
      reports.reduce((sum, { outlets }) => sum + (outlets[0]?.dropped ?? 0), 0),
      2,
    )
    t.same(
      reports.map(({ pulled }) => pulled),
      [1, 1, 1, 1, 0, 0],
      'and is not pulled again',
    )
  })
})

t.test('letters that are too old are dropped', async (t) => {
  const { open, letters, store } = await setUp(t)
  const target = new Target()
  target.instead = bad
  const old = { link: 'a', stage: 'push', node: 'x', place: 'outlet:0', attempts: 1, error: { name: 'E', message: '' } }
  await store.write(() => letters.add('a', { ...old, at: Date.now() - 10_000 }))
  const link = await open(new Lists(['bad 1']), target, { deadLetters: { maxAge: 5 } })
  await link.transfer()
  t.same(payloadsIn(store), ['bad 1'])
})

t.test('what must not lie on a disk does not', async (t) => {
  const payloadsWith = async (t: Test, deadLetters: DeadLetterOptions) => {
    const { open, store, letters, replay } = await setUp(t)
    const target = new Target()
    target.instead = bad
    const link = await open(new Lists(['bad secret']), target, { deadLetters })
    await link.transfer()
    return { payloads: payloadsIn(store), link, target, letters, replay }
  }
  t.test('no payload', async (t) => {
    const { payloads, link, target, letters, replay } = await payloadsWith(t, { payload: false })
    t.same(payloads, [undefined])
    target.instead = () => undefined
    await replay()
    await link.transfer()
    t.same([target.got, letters.list().map((one) => one.replay)], [[], [false]], 'it cannot be replayed')
  })
  t.test('a redacted payload', async (t) => {
    const redact = (record: Record) => record.with({ payload: 'bad' })
    t.same((await payloadsWith(t, { redact })).payloads, ['bad'])
  })
  t.test('none, when it cannot be redacted', async (t) => {
    const redact = () => {
      throw new Error('it cannot')
    }
    t.same((await payloadsWith(t, { redact })).payloads, [undefined])
  })
})

t.test('a record that cannot be copied for its outlet is a dead letter, and the others are delivered', async (t) => {
  const { open, letters } = await setUp(t)
  const target = new Target()
  const link = await open(new Lists(['a', new URL('http://localhost'), 'b']), target)
  t.match((await link.transfer()).outlets, [{ pushed: 2, dead: 1 }])
  t.same(target.got, ['a', 'b'])
  t.match(letters.list(), [{ code: UncloneableRecordError.code }])
})

t.test('what a grouper fails on, or leaves out, is a dead letter, and is grouped again', async (t) => {
  const { open, letters, store, replay } = await setUp(t)
  const target = new Target()
  let isMended = false
  const groupers = (batches: Record[][]) => {
    const records = batches.flat()
    if (isMended) return [records]
    if (records.some(({ payload }) => payload === 'bad')) throw new Error('bad group')
    return [records.filter(({ payload }) => payload !== 'lost')]
  }
  const link = await open(new Lists(['bad', 'a'], ['b', 'lost']), target, { groupers })
  t.match(await link.transfer(), { dead: 2, dropped: 0, grouped: 0, failed: false, blocked: undefined })
  t.match(await link.transfer(), { dead: 1, dropped: 0, grouped: 1, failed: false })
  t.same(payloadsIn(store), ['bad', 'a', 'lost'])
  t.match(letters.list()[0], { stage: 'group', node: 'grouper 0', place: 'grouper:0' })
  isMended = true
  await replay()
  t.match(await link.transfer(), { replayed: 3, grouped: 3 })
  t.same([target.got, letters.count()], [['b', 'bad', 'a', 'lost'], 0])
})

t.test('a replay enters where the record failed: processors before that do not see it again', async (t) => {
  const { open, letters, replay } = await setUp(t)
  const target = new Target()
  let isMended = false
  const mark = (records: Record[]) => records.map((record) => record.with({ payload: `${String(record.payload)}!` }))
  const fail = (records: Record[]) => {
    if (!isMended) throw new Error('not yet')
    return records
  }
  const link = await open(new Lists(['a', 'b'], ['c']), target, { processors: [mark, fail, mark] })
  t.match(await link.transfer(), { dead: 2, failed: false })
  t.match(letters.list(), [{ stage: 'process', node: 'processor fail', place: 'processor:1', attempts: 1 }, {}])
  await replay()
  t.match(await link.transfer(), { replayed: 2, dead: 3 })
  t.same(
    letters.list().map(({ replay, attempts }) => [replay, attempts]),
    [
      [false, 2],
      [false, 2],
      [false, 1],
    ],
    'refused again',
  )
  isMended = true
  await replay()
  await link.transfer()
  t.same([target.got, letters.count()], [['a!!', 'b!!', 'c!!'], 0])
  t.same(
    target.updates.map(({ replay }) => replay),
    [false, false],
  )
})

t.test('a letter of one outlet is replayed to that one alone, and says so', async (t) => {
  const { open, letters, replay } = await setUp(t)
  const [target, other] = [new Target(), new Target()]
  target.instead = bad
  const link = await open(new Lists(['bad 1', 'a']), [target, other])
  await link.transfer()
  target.instead = () => undefined
  await replay()
  t.match((await link.transfer()).outlets, [{ replayed: 1, pushed: 1 }, { pushed: 0 }])
  t.same([target.got, other.got, letters.count()], [['a', 'bad 1'], ['bad 1', 'a'], 0])
  t.equal(target.updates.at(-1)?.replay, true)
})

t.test('many letters are replayed a thousand at a time, and are no more once these are delivered', async (t) => {
  const { open, letters, replay } = await setUp(t)
  const target = new Target()
  target.instead = bad
  const all = Array.from({ length: 2500 }, (_, at) => `bad ${at}`)
  const link = await open(new Lists(all), target, { deadLetters: { after: 1 } })
  await link.transfer()
  await replay()
  target.instead = down
  t.match((await link.transfer()).outlets, [{ replayed: 1000, waiting: 1000 }], 'a backlog is not read at once')
  const left: number[] = []
  target.instead = () => left.push(letters.count())
  t.match((await link.transfer()).outlets, [{ pushed: 1500 + 1000 }])
  t.same(left, [2500, 1500, 500], 'a process that is killed delivers few of them again')
  t.same([target.got, letters.count()], [all, 0])
})

t.test('a letter of a place that is no more is not replayed, and not lost', async (t) => {
  const { open, letters, replay } = await setUp(t)
  const target = new Target()
  target.instead = bad
  await (await open(new Lists(['bad 1']), target)).transfer()
  class Other extends Target {}
  const other = new Other()
  const link = await open(new Lists(['bad 1']), other)
  await replay()
  await link.transfer()
  t.match([other.got, letters.list()], [[], [{ replay: false, attempts: 3 }]])
})

t.test('an outlet whose account of a batch does not add up is taken to have taken nothing', async (t) => {
  const { open, letters } = await setUp(t)
  const target = new Target()
  const error = new InvalidPayloadError('no')
  const accounts = [
    [{ index: 5, error }],
    [
      { index: 0, error },
      { index: 0, error },
    ],
    [{ index: -1, error }],
  ]
  let pushes = 0
  target.instead = () => {
    const rejected = accounts[pushes++]
    if (rejected !== undefined) throw new PartialPushError('Target', 2, rejected)
  }
  const link = await open(new Lists(['a', 'b', 'c']), target, { deadLetters: { after: 9 } })
  for (let time = 0; time < 4; time++) await link.transfer()
  t.same([target.got, letters.count()], [['a', 'b', 'c'], 0])
})

t.test('what an outlet did not try because of another record is delivered with the next push', async (t) => {
  const { open, store } = await setUp(t)
  const target = new Target()
  target.instead = (payloads) => {
    const at = payloads.findIndex((one) => String(one).startsWith('bad'))
    if (at >= 0) throw blameRecords(new InvalidPayloadError('it is bad'), [{ index: at, error: new Error('bad one') }])
  }
  const link = await open(new Lists(['a', 'bad 1', 'b', 'bad 2', 'c']), target, { deadLetters: { after: 2 } })
  t.match((await link.transfer()).outlets, [{ pushed: 3, dead: 2 }])
  t.same(
    [target.got, payloadsIn(store)],
    [
      ['a', 'b', 'c'],
      ['bad 1', 'bad 2'],
    ],
  )
  t.equal(target.updates.length, 5, 'nothing is halved')
})

t.test('a list that was pulled ahead of a round that waits goes on, to the outlets that take it', async (t) => {
  const { open } = await setUp(t)
  class Streamed extends Inlet<number, number> {
    async *pull(_update: Update, cursor: Cursor<number>) {
      while ((cursor.value ?? 0) < 5) {
        const from = cursor.value ?? 0
        cursor.advance(from + 1)
        yield [await Promise.resolve(from)]
      }
    }
  }
  const [target, other] = [new Target(), new Target()]
  let isDown = true
  target.instead = (payloads) => {
    if (isDown && payloads.includes(2)) down()
  }
  const link = await open(new Streamed(), [target, other])
  t.match(await link.transfer(), { pulled: 4, failed: false, outlets: [{ waiting: 2 }, { pushed: 4 }] })
  await link.transfer()
  isDown = false
  t.match(await link.transfer(), { pulled: 1 })
  t.same(
    [target.got, other.got],
    [
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ],
  )
})

t.test('what one outlet waits for is pulled again when another has not kept its rounds', async (t) => {
  const { open } = await setUp(t)
  class Rounds extends Target {
    kept: unknown[] = []
    isBroken = true
    override onLastRound(): number {
      const { length } = this.got
      if (!this.isBroken) this.kept.push(...this.got)
      this.got.length = 0
      return this.isBroken ? length : 0
    }
  }
  class Streamed extends Inlet<number, number> {
    *pull(_update: Update, cursor: Cursor<number>) {
      for (let at = cursor.value ?? 0; at < 2; at++) {
        cursor.advance(at + 1)
        yield [at]
      }
    }
  }
  const [target, rounds] = [new Target(), new Rounds()]
  target.instead = down
  const link = await open(new Streamed(), [target, rounds])
  t.match(await link.transfer(), { pulled: 1, failed: false, outlets: [{ waiting: 1 }, { pushed: 0, dropped: 1 }] })
  target.instead = () => undefined
  rounds.isBroken = false
  t.match(await link.transfer({ retry: true }), { pulled: 2, dropped: 0, blocked: undefined })
  t.same(
    [target.got, rounds.kept],
    [
      [0, 1],
      [0, 1],
    ],
  )
})

t.test('a pull that fails is tried again, and what other inlets gave meanwhile comes again', async (t) => {
  const { open } = await setUp(t)
  const target = new Target()
  class Failing extends Lists {
    override pull(update: Update, cursor: Cursor<number>) {
      if (update.transferNumber === 0) throw new Error('not now')
      return super.pull(update, cursor)
    }
  }
  const link = await open(new Lists(['a']), target)
  await link.addInlets(new Lists()).catch(() => undefined)
  const two = await open(new Lists(['a']), target, { id: 'two', inlets: [new Lists(['a']), new Failing(['b'])] })
  t.match(await two.transfer(), { pulled: 0, dropped: 0, failed: false, blocked: { stage: 'pull', attempts: 1 } })
  t.match(await two.transfer({ retry: true }), { pulled: 2, blocked: undefined })
  t.same(target.got, ['a', 'b'])
})

t.test('delays double up to the longest, and begin again when something was taken', (t) => {
  let now = 0
  const backoff = new Backoff({ minDelay: 1000, maxDelay: 5000 }, { now: () => now, random: () => 0.5 })
  const delays = Array.from({ length: 5 }, () => {
    now += 10
    return backoff.failed(false).retryAt - now
  })
  t.same(delays, [1000, 2000, 4000, 5000, 5000])
  t.match(backoff.failed(true), { attempts: 1, since: 10, retryAt: now + 1000 })
  t.equal(backoff.failed(true, 3000).retryAt, now + 3000, 'as a server asks')
  t.equal(backoff.failed(true, 60_000).retryAt, now + 5000, 'but no longer than the longest')
  backoff.succeeded()
  t.equal(backoff.tries, undefined)
  const extremes = [0, 0.999].map((chance) => {
    return new Backoff({ minDelay: 1000, maxDelay: 5000 }, { now: () => 0, random: () => chance }).failed(false).retryAt
  })
  t.same(extremes, [500, 1499])
  t.end()
})
