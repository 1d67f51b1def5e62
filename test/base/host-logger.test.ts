import { fastify } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { setLogger, type HostLogger } from '../../src/base/host-logger.js'
import { adoptLogLevels, getLogger, logLevels, setLogLevel, writeLogLine, type LogLevel } from '../../src/base/log.js'
import { linkModule, workerPlanner } from '../helpers/threads.js'

interface Line {
  readonly [field: string]: unknown
}

/** Lines of an application's logger, as JSON. Ends what is set when the test does. */
function linesOf(t: Test, level: LogLevel = 'debug') {
  const texts: string[] = []
  const levels = logLevels()
  setLogLevel(level)
  t.teardown(() => {
    setLogger(undefined)
    adoptLogLevels(levels)
  })
  return {
    stream: { write: (text: string) => void texts.push(text) },
    lines: () => texts.map((text) => JSON.parse(text) as Line),
  }
}

t.test('lines go through a pino instance, with its levels, redaction and fields', async (t) => {
  const { stream, lines } = linesOf(t)
  const app = pino(
    { level: 'info', base: { app: 'shop' }, redact: ['token', 'err.token'], messageKey: 'text', timestamp: false },
    stream,
  )
  setLogger(app)
  class RefusedError extends Error {
    readonly token = 'abcd'
    readonly status = 403
  }
  getLogger('databay.Link').warn('%d of %s', 2, 'them')
  getLogger('databay.Link').debug('not for this application')
  getLogger('databay.HttpInlet').error({ err: new RefusedError('not allowed'), token: 'abcd', link: 'a' }, 'failed')
  const [first, second, ...others] = lines()
  t.strictSame(first, { level: 40, app: 'shop', name: 'databay.Link', text: '2 of them' })
  t.match(second, {
    level: 50,
    name: 'databay.HttpInlet',
    link: 'a',
    token: '[Redacted]',
    err: {
      type: 'RefusedError',
      message: 'not allowed',
      status: 403,
      token: '[Redacted]',
      stack: /^Error: not allowed\n.*host-logger\.test/,
    },
    text: 'failed',
  })
  t.same(others, [])
})

t.test('the name of a logger does not hide the one of the application', async (t) => {
  const { stream, lines } = linesOf(t)
  setLogger(pino({ name: 'shop', base: { name: 'shop' }, timestamp: false }, stream))
  getLogger('databay.Link').info('here')
  t.strictSame(lines(), [{ level: 30, name: 'shop', logger: 'databay.Link', msg: 'here' }])
})

t.test('lines of threads go there too', async (t) => {
  const { stream, lines } = linesOf(t, 'info')
  setLogger(pino({}, stream))
  const planner = workerPlanner(t, linkModule({ tags: 'a', acts: ['log', { fail: 'typeError' }] }), {
    ignoreExceptions: true,
  })
  await planner.start()
  await planner.forceTransfer()
  await planner.forceTransfer()
  const ofThreads = lines().filter(({ thread }) => thread !== undefined)
  t.match(
    ofThreads.find(({ err }) => err !== undefined),
    {
      level: 50,
      name: 'databay.Link',
      thread: 1,
      err: { type: 'TypeError', message: /not of that kind/ },
      msg: /^a\.1 .*failed to pull/,
    },
  )
  await planner.shutdown()
})

t.test('app.log of fastify is such a logger', async (t) => {
  const { stream, lines } = linesOf(t)
  const app = fastify({ logger: { level: 'warn', stream } })
  setLogger(app.log)
  getLogger('databay.Link').info('not for this application')
  getLogger('databay.Link').warn({ link: 'a' }, 'late')
  await app.close()
  t.match(lines(), [{ level: 40, name: 'databay.Link', link: 'a', msg: 'late' }])
})

t.test('a line that no logger wrote is logged as it is', async (t) => {
  const { stream, lines } = linesOf(t)
  setLogger(pino({ base: {}, timestamp: false }, stream))
  for (const line of ['plain text\n', '{"some":"json"}\n', 'null\n']) writeLogLine(line)
  writeLogLine('{"level":35,"name":"databay.x","err":"text"}\n')
  writeLogLine('{"level":7,"name":"databay.x","err":{"message":1}}\n')
  t.strictSame(lines(), [
    ...['plain text', '{"some":"json"}', 'null'].map((msg) => ({ level: 40, msg })),
    { level: 30, name: 'databay.x', err: 'text', msg: '' },
  ])
})

t.test('a logger that throws loses no line, and one that is none is refused', async (t) => {
  const { stream } = linesOf(t)
  const written: string[] = []
  t.capture(process.stderr, 'write', (text: string) => written.push(text))
  setLogger({
    ...pino({}, stream),
    child: () => {
      throw new Error('closed')
    },
  })
  getLogger('databay.Link').warn('kept')
  t.match(written.join(''), /kept/)
  const bad: [unknown, RegExp][] = [
    [null, /got null: it has no trace\(\)$/],
    [{ ...console }, /it has no fatal\(\)$/],
  ]
  for (const [logger, message] of bad) {
    t.throws(() => setLogger(logger as HostLogger), { code: 'DATABAY_INVALID_OPTION', message })
  }
})
