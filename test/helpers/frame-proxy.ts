import { Buffer } from 'node:buffer'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listen } from './servers.js'

/** Message of PostgreSQL's protocol: who sent it, and its type, which is `''` for the first one of a connection. */
export interface Message {
  readonly from: 'client' | 'server'
  readonly type: string
}

/** What becomes of a connection at a message, which is passed on before when `after` is true. */
export interface Break {
  readonly after: boolean
  /**
   * `cut`: both sides learn that it is broken. `lose`: the server does not learn of it. `hang`: neither side does, and
   * nothing passes any more.
   */
  readonly kind: 'cut' | 'lose' | 'hang'
}

/** A proxy on loopback before a PostgreSQL server: passes message by message, and breaks connections where `judge` says so. */
export class FrameProxy {
  /** Decides on each message. */
  judge: (message: Message) => Break | undefined = () => undefined
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  private constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** Starts a proxy, which closes when the test ends. */
  static async start(t: Pick<Test, 'teardown'>, host: string, port: number): Promise<FrameProxy> {
    const proxy = new FrameProxy({ host, port })
    const server = createServer((client) => {
      proxy.#serve(client)
    })
    proxy.#server = server
    proxy.#port = await listen(server)
    t.teardown(() => proxy.close())
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** Ends all connections, also those that hang, and takes no more. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  #serve(client: Socket): void {
    const server = connect({ ...this.target, noDelay: true })
    client.setNoDelay(true)
    let broken: Break['kind'] | undefined
    const pass = (from: Message['from'], to: Socket, read: (data: Buffer) => readonly Buffer[]) => (data: Buffer) => {
      for (const frame of read(data)) {
        if (broken !== undefined) return
        const isFirst = frame[0] === 0
        const fate = this.judge({ from, type: isFirst ? '' : String.fromCharCode(frame[0] ?? 0) })
        if (fate === undefined || fate.after) to.write(frame)
        if (fate === undefined) continue
        broken = fate.kind
        if (broken !== 'hang') client.destroySoon()
        if (broken === 'cut') server.destroySoon()
      }
    }
    client.on('data', pass('client', server, frames(true)))
    server.on('data', pass('server', client, frames(false)))
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (broken === undefined) other.destroySoon()
      })
    }
  }
}

/** Cuts bytes into messages. The first one of a client has no type, and begins with a zero, as its length does. */
function frames(hasStart: boolean): (data: Buffer) => readonly Buffer[] {
  let rest = Buffer.alloc(0)
  let isStart = hasStart
  return (data) => {
    rest = Buffer.concat([rest, data])
    const found: Buffer[] = []
    for (;;) {
      const at = isStart ? 0 : 1
      if (rest.length < at + 4) return found
      const length = at + rest.readUInt32BE(at)
      if (rest.length < length) return found
      found.push(rest.subarray(0, length))
      rest = rest.subarray(length)
      isStart = false
    }
  }
}
