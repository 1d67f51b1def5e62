/** A connection that ends while nobody takes what has come on it ends no thread, and the response is there. */
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { openConnection } from '../../../src/connectors/http/agents.js'
import { listen, makeCertificate, type Identity } from '../../helpers/servers.js'

const SIZE = 262_144

/** Starts a server of sockets, which answers when a request comes. */
async function serveSockets(t: Test, answer: (socket: Socket) => void, identity?: Identity) {
  const onSocket = (socket: Socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        answer(socket)
      })
  }
  const server = identity === undefined ? createServer(onSocket) : createTlsServer(identity, onSocket)
  t.teardown(() => server.close())
  const port = await listen(server)
  return { url: identity === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}` }
}

/** Reads a response late, piece by piece. */
async function lateText(t: Test, url: string, cacert?: string): Promise<string> {
  const connection = await openConnection({ connectTimeout: 5000, cacert, proxy: false })
  t.teardown(() => connection.close())
  const { body } = await connection.send(new URL(url), { method: 'GET' })
  let text = ''
  await new Promise((resolve) => setTimeout(resolve, 100))
  for await (const chunk of body as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return text
}

const ways: { readonly [name: string]: (body: string) => string } = {
  'with a length': (body) => `content-length: ${body.length}\r\n\r\n${body}`,
  'up to the end of the connection': (body) => `\r\n${body}`,
  'in chunks': (body) => `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
}

for (const secure of [false, true]) {
  t.test(`responses that end with their connection are whole${secure ? ', encrypted' : ''}`, async (t) => {
    const identity = secure ? makeCertificate(t.testdir()) : undefined
    if (secure && identity === undefined) return void t.pass('needs openssl', { skip: true })
    const cacert = identity?.file
    for (const [name, of] of Object.entries(ways)) {
      for (const size of [65_536, SIZE]) {
        const body = 'x'.repeat(size)
        const answer = (socket: Socket) => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n${of(body)}`)
        const { url } = await serveSockets(t, answer, identity)
        t.equal((await lateText(t, url, cacert)).length, size, `${name}, ${size} bytes`)
      }
    }
  })
}

t.test('responses that are cut off, or reset, are errors', async (t) => {
  for (const how of ['end', 'resetAndDestroy'] as const) {
    for (const size of [65_536, SIZE]) {
      const { url } = await serveSockets(t, (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${SIZE + 1}\r\n\r\n${'x'.repeat(size)}`)
        setTimeout(() => socket[how](), 50)
      })
      await t.rejects(lateText(t, url), `${how}, ${size} bytes`)
    }
  }
})

t.test('what is not taken at all is left', async (t) => {
  const { url } = await serveSockets(t, (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 65536\r\n\r\n${'x'.repeat(65_536)}`)
  })
  const connection = await openConnection({ connectTimeout: 5000, cacert: undefined, proxy: false })
  const { body } = await connection.send(new URL(url), { method: 'GET' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  body.on('error', () => undefined).destroy()
  await t.resolves(connection.close())
  t.notOk(body.readableEnded)
})

t.test('an idle connection that has ended while the thread was busy gets no request', async (t) => {
  const sockets: Socket[] = []
  const { url } = await serveSockets(t, (socket) => {
    sockets.push(socket)
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
  })
  const connection = await openConnection({ connectTimeout: 5000, cacert: undefined, proxy: false })
  t.teardown(() => connection.close())
  const post = async () => {
    const { statusCode, body } = await connection.send(new URL(url), { method: 'POST', body: 'x' })
    await body.dump()
    return statusCode
  }
  for (let count = 1; count < 4; count++) {
    t.equal(await post(), 200)
    t.equal(sockets.length, count)
    // nothing is read between the end and the request
    await new Promise((resolve) => setTimeout(resolve, 20))
    sockets.at(-1)?.destroy()
  }
})
