import type { Dispatcher } from 'undici'
import type { Connection, SendOptions } from '../agents.js'
import type { ResponseHeaders } from '../response-headers.js'
import type { Slot } from './slot.js'

/** Reason for which a body is cut off. */
const ENOUGH = new Error('the rest of the body is not read')

/** Response of which only the head is wanted. */
export interface ResponseHead {
  readonly statusCode: number
  readonly headers: ResponseHeaders
  /** Never there: it was dropped. */
  readonly body?: undefined
}

/** Time for which the rest of a response is read, to use the connection again, in milliseconds. */
const REST_TIME = 1000

/**
 * Sends a request, and resolves with the head of its response when its body is over, which is dropped. A body that is larger than the
 * limit, hangs or breaks off is cut off: the head is there.
 *
 * @param limit - most bytes of the body that are read
 * @param slot - its signal aborts the request
 */
export function headOf(
  connection: Connection,
  url: URL,
  options: SendOptions,
  limit: number,
  slot: Slot,
): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    slot.signal.throwIfAborted()
    const handler = new HeadHandler(limit, slot, resolve, reject)
    connection.dispatch(url, options, handler)
  })
}

/** Takes what undici reads. It makes no stream of a body that nobody reads, which takes longer than the request. */
class HeadHandler implements Dispatcher.DispatchHandler {
  readonly #limit: number
  readonly #slot: Slot
  readonly #resolve: (head: ResponseHead) => void
  readonly #reject: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #head: ResponseHead | undefined
  #size = 0
  #timer: NodeJS.Timeout | undefined
  #reason: Error | undefined
  #isSettled = false

  constructor(limit: number, slot: Slot, resolve: (head: ResponseHead) => void, reject: (error: Error) => void) {
    this.#limit = limit
    this.#slot = slot
    this.#resolve = resolve
    this.#reject = reject
    slot.onAbort = (reason) => {
      this.#abort(reason)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // told to stop while it waited for a connection: it is not sent
    if (this.#reason !== undefined) controller.abort(this.#reason)
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: ResponseHeaders): void {
    // more than a hint, such as 103
    if (statusCode < 200) return
    this.#head = { statusCode, headers }
    this.#timer = setTimeout(() => {
      this.#cut()
    }, REST_TIME)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#size > this.#limit) this.#cut()
  }

  onResponseEnd(): void {
    this.#settle()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#settle(error)
  }

  #abort(reason: Error): void {
    this.#reason = reason
    this.#settle(reason)
    this.#controller?.abort(reason)
  }

  /** Gives up the rest of the body, and its connection. */
  #cut(): void {
    this.#abort(ENOUGH)
  }

  /** @param error - why it failed if there is no head */
  #settle(error?: Error): void {
    // what comes after it was cut off is not of the slot's next request
    if (this.#isSettled) return
    this.#isSettled = true
    clearTimeout(this.#timer)
    this.#slot.onAbort = undefined
    if (this.#head === undefined) this.#reject(error ?? new Error('the response has no head'))
    else this.#resolve(this.#head)
  }
}
