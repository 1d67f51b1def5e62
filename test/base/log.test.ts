import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import {
  adoptLogLevels,
  formatLine,
  getLogger,
  LOG_LEVELS,
  logLevels,
  onLogLevels,
  setLogDestination,
  setLogLevel,
  writeLogLine,
  type LogDestination,
  type LogLevel,
} from '../../src/base/log.js'
import { captureLogs, type LogEntry } from '../helpers/logs.js'

t.test('a logger has one instance for each name', async (t) => {
  t.equal(getLogger('databay.Link'), getLogger('databay.Link'))
  t.not(getLogger('databay.Link'), getLogger('databay.Buffer'))
  t.equal(getLogger(), getLogger('databay'))
})

t.test('a logger has a name of the tree', async (t) => {
  for (const name of ['Link', 'databayLink', '', 'other.databay', 5, null] as string[]) {
    t.throws(() => getLogger(name), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^name: expected 'databay' or a name that starts with 'databay\.', got /,
    })
    t.throws(() => setLogLevel('info', name), { code: 'DATABAY_INVALID_OPTION', message: /^name: / })
  }
})

t.test('only warnings and worse are logged unless more is asked for', async (t) => {
  t.equal(getLogger().level, 'warn')
  t.equal(getLogger('databay.Link').level, 'warn')
})

t.test('levels are inherited from the nearest name above', async (t) => {
  captureLogs(t)
  const made = getLogger('databay.a.b')
  setLogLevel('info')
  t.equal(made.level, 'info', 'also by a logger that was made before')
  setLogLevel('debug', 'databay.a')
  t.equal(made.level, 'debug')
  t.equal(getLogger('databay.a').level, 'debug')
  t.equal(getLogger('databay.ab').level, 'info', 'which is not below databay.a')
  setLogLevel('error', 'databay.a.b')
  setLogLevel('trace', 'databay.a')
  t.equal(made.level, 'error', 'a level of its own counts')
  t.equal(getLogger('databay.a.c').level, 'trace')
})

t.test('a level that does not exist is refused', async (t) => {
  t.throws(() => setLogLevel('loud' as LogLevel), {
    code: 'DATABAY_INVALID_OPTION',
    message: "level: expected one of trace, debug, info, warn, error, fatal, silent, got 'loud'",
  })
})

t.test('the level decides what is written', async (t) => {
  const log = captureLogs(t, 'warn')
  const logger = getLogger('databay.test')
  for (const level of LOG_LEVELS) if (level !== 'silent') logger[level](level)
  t.strictSame(log.messages(), ['warn', 'error', 'fatal'])
  setLogLevel('silent')
  logger.fatal('not even this')
  t.equal(log.lines.length, 3)
})

t.test('a line is one JSON object with its name', async (t) => {
  const log = captureLogs(t, 'info')
  getLogger('databay.Link').info({ records: 3 }, '%s done', 'a.1')
  t.equal(log.lines.length, 1)
  t.ok(log.lines[0]?.endsWith('\n'))
  t.match(log.entries(), [{ name: 'databay.Link', level: 30, msg: 'a.1 done', records: 3, time: Number }])
  t.strictSame(Object.keys(log.entries()[0]!).sort(), ['level', 'msg', 'name', 'records', 'time'])
})

t.test('an error is logged with its stack', async (t) => {
  const log = captureLogs(t)
  const error = new TypeError('bad')
  getLogger().error({ err: error }, 'failed')
  t.match(log.entries(), [{ msg: 'failed', err: { message: 'bad', stack: error.stack } }])
})

t.test('an error that does not let itself be read is logged all the same', async (t) => {
  const log = captureLogs(t)
  const unreadable = Object.defineProperty(new Error('x'), 'own', {
    enumerable: true,
    get() {
      throw new Error('refused')
    },
  })
  getLogger().error({ err: Object.freeze(new Error('frozen')) }, 'first')
  getLogger().error({ err: unreadable }, 'second')
  t.match(log.entries(), [
    { msg: 'first', err: { message: 'frozen' } },
    { msg: 'second', err: { message: 'x' } },
  ])
})

t.test('a destination that fails does not fail what logs, and the line goes to standard error', async (t) => {
  captureLogs(t)
  const written = t.capture(process.stderr, 'write', () => true)
  setLogDestination({
    write() {
      throw new Error('disk full')
    },
  })
  t.doesNotThrow(() => getLogger().error('important'))
  t.match(written(), [{ args: [/important/] }])
})

t.test('standard error gets lines to read on a terminal, and JSON otherwise', async (t) => {
  captureLogs(t)
  setLogDestination(undefined)
  const { isTTY } = process.stderr
  t.teardown(() => {
    process.stderr.isTTY = isTTY
  })
  const written = t.capture(process.stderr, 'write', () => true)
  process.stderr.isTTY = true
  getLogger('databay.Link').error('to read')
  process.stderr.isTTY = false
  getLogger('databay.Link').error('to parse')
  const [pretty, json] = written().map((call) => String(call.args[0]))
  t.match(pretty, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\|E\| to read \(databay\.Link\)\n$/)
  t.match(JSON.parse(json!), { level: 50, name: 'databay.Link', msg: 'to parse' })
})

t.test('a destination without write() is refused', async (t) => {
  for (const destination of [null, {}, { write: 1 }, 'stderr'] as unknown as LogDestination[]) {
    t.throws(() => setLogDestination(destination), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^destination: expected an object with a method write\(\), or undefined, got /,
    })
  }
})

t.test('lines of threads go where the log goes', async (t) => {
  const log = captureLogs(t)
  writeLogLine('{"a":1}\n')
  t.strictSame(log.lines, ['{"a":1}\n'])
})

t.test('a thread takes over the levels of the main thread', async (t) => {
  captureLogs(t)
  setLogLevel('debug', 'databay.Link')
  setLogLevel('error')
  const levels = structuredClone(logLevels())
  t.strictSame(
    new Map(levels),
    new Map([
      ['databay', 'error'],
      ['databay.Link', 'debug'],
    ]),
  )

  const logger = getLogger('databay.Link')
  adoptLogLevels([['databay', 'info']])
  t.equal(logger.level, 'info', 'a level that the main thread does not have is forgotten')
  adoptLogLevels(levels)
  t.equal(logger.level, 'debug')
  t.equal(getLogger('databay.Buffer').level, 'error')
  adoptLogLevels([])
  t.equal(logger.level, 'warn', 'no levels at all are the default')
})

t.test('those who listen are told when levels change, until they stop', async (t) => {
  captureLogs(t)
  let calls = 0
  const stop = onLogLevels(() => calls++)
  setLogLevel('info')
  setLogLevel('debug', 'databay.Link')
  t.equal(calls, 2)
  t.throws(() => setLogLevel('loud' as LogLevel))
  t.equal(calls, 2)
  stop()
  setLogLevel('warn')
  t.equal(calls, 2)
})

t.test('a line reads as in the manual', async (t) => {
  const time = new Date(2020, 6, 30, 19, 51, 41, 318).getTime()
  const line = JSON.stringify({ level: 20, time, name: 'databay.Link', msg: 'http_to_mongo.0 transfer' })
  t.equal(formatLine(line), '2020-07-30 19:51:41.318|D| http_to_mongo.0 transfer (databay.Link)\n')
})

t.test('each level has its letter', async (t) => {
  const letter = (level: number) => formatLine(JSON.stringify({ level, time: 0 })).split('|')[1]
  t.strictSame([10, 20, 30, 40, 50, 60].map(letter), ['T', 'D', 'I', 'W', 'E', 'F'])
  t.equal(letter(35), '35')
})

t.test('a line to read has local time, winter and summer', async (t) => {
  for (const month of [0, 6]) {
    const line = formatLine(JSON.stringify({ level: 30, time: new Date(2026, month, 5, 4, 3, 2, 1).getTime() }))
    t.match(line, `2026-0${month + 1}-05 04:03:02.001|I|  (databay)`)
  }
})

t.test('the stack of an error follows on lines of its own', async (t) => {
  const entry: LogEntry = {
    level: 50,
    time: 0,
    name: 'databay',
    msg: 'failed',
    err: { message: 'x', stack: 'Error: x\n  at y' },
  }
  t.match(formatLine(JSON.stringify(entry)), /\|E\| failed \(databay\)\n {2}Error: x\n {2}at y\n$/)
})

t.test('no message, name or stack can forge a line or send an escape sequence', async (t) => {
  const forged = '\n2020-07-30 19:51:41.318|E| forged (databay)\n\u001b[2J\u009b31m'
  const entry = { level: 50, time: 0, name: `databay.${forged}`, msg: forged, err: { stack: `Error: ${forged}` } }
  const text = formatLine(JSON.stringify(entry))
  t.notMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f]/)
  t.equal(text.split('\n').filter((line) => /^\d{4}-/.test(line)).length, 1, 'only the line itself begins as one')
})

t.test('a line that no logger wrote stays as it is', async (t) => {
  for (const line of ['plain text\n', '{"a":1}\n', 'null', '5', '"text"', '[]', '{"level":"high","time":1}']) {
    t.equal(formatLine(line), line)
  }
})

t.test('what a thread logs names the thread', async (t) => {
  // a tree of loggers of its own: a thread keeps its number
  const thread = await t.mockImport<typeof import('../../src/base/log.js')>('../../src/base/log.js')
  const lines: string[] = []
  thread.setLogDestination({ write: (line) => lines.push(line) })
  thread.getLogger('databay.test').warn('before')
  thread.setLogThread(3)
  thread.getLogger('databay.test').warn('after')
  t.match(
    lines.map((line) => JSON.parse(line) as LogEntry),
    [
      { msg: 'before', thread: undefined },
      { msg: 'after', thread: 3 },
    ],
  )
})

t.test('a log line has a budget, whatever is logged', async (t) => {
  const lines: string[] = []
  setLogDestination({ write: (line) => lines.push(line) })
  t.teardown(() => setLogDestination(undefined))
  const long = 'x'.repeat(2_000_000)
  const log = getLogger('databay.Large')
  log.error({ err: new Error(long) }, 'a message')
  log.error({ err: Object.assign(new Error('e'), { body: long, nested: { deep: [long, long] } }) }, 'a field')
  log.error({ err: new AggregateError(Array.from({ length: 2000 }, () => new Error('y'.repeat(1000)))) }, 'errors')
  log.error(long)
  log.error({ list: Array.from({ length: 100_000 }, (_, at) => at) }, 'a list')
  for (const line of lines) {
    t.ok(line.length <= 64 * 1024, `${line.length} characters`)
    const entry = JSON.parse(line) as LogEntry
    t.match(entry, { level: 50, name: 'databay.Large' }, 'it is still a log line')
    t.match(entry.msg, /^(a message|a field|errors|x{100}|a list)/, 'with its message')
  }
  t.equal(lines.length, 5)
})

t.test('a destination whose write is asynchronous and fails loses no line', async (t) => {
  const written: string[] = []
  const write = process.stderr.write.bind(process.stderr)
  t.teardown(() => {
    process.stderr.write = write
    setLogDestination(undefined)
  })
  process.stderr.write = (text: string) => written.push(text) > 0
  const full: unknown = { write: () => Promise.reject(new Error('full')) }
  setLogDestination(full as LogDestination)
  getLogger('databay.Late').error('a line')
  await new Promise((resolve) => setTimeout(resolve))
  process.stderr.write = write
  t.match(written, [/a line/])
})

t.test('what cannot be shown fails nobody who logs it', async (t) => {
  const log = captureLogs(t)
  const bad = {
    toString: () => {
      throw new Error('no text')
    },
    toJSON: () => {
      throw new Error('no JSON')
    },
  }
  const logger = getLogger('databay.test')
  logger.warn('%s', bad)
  logger.warn('%j %o', bad, bad)
  logger.warn(bad, 'fields')
  logger.warn(new Proxy({}, { ownKeys: () => bad.toString() }), 'a proxy')
  t.equal(log.lines.length, 4, 'each has a line')
})

t.test('a standard error that nobody reads any more does not end the process', async (t) => {
  const program = `
    import { getLogger } from ${JSON.stringify(new URL('../../dist/src/base/log.js', import.meta.url).href)}
    process.stdin.once('data', () => {
      for (let line = 0; line < 3; line++) setTimeout(() => getLogger().error('line'), 20 * line)
      setTimeout(() => { console.log('alive'); process.exit(0) }, 150)
    })
    console.log('ready')`
  const { NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { env })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += String(chunk)
    if (printed !== 'ready\n') return
    child.stderr.destroy()
    child.stdin.write('go\n')
  })
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(printed, 'ready\nalive\n')
  t.equal(code, 0)
})

t.test('objects in the fields of an error, which may hold credentials, are not logged', async (t) => {
  const log = captureLogs(t)
  const request = { headers: { authorization: 'Bearer secret' } }
  const cause = Object.assign(new RangeError('refused'), { config: { password: 'secret' } })
  class ApiError extends Error {}
  getLogger().error({ err: Object.assign(new ApiError('failed', { cause }), { request, status: 401 }) }, 'pull failed')
  t.match(log.entries(), [
    { err: { type: 'ApiError', message: 'failed: refused', status: 401, stack: /caused by.*refused/s } },
  ])
  t.notMatch(JSON.stringify(log.entries()), /secret/)
})
