import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listen } from './servers.js'

/** What a proxy does with a piece of data from a client. */
export type Fate =
  /** Passes the piece on. */
  | 'pass'
  /** Passes the piece on, waits for the reply, drops that, and cuts the connection. */
  | 'swallow reply'
  /** Cuts the connection, and does not pass the piece on. */
  | 'cut'
  /** Passes the piece on, and drops the reply: the client waits. */
  | 'hang'
  /** Cuts the client off, and does not pass the piece on: the server does not learn of it. */
  | 'lose client'

/** A proxy on loopback: passes bytes between its clients and a server, except where `judge` says otherwise. */
export class TcpProxy {
  /** Number of connections that it has cut. */
  cuts = 0
  /** Decides on each piece of data from a client. */
  judge: (piece: Buffer) => Fate = () => 'pass'
  /** Changes each piece of data from a client that is passed on. */
  rewriteSent: (piece: Buffer) => Buffer = (piece) => piece
  /** Changes each piece of data from the server. */
  rewrite: (piece: Buffer) => Buffer = (piece) => piece
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** Starts a proxy, which closes when the test ends. */
  static async start(t: Pick<Test, 'teardown'>, host: string, port: number): Promise<TcpProxy> {
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
        if (fate !== 'lose client') cut()
      })
    }
    client.on('data', (piece) => {
      if (fate === 'pass') fate = this.judge(piece)
      if (fate === 'cut') {
        this.cuts++
        cut()
      } else if (fate === 'lose client') {
        this.cuts++
        client.destroy()
      } else server.write(this.rewriteSent(piece))
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
