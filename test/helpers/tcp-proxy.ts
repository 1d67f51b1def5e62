import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listen } from './servers.js'

/** What a proxy does with a piece of what a client sends. */
export type Fate =
  /** Passes it on. */
  | 'pass'
  /** Passes it on, waits for the reply, keeps that back and cuts the connection. */
  | 'swallow reply'
  /** Cuts the connection instead of passing it on. */
  | 'cut'
  /** Passes it on, and nothing of the reply: the client waits. */
  | 'hang'

/** Listens on loopback, and passes bytes between its clients and a server, except where `judge` says otherwise. */
export class TcpProxy {
  /** How many connections it has cut. */
  cuts = 0
  /** Decides on each piece that a client sends. */
  judge: (piece: Buffer) => Fate = () => 'pass'
  /** Changes a piece of what the server answers. */
  rewrite: (piece: Buffer) => Buffer = (piece) => piece
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** @param t - the test at whose end it closes */
  static async start(t: Test, host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy({ host, port })
    const server = createServer((client) => {
      proxy.#serve(client)
    })
    proxy.#port = await listen(server)
    t.teardown(() => {
      for (const socket of proxy.#sockets) socket.destroy()
      server.close()
    })
    return proxy
  }

  get port(): number {
    return this.#port
  }

  #serve(client: Socket): void {
    const server = connect(this.target)
    let fate: Fate = 'pass'
    const cut = (): void => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', cut).on('close', () => {
        this.#sockets.delete(socket)
        cut()
      })
    }
    client.on('data', (piece) => {
      if (fate === 'pass') fate = this.judge(piece)
      if (fate === 'cut') {
        this.cuts++
        cut()
      } else server.write(piece)
    })
    server.on('data', (piece) => {
      if (fate === 'pass') client.write(this.rewrite(piece))
      else if (fate === 'swallow reply') {
        this.cuts++
        cut()
      }
    })
  }
}
