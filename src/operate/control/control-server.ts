import { createServer, type Server, type Socket } from 'node:net'
import { DatabayError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { scrub } from '../../base/scrub.js'
import { ControlError } from './errors.js'
import { MOST_BYTES, protocolLine, readRequest, type CheckedRequest, type ControlAnswer } from './protocol.js'

/** Most connections at once: further ones are ended at once. */
const MOST_CONNECTIONS = 64

/** Most bytes that wait for clients to read them. A request that comes then is refused. */
const MOST_PENDING = 32 * 1024 * 1024

/** Most bytes behind a request that are read and dropped. */
const MOST_DROPPED = 1024 * 1024

/** Limits of time of a connection, in milliseconds. */
const LIMITS = {
  /** For its request to arrive. */
  request: 5000,
  /** For a client to read on, before it counts as gone. */
  stalled: 10_000,
  /** For the last answers to be read, when the server closes. */
  closing: 500,
}

/** Does what a request asks for. What it throws is answered. */
export type Respond = (request: CheckedRequest, answer: (answer: ControlAnswer) => void) => Promise<void>

/**
 * Server of the control protocol: takes one request from each connection, and has it answered. Whatever clients send, or do
 * not send, or do not read, its connections, their memory and their time are limited.
 */
export class ControlServer {
  /** The server, to listen somewhere. */
  readonly server: Server
  readonly #respond: Respond
  readonly #limits: typeof LIMITS
  readonly #sockets = new Set<Socket>()

  constructor(respond: Respond, limits: Partial<typeof LIMITS> = {}) {
    this.#respond = respond
    this.#limits = { ...LIMITS, ...limits }
    this.server = createServer((socket) => {
      this.#serve(socket)
    })
    this.server.maxConnections = MOST_CONNECTIONS
    this.server.on('error', (error) => {
      getLogger('databay.Control').debug(`the control socket: ${error.message}`)
    })
    // the planner keeps the process up, not its socket
    this.server.unref()
  }

  /** Ends the server at once. Clients have a moment to read what was answered. */
  close(): void {
    this.server.close()
    for (const socket of this.#sockets) {
      if (socket.writableLength === 0) socket.destroySoon()
      else endSoon(socket, this.#limits.closing)
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.unref()
    socket.on('error', () => undefined) // the client has gone away
    const late = setTimeout(() => socket.destroy(), this.#limits.request).unref()
    socket.on('close', () => {
      clearTimeout(late)
      this.#sockets.delete(socket)
    })
    const parts: Buffer[] = []
    let bytes = 0
    const onData = (part: Buffer) => {
      const end = part.indexOf(10)
      bytes += end === -1 ? part.length : end
      if (end === -1 && bytes <= MOST_BYTES) {
        parts.push(part)
        return
      }
      clearTimeout(late)
      socket.off('data', onData)
      // what comes after a request is read, so that the end of the connection is seen, and dropped
      let dropped = 0
      socket.on('data', (more: Buffer) => {
        dropped += more.length
        if (dropped > MOST_DROPPED) socket.destroy()
      })
      parts.push(part.subarray(0, end === -1 ? 0 : end))
      const line = bytes > MOST_BYTES ? undefined : Buffer.concat(parts).toString()
      parts.length = 0
      void this.#answer(socket, line)
    }
    socket.on('data', onData)
  }

  async #answer(socket: Socket, line: string | undefined): Promise<void> {
    socket.setTimeout(this.#limits.stalled, () => {
      if (socket.writableLength > 0) socket.destroy()
    })
    const answer = (one: ControlAnswer) => {
      if (socket.writable) socket.write(protocolLine(one))
    }
    try {
      if (line === undefined) throw new ControlError(`a request may have ${MOST_BYTES} bytes`)
      if (this.#pending > MOST_PENDING) throw new ControlError('too many clients do not read their answers')
      await this.#respond(readRequest(line), answer)
    } catch (thrown) {
      answer(errorAnswer(thrown))
    }
    endSoon(socket, this.#limits.stalled)
  }

  get #pending(): number {
    let pending = 0
    for (const socket of this.#sockets) pending += socket.writableLength
    return pending
  }
}

/** Ends a connection; a client that does not end it by then, either, has it ended. */
function endSoon(socket: Socket, time: number): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), time).unref()
  socket.once('close', () => {
    clearTimeout(timer)
  })
}

function errorAnswer(thrown: unknown): ControlAnswer {
  const error = toError(thrown)
  if (!(error instanceof DatabayError)) {
    getLogger('databay.Control').error({ err: error }, `a request could not be answered: ${error.message}`)
    return { type: 'error', code: ControlError.code, message: scrub(`the process could not do it: ${error.message}`) }
  }
  return { type: 'error', code: error.code, message: scrub(error.message) }
}
