import { createServer, request as forward, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listen } from './servers.js'

/** Starts a proxy on loopback that tunnels and forwards, and notes what it was asked. It closes when the test ends. */
export async function startProxy(t: Test, { refuse }: { readonly refuse?: () => number | undefined } = {}) {
  const asked: { readonly what: string; readonly authorization: string | undefined }[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage) => {
    asked.push({ what: `${method} ${url}`, authorization: headers['proxy-authorization'] })
    return refuse?.()
  }
  const server = createServer((request, response) => {
    const refused = note(request)
    if (refused !== undefined) return response.writeHead(refused).end()
    const { 'proxy-authorization': _, ...headers } = request.headers
    const onward = forward(request.url ?? '', { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    return request.pipe(onward.on('error', () => response.writeHead(502).end()))
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    sockets.add(socket.on('error', () => undefined))
    const refused = note(request)
    // 0 stands for no answer at all
    if (refused !== undefined) {
      if (refused !== 0) socket.end(`HTTP/1.1 ${refused} No\r\n\r\n`)
      return
    }
    const [, host, port] = /^(.*):(\d+)$/.exec(request.url ?? '') ?? []
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    sockets.add(onward.on('error', () => socket.destroy()))
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${await listen(server)}` }
}

/** Sets variables of the environment until the test ends; `undefined` takes one away. */
export function setEnvironment(t: Test, variables: { readonly [name: string]: string | undefined }): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  for (const [name, value] of Object.entries(variables)) set(name, value)
  t.teardown(() => {
    for (const [name, value] of before) set(name, value)
  })
}
