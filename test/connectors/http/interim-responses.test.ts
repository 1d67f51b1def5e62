/** A `100 Continue` that nobody asked for is left out, wherever the network cuts it, and is not waited for without end. */
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { openConnection } from '../../../src/connectors/http/agents.js'
import { listen } from '../../helpers/servers.js'

/** Connects to a server of sockets, which answers each request by its path. */
async function serve(t: Test, answer: (socket: Socket, path: string) => void) {
  const server = createServer((socket) => {
    socket
      .setNoDelay()
      .on('error', () => undefined)
      .on('data', (data) => {
        answer(socket, data.toString().split(' ')[1] ?? '')
      })
  })
  const url = `http://127.0.0.1:${await listen(server)}`
  const connection = await openConnection({ connectTimeout: 5000, cacert: undefined, proxy: false })
  t.teardown(async () => {
    await connection.close()
    server.close()
  })
  return (path: string) => connection.send(new URL(path, url), { method: 'POST', body: 'x' })
}

for (const version of ['1.0', '1.1']) {
  const begin = `HTTP/${version} 100 Continue\r\n\r\n`
  const text = `${begin}HTTP/1.1 200 OK\r\ncontent-length: ${begin.length}\r\n\r\n${begin}`
  t.test(`a 100 of HTTP/${version} is left out wherever it is cut`, async (t) => {
    const send = await serve(t, (socket, path) => {
      const at = Number(path.slice(1))
      socket.write(text.slice(0, at))
      setTimeout(() => socket.write(text.slice(at)), 20)
    })
    const responses = Array.from({ length: begin.length + 20 }, async (_, n) => {
      const { statusCode, body } = await send(`/${n + 1}`)
      t.strictSame([statusCode, await body.text()], [200, begin], `cut at ${n + 1}`)
    })
    await Promise.all(responses)
  })
}

t.test('a 100 whose head does not end is an error', { timeout: 10_000 }, async (t) => {
  const send = await serve(t, (socket) => socket.write(`HTTP/1.1 100 Continue\r\nx: ${'y'.repeat(1_000_000)}`))
  await t.rejects(send('/'))
})
