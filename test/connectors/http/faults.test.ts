import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { deflateRawSync, gzipSync, brotliCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferTimeoutError } from '../../../src/base/errors.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { Update } from '../../../src/core/update.js'
import { failureOf, inlet, pullOf, update } from '../../helpers/http-inlets.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { countConnections, listen, serve } from '../../helpers/servers.js'

/** Starts a server that answers each request with raw bytes, and then does as it likes with the connection. */
async function serveRaw(t: Test, answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', () => answer(socket))
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${await listen(server)}`
}

const soon = { milliseconds: 60 }

t.test('a response that does not end is an error after the timeout of the pull', async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('[')
    if (request.url === '/failed') response.writeHead(500).write('[')
    if (request.url === '/drip') {
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    }
  })
  for (const path of ['/headers', '/body', '/drip', '/failed']) {
    const error = await failureOf(t, inlet(t, url + path, { timeout: soon, bodyTimeout: 9 }).pull(update))
    t.match(error, { failure: 'timeout', message: `${url}${path}: no whole response within 60 ms` })
  }
})

t.test('a hang before or in the body is an error after the timeout of a try', async (t) => {
  const { server, url } = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('[')
  })
  const { allClosed } = countConnections(server)
  const headers = await failureOf(t, inlet(t, url, { headersTimeout: soon }).pull(update))
  t.match(headers, { failure: 'timeout', status: undefined, message: /Headers Timeout/ })
  const body = await failureOf(t, inlet(t, `${url}/body`, { bodyTimeout: soon }).pull(update))
  t.match(body, { failure: 'timeout', message: /Body Timeout/ })
  await allClosed()
})

t.test('a failed response with a body that does not end does not hold up its error', async (t) => {
  const { url } = await serve(t, (_, response) => response.writeHead(404).write('['))
  const started = performance.now()
  t.match(await failureOf(t, inlet(t, url).pull(update)), { failure: 'status', status: 404 })
  t.ok(performance.now() - started < 5000)
})

t.test('a connection that is not made is an error after the connectTimeout', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => undefined).resume())
  t.teardown(() => silent.close())
  const port = await listen(silent)
  const one = inlet(t, `https://127.0.0.1:${port}`, { connectTimeout: soon })
  t.match(await failureOf(t, one.pull(update)), { failure: 'timeout', status: undefined })
})

t.test('a host without an address, and a port without a server, are errors', async (t) => {
  const unknown = await failureOf(t, inlet(t, 'http://nobody.invalid/?token=secret', { timeout: 20 }).pull(update))
  t.match(unknown, { failure: 'connection', message: /ENOTFOUND|EAI_AGAIN/, status: undefined })
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  const refused = await failureOf(t, inlet(t, `http://localhost:${port}/?token=secret`).pull(update))
  t.match(refused, { failure: 'connection', message: /ECONNREFUSED/, status: undefined })
  t.ok(refused.cause)
})

t.test('a connection that is cut or reset is an error, wherever in the response', async (t) => {
  const starts = [
    '',
    'HTTP/1.1 200 OK\r\ncontent-le',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1,2]',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2]\r\n',
  ]
  for (const start of starts) {
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const url = await serveRaw(t, (socket) => {
        socket.write(start)
        setImmediate(() => socket[end]())
      })
      t.match(await failureOf(t, inlet(t, url).pull(update)), { failure: 'connection' }, `${end} after ${start}`)
    }
  }
})

t.test('what is no HTTP, and headers without end, are errors', async (t) => {
  const cases: [string, RegExp][] = [
    ['SSH-2.0-OpenSSH_9.6\r\n', /Expected HTTP/],
    ['HTTP/1.1 200 OK\r\ncontent-length: x\r\nset-cookie: secret\r\n\r\nsecret', /Content-Length/],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', /chunk size/],
    [`HTTP/1.1 200 OK\r\nx-key: ${'x'.repeat(1_000_000)}\r\n\r\n`, /Headers Overflow/],
  ]
  for (const [response, message] of cases) {
    let asked = 0
    const url = await serveRaw(t, (socket) => {
      asked++
      socket.write(response)
    })
    const options = { retry: { retries: 3, minDelay: { milliseconds: 1 } } }
    t.match(await failureOf(t, inlet(t, url, options).pull(update)), { failure: 'connection', message })
    t.equal(asked, 1, 'and does not pass')
  }
})

t.test('a failed response with a body that is cut is an error of its status', async (t) => {
  const { url } = await serve(t, (_, response) => {
    response.writeHead(500, { 'content-length': '10' }).write('abc')
    setImmediate(() => response.destroy())
  })
  t.match(await failureOf(t, inlet(t, url).pull(update)), { failure: 'status', status: 500 })
})

t.test('a body that cannot be unpacked is an error', async (t) => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['klingon', Buffer.of(0xff), /unknown encoding 'klingon'/],
    ['gzip, klingon', gzipSync(Buffer.of(0xff)), /unknown encoding 'klingon'/],
    ['gzip, gzip, gzip, gzip', Buffer.from('x'), /encoded 4 times/],
    ['gzip', Buffer.of(0xff), /cannot be unpacked/],
    ['gzip, gzip', gzipSync(Buffer.of(0xff)), /cannot be unpacked/],
    ['gzip', gzipSync('"whole"').subarray(0, 15), /cannot be unpacked: unexpected end of file/],
    ['deflate', deflateRawSync('"whole"').subarray(0, 5), /cannot be unpacked: unexpected end of file/],
    ['br', brotliCompressSync('"whole"').subarray(0, 5), /cannot be unpacked: unexpected end of file/],
  ]
  for (const [encoding, bytes, expected] of cases) {
    const error = await failureOf(t, pullOf(t, bytes, {}, { 'content-encoding': encoding }))
    t.match(error, { failure: 'body', status: 200, message: expected }, encoding)
  }
})

t.test('a body over maxBodySize is an error, packed or not', async (t) => {
  const tooLarge = { failure: 'body', message: /larger than maxBodySize, which is 1000 bytes/ }
  const options: HttpInletOptions = { maxBodySize: 1000, format: 'text' }
  t.equal(await pullOf(t, 'x'.repeat(1000), options), 'x'.repeat(1000))
  t.equal(await pullOf(t, gzipSync('x'.repeat(1000)), options, { 'content-encoding': 'gzip' }), 'x'.repeat(1000))
  t.match(await failureOf(t, pullOf(t, 'x'.repeat(1001), options)), tooLarge)
  const endless = await serve(t, (_, response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
    }
    response.on('drain', more)
    more()
  })
  t.match(await failureOf(t, inlet(t, endless.url, options).pull(update)), tooLarge)
})

t.test('a bomb is not unpacked', async (t) => {
  const zeros = Buffer.alloc(20_000_000)
  const cases: [string, Uint8Array][] = [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateRawSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['gzip, gzip', gzipSync(gzipSync(zeros))],
  ]
  for (const [encoding, bomb] of cases) {
    t.ok(bomb.length < 100_000, 'on the wire it is as large as is allowed')
    const before = process.memoryUsage().arrayBuffers
    const pulled = pullOf(t, bomb, { maxBodySize: 100_000 }, { 'content-encoding': encoding })
    t.match(await failureOf(t, pulled), { failure: 'body', message: /larger than maxBodySize/ }, encoding)
    t.ok(process.memoryUsage().arrayBuffers - before < 10_000_000, 'it did not fill the memory')
  }
})

t.test('a transfer that is cancelled ends the request, with the reason of the cancellation', async (t) => {
  const { server, url } = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('[')
  })
  const { allClosed } = countConnections(server)
  for (const path of ['/headers', '/body']) {
    const cancellation = new Cancellation()
    const asked = once(server, 'request')
    const pulled = inlet(t, url + path).pull(new Update(['a'], 0, cancellation))
    await asked
    await turnOfTheLoop()
    const reason = new TransferTimeoutError('too late')
    cancellation.cancel(reason)
    await t.rejects(pulled, reason)
  }
  await allClosed()
  const stopped = new Cancellation()
  stopped.cancel(new TransferTimeoutError('before it began'))
  await t.rejects(inlet(t, url).pull(new Update(['a'], 0, stopped)), { message: 'before it began' })
})
