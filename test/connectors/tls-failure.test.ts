import { createServer, type AddressInfo, type Socket } from 'node:net'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { connectionFailure } from '../../src/connectors/tls-failure.js'
import { HttpInlet, MongoOutlet, S3Inlet } from '../../src/index.js'
import { failureOf } from '../helpers/http-inlets.js'
import { update } from '../helpers/http-inlets.js'

/** Starts a server that speaks no TLS: it answers what it gets in plain text, or hangs up. */
async function plainServer(t: Test, answer: string | undefined): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined))
    socket.once('data', () => (answer === undefined ? socket.end() : socket.end(answer)))
  })
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const retry = { retries: 0 }

t.test('HTTP: a server that speaks no TLS is named so', async (t) => {
  const port = await plainServer(t, 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
  const inlet = new HttpInlet(`https://127.0.0.1:${port}/`, { retry })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const error = await failureOf(t, inlet.pull(update))
  t.match(error, {
    failure: 'connection',
    message: /the server speaks no TLS there: should it be asked by http:\/\/\?$/,
  })
  t.notMatch(error.message, /openssl|SSL routines/)
})

t.test('S3: a server that speaks no TLS is named so', async (t) => {
  const port = await plainServer(t, 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'hidden-key', region: 'eu-central-1' }
  const inlet = new S3Inlet({ bucket: 'box', endpoint: `https://127.0.0.1:${port}`, retry, ...keys })
  t.teardown(() => inlet.onShutdown())
  await t.rejects(inlet.onStart(), { message: /speaks no TLS there: should it be asked by http:\/\/\?/ })
})

t.test('MongoDB: a server that speaks no TLS, or hangs up, is named so', async (t) => {
  for (const answer of ['it is plain text, and no TLS', undefined]) {
    const port = await plainServer(t, answer)
    const url = `mongodb://127.0.0.1:${port}/?tls=true&serverSelectionTimeoutMS=500`
    const outlet = new MongoOutlet({ url, retry })
    t.teardown(() => outlet.onShutdown())
    const error = await outlet.onStart().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    t.match(error, { message: /cannot connect to 127\.0\.0\.1:\d+: .*speaks? no TLS there/ }, inspect(error))
  }
})

t.test('texts of OpenSSL are its reasons, and others are as they are', async (t) => {
  const routine = Object.assign(new Error('C0B67B:error:0A000410:SSL routines:x:alert:../deps/openssl/x.c:1:\n'), {
    library: 'SSL routines',
    reason: 'sslv3 alert handshake failure',
  })
  t.equal(connectionFailure(routine, 'by http://'), 'TLS failed: sslv3 alert handshake failure')
  t.equal(connectionFailure(new Error('connect ECONNREFUSED'), 'by http://'), 'connect ECONNREFUSED')
  t.equal(connectionFailure(Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'x'), 'ECONNREFUSED')
})
