import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import type { PoolClient } from 'pg'
import { toError } from '../../base/errors.js'
import { isServerError } from './errors.js'

/** Time that a cancelled statement has to end, in milliseconds. */
const GRACE = 1000

/** What a {@link Lease} needs of the connection that gives it. */
export interface Lessor {
  /** Asks the server to cancel what the client does. Never rejects. */
  readonly cancel: () => Promise<void>
  readonly ended: () => void
}

/** A socket, as far as it has a timer: its class depends on whether it is encrypted. */
interface Timed {
  readonly bytesRead: number
  setTimeout(milliseconds: number): unknown
}

/**
 * Use of a client of the pool. When its signal aborts, or the server says nothing for too long while a statement runs, the
 * statement is cancelled on the server and the client is closed: what runs fails.
 */
export class Lease {
  readonly client: PoolClient
  readonly #signal: AbortSignal
  readonly #lessor: Lessor
  readonly #socket: Duplex & Timed
  readonly #onAbort: () => void
  readonly #onTimeout: () => void
  readonly #onError: (error: Error) => void
  #failure: Error | undefined
  /** Reason for which the server has closed the connection while no statement ran. */
  #ended: Error | undefined
  #isOver = false

  /** @param timeout - longest silence of the server, in milliseconds */
  constructor(client: PoolClient, signal: AbortSignal, timeout: number, lessor: Lessor) {
    this.client = client
    this.#signal = signal
    this.#lessor = lessor
    this.#socket = client.connection.stream as Duplex & Timed
    this.#onAbort = () => void this.stop(toError(this.#signal.reason))
    this.#onTimeout = () => {
      // while nothing runs, the server has nothing to say
      if (this.isIdle) return
      void this.stop(new Error(`no reply of the server for ${timeout / 1000} s, the socketTimeout`))
    }
    this.#onError = (error) => {
      if (isServerError(error)) this.#ended ??= error
    }
    client.on('error', this.#onError)
    this.#socket.setTimeout(timeout)
    this.#socket.on('timeout', this.#onTimeout)
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Reason for which the client or the server has closed the connection while it was in use; `undefined` when neither has. */
  get failure(): Error | undefined {
    return this.#failure ?? this.#ended
  }

  /**
   * Gives the client back to the pool, or closes it: when that is asked for, its connection is broken, a statement runs, or a
   * transaction is open. Does nothing the second time.
   */
  end(close: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#socket.off('timeout', this.#onTimeout)
    this.client.off('error', this.#onError)
    this.#socket.setTimeout(0)
    this.client.release(close || this.failure !== undefined || !(this.isIdle && this.#isOutside))
    this.#lessor.ended()
  }

  /**
   * Closes the client, and cancels what it does on the server.
   *
   * @param why - error with which statements that run fail
   */
  async stop(why: Error): Promise<void> {
    if (this.#failure !== undefined) return
    this.#failure = why
    if (!this.isIdle) {
      await this.#lessor.cancel()
      await this.#untilIdle()
    }
    this.#socket.destroy(why)
  }

  /** Whether the client was given back. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Number of bytes that the server has sent. */
  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /** Whether no statement runs. */
  get isIdle(): boolean {
    return (this.client as { readonly readyForQuery?: boolean }).readyForQuery === true
  }

  /** Whether no transaction is open. A driver that cannot say so has its connections closed. */
  get #isOutside(): boolean {
    return (this.client as Partial<Pick<PoolClient, 'getTransactionStatus'>>).getTransactionStatus?.() === 'I'
  }

  /** Waits until the cancelled statement has ended, but not for long. */
  async #untilIdle(): Promise<void> {
    const end = Date.now() + GRACE
    while (!this.isIdle && !this.#socket.destroyed && !this.#isOver && Date.now() < end) await delay(5)
  }
}
