import { once } from 'node:events'
import { chmodSync, createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { get as getTls } from 'node:https'
import { createServer, connect } from 'node:net'
import { lookup } from 'node:dns/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MongoBulkWriteError, MongoClient, MongoNetworkError, MongoServerError } from 'mongodb'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { plainError, restoreError } from '../../src/base/plain-error.js'
import { toError, TransferCancelledError, TransferTimeoutError } from '../../src/base/errors.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { failureClass, type FailureClass } from '../../src/core/failure-class.js'
import { Update } from '../../src/core/update.js'
import { listen, makeCertificate, serve, serveTls } from '../helpers/servers.js'
import { tinyDisk } from '../helpers/tiny-disk.js'

/** What work rejects with. */
async function failure(work: () => unknown): Promise<Error> {
  try {
    await work()
  } catch (thrown) {
    return toError(thrown)
  }
  throw new Error('it did not fail')
}

/** The class of an error, which it has in another thread too. */
function classOf(t: Test, error: Error): FailureClass {
  const found = failureClass(error)
  t.equal(failureClass(restoreError(structuredClone(plainError(error)))), found, 'in another thread too')
  return found
}

/** A port of loopback at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

t.test('a host that cannot be reached is unavailable, whichever client says so', async (t) => {
  const port = await closedPort()
  const url = `http://127.0.0.1:${port}/`
  const refused = {
    undici: () => request(url),
    fetch: () => fetch(url),
    'node:http': () => once(get(url), 'response'),
    'node:net': () => once(connect(port, '127.0.0.1'), 'connect'),
    'node:net, with several addresses': () => once(connect(port, 'localhost'), 'connect'),
    'a name that nobody has': () => lookup('nobody.invalid'),
    HttpInlet: () => new HttpInlet(url, { retry: { retries: 0 } }).pull(new Update([], 0)),
    MongoClient: () => new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 100 }).connect(),
  }
  for (const [client, ask] of Object.entries(refused)) {
    t.equal(classOf(t, await failure(ask)), 'unavailable', client)
  }
})

t.test('a connection that breaks is unavailable', async (t) => {
  const server = createServer((socket) => socket.once('data', () => socket.destroy()))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${await listen(server)}/`
  for (const ask of [() => request(url), () => fetch(url), () => once(get(url), 'response')]) {
    t.equal(classOf(t, await failure(ask)), 'unavailable')
  }
  const cut = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy())
  })
  t.equal(classOf(t, await failure(async () => (await fetch(cut.url)).text())), 'unavailable')
})

t.test('a certificate that is not trusted is unavailable', async (t) => {
  const identity = makeCertificate(t.testdir())
  if (identity === undefined) {
    t.comment('openssl is missing')
    return
  }
  const { url } = await serveTls(t, identity, (_, response) => response.end())
  t.equal(classOf(t, await failure(() => request(url))), 'unavailable')
  t.equal(classOf(t, await failure(() => once(getTls(url), 'response'))), 'unavailable')
})

t.test('a status of HTTP is unavailable when it lets nobody in, or not now', async (t) => {
  const { url } = await serve(t, (asked, response) => {
    response.writeHead(Number(asked.url?.slice(1))).end('no')
  })
  const pull = (status: number) =>
    failure(() => new HttpInlet(`${url}/${status}`, { retry: { retries: 0 } }).pull(new Update([], 0)))
  for (const status of [401, 403, 404, 408, 425, 429, 500, 502, 503, 504, 599]) {
    t.equal(classOf(t, await pull(status)), 'unavailable', String(status))
  }
  for (const status of [400, 409, 413, 422]) t.equal(classOf(t, await pull(status)), 'unknown', String(status))
  t.equal(failureClass(Object.assign(new Error('no'), { statusCode: 503 })), 'unavailable')
  t.equal(failureClass(Object.assign(new Error('no'), { status: '503' })), 'unknown', 'a text is no status')
})

t.test('a disk or file of which the system says no is unavailable', async (t) => {
  const folder = t.testdir({ file: 'x' })
  const missing = path.join(folder, 'none', 'file')
  t.equal(classOf(t, await failure(() => writeFile(missing, 'x'))), 'unavailable', 'ENOENT')
  t.equal(classOf(t, await failure(() => readFileSync(missing))), 'unavailable', 'ENOENT, at once')
  t.equal(classOf(t, await failure(() => pipeline(createReadStream(missing), process.stdout))), 'unavailable')
  t.equal(classOf(t, await failure(() => writeFile('/proc/version', 'x'))), 'unavailable', 'EACCES or EPERM or EIO')
  const disk = tinyDisk(t, 16)
  if (disk === undefined) t.comment('a full disk is not tried: none can be mounted')
  else {
    const full = await failure(() => writeFile(path.join(disk, 'file'), 'x'.repeat(100_000)))
    t.match(full, { code: 'ENOSPC' })
    t.equal(classOf(t, full), 'unavailable')
  }
  if (process.getuid?.() !== 0) {
    mkdirSync(path.join(folder, 'closed'))
    chmodSync(path.join(folder, 'closed'), 0)
    const denied = await failure(() => writeFileSync(path.join(folder, 'closed', 'file'), 'x'))
    t.match(denied, { code: 'EACCES' })
    t.equal(classOf(t, denied), 'unavailable')
  }
  for (const code of ['EACCES', 'EROFS', 'EDQUOT', 'EIO', 'EMFILE']) {
    t.equal(failureClass(Object.assign(new Error(code), { code, errno: -1, syscall: 'open' })), 'unavailable', code)
  }
})

t.test('what may be wrong with the call itself is unknown', async (t) => {
  const folder = t.testdir()
  const long = await failure(() => writeFile(path.join(folder, 'x'.repeat(300)), 'x'))
  t.match(long, { code: 'ENAMETOOLONG' })
  t.equal(classOf(t, long), 'unknown')
  t.equal(classOf(t, await failure(() => writeFile(folder, 'x'))), 'unknown', 'EISDIR')
  const header = { 'x-name': 'two\nlines' }
  t.equal(classOf(t, await failure(() => request('http://127.0.0.1:1/', { headers: header }))), 'unknown')
})

t.test('what is told to stop, or takes too long, is unavailable', async (t) => {
  const { url } = await serve(t, () => undefined)
  const controller = new AbortController()
  controller.abort()
  const stopped = [
    () => fetch(url, { signal: AbortSignal.timeout(20) }),
    () => fetch(url, { signal: controller.signal }),
    () => request(url, { headersTimeout: 1, signal: AbortSignal.timeout(20) }),
    () => writeFile('/dev/null', 'x', { signal: controller.signal }),
    () => Promise.reject(new TransferTimeoutError('a.1 did not end within 5 ms')),
    () => Promise.reject(new TransferCancelledError('the planner shuts down')),
    () => new HttpInlet(url, { timeout: 0.02, retry: { retries: 0 } }).pull(new Update([], 0)),
  ]
  for (const work of stopped) t.equal(classOf(t, await failure(work)), 'unavailable')
})

t.test('errors of a MongoDB server are told apart by their code', async (t) => {
  const error = (code: number, more: object = {}) =>
    new MongoServerError({ message: 'no', errmsg: 'no', code, ...more })
  const passing = { 10107: 'not primary', 189: 'stepped down', 13: 'unauthorized', 18: 'authentication', 64: 'concern' }
  for (const [code, name] of Object.entries(passing)) t.equal(classOf(t, error(Number(code))), 'unavailable', name)
  for (const code of [11000, 121, 10334, 2]) t.equal(classOf(t, error(code)), 'unknown', String(code))
  t.equal(failureClass(error(1, { errorLabels: ['RetryableWriteError'] })), 'unavailable')
  const result = { getWriteConcernError: () => undefined } as never
  const broken = new MongoBulkWriteError(new MongoNetworkError('cut'), result)
  t.equal(classOf(t, broken), 'unavailable', 'a bulk whose connection broke')
  const duplicate = { message: 'E11000', code: 11000, writeErrors: [] }
  t.equal(classOf(t, new MongoBulkWriteError(duplicate as never, result)), 'unknown')
})

t.test('the field retryable has the first say, and then what the error itself is', async (t) => {
  const network = Object.assign(new Error('cut'), { code: 'ECONNRESET' })
  const refused = Object.assign(new Error('of a record', { cause: network }), { retryable: false })
  t.equal(classOf(t, refused), 'refused')
  t.equal(classOf(t, Object.assign(new Error('later'), { retryable: true, status: 400 })), 'unavailable')
  t.equal(classOf(t, new Error('row 5', { cause: refused })), 'refused', 'a cause of a record')
  t.equal(classOf(t, Object.assign(new Error('busy', { cause: refused }), { status: 503 })), 'unavailable')
  t.equal(classOf(t, new Error('deep', { cause: new Error('deeper', { cause: network }) })), 'unavailable')
  t.equal(classOf(t, new Error('x')), 'unknown')
  for (const thrown of ['ECONNREFUSED', undefined, null, 5, { retryable: 'no' }])
    t.equal(failureClass(thrown), 'unknown')
})

t.test('of several errors, one that passes makes all worth another try', async (t) => {
  const refused = Object.assign(new Error('of a record'), { retryable: false })
  const down = Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
  const of = (...errors: Error[]) => classOf(t, new AggregateError(errors, 'several'))
  t.equal(of(refused, down), 'unavailable')
  t.equal(of(refused, refused), 'refused')
  t.equal(of(refused, new Error('x')), 'unknown')
  t.equal(of(), 'unknown')
  t.equal(classOf(t, new Error('all', { cause: new AggregateError([down]) })), 'unavailable')
})

t.test('no shape of an error is too much', async (t) => {
  const round = new Error('round')
  round.cause = round
  t.equal(failureClass(round), 'unknown')
  const each = new AggregateError([], 'each other')
  each.errors.push(each, each, each)
  t.equal(failureClass(each), 'unknown')
  let deep = Object.assign(new Error('x'), { code: 'ECONNRESET' })
  for (let at = 0; at < 100_000; at++) deep = Object.assign(new Error('x', { cause: deep }), { code: 'X' })
  t.equal(failureClass(deep), 'unknown')
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('no')
    },
  })
  t.equal(failureClass(hostile), 'unknown')
})
