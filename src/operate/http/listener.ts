import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { HttpEndpoint } from '../service.js'
import { HttpListenError } from '../errors.js'
import { hostInUrl, type HttpAddress } from './address.js'

/** Answers a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** Time in which a request has to arrive, and its answer has to be taken, in milliseconds. */
const REQUEST_TIME = 5000
const ANSWER_TIME = 10_000

/** Most connections at a time. The one that asked least recently makes room for another. */
const MOST_CONNECTIONS = 128

/** Most answers at a time that their readers have not taken yet. */
const MOST_ANSWERS = 16

/**
 * Listens for requests. What its clients do costs little: a connection that is slow, idle or one too many is closed. It does
 * not keep the process up.
 */
export class HttpListener {
  readonly #server: Server
  readonly #failed: (error: Error) => void
  /** Open connections, the one that asked least recently first. */
  readonly #sockets = new Set<Socket>()
  /** Answers that are under way, the oldest first, and their timers. */
  readonly #answers = new Map<ServerResponse, NodeJS.Timeout>()

  /** @param failed - called with what fails as it listens, such as a shortage of file descriptors */
  constructor(answer: Answer, failed: (error: Error) => void) {
    const limits = {
      headersTimeout: REQUEST_TIME,
      requestTimeout: REQUEST_TIME,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 8192,
      keepAliveTimeout: 75_000, // longer than most scrape intervals
    }
    this.#server = createServer(limits, (request, response) => {
      if (this.#admit(request, response)) answer(request, response)
    })
    this.#server.on('connection', (socket) => {
      this.#open(socket)
    })
    this.#failed = failed
    this.#server.unref()
  }

  /** @throws {@link HttpListenError} */
  async listen({ host, port }: HttpAddress): Promise<HttpEndpoint> {
    const shown = `${host === undefined ? '' : hostInUrl(host)}:${port}`
    await new Promise<void>((resolve, reject) => {
      const onError = (cause: NodeJS.ErrnoException) => {
        reject(new HttpListenError(`http: cannot listen on ${shown}: ${reasonOf(cause)}`, { cause }))
      }
      this.#server.once('error', onError)
      this.#server.listen({ port, exclusive: true, ...(host !== undefined && { host }) }, () => {
        this.#server.off('error', onError).on('error', this.#failed)
        resolve()
      })
    })
    const bound = this.#server.address() as AddressInfo
    const inUrl = hostInUrl(host ?? 'localhost')
    return { host: host ?? bound.address, port: bound.port, url: `http://${inUrl}:${bound.port}` }
  }

  /** Listens no more, and closes all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #open(socket: Socket): void {
    socket.unref()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#sockets.size <= MOST_CONNECTIONS) return
    const [oldest] = this.#sockets
    oldest?.destroy()
  }

  /** Takes note of a request. Gives whether it is to be answered. */
  #admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false
    // to ask again before the answer is there is allowed, but no scraper does, and answers would pile up
    for (const { req } of this.#answers.keys()) {
      if (req.socket !== socket) continue
      socket.destroy()
      return false
    }
    // it is the last one to have asked
    this.#sockets.delete(socket)
    this.#sockets.add(socket)
    const timer = setTimeout(() => socket.destroy(), ANSWER_TIME)
    timer.unref()
    this.#answers.set(response, timer)
    response.once('close', () => {
      clearTimeout(timer)
      this.#answers.delete(response)
    })
    if (this.#answers.size > MOST_ANSWERS) {
      const [oldest] = this.#answers.keys()
      oldest?.req.socket.destroy()
    }
    return true
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const reasons: { readonly [code: string]: string } = {
    EADDRINUSE: 'another program listens there (EADDRINUSE): choose another port, or 0 for any that is free',
    EACCES: 'this user may not (EACCES): ports below 1024 are for privileged users, choose a higher one',
    EADDRNOTAVAIL: 'this machine does not have that address (EADDRNOTAVAIL)',
    ENOTFOUND: 'there is no host of that name (ENOTFOUND)',
    EAI_AGAIN: 'the name of the host cannot be looked up (EAI_AGAIN)',
  }
  return reasons[code ?? ''] ?? message
}
