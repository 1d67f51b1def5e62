import { setMaxListeners } from 'node:events'
import type { Signal } from '../base/node-types.js'

/**
 * Tells one transfer to stop. Costs nothing until somebody asks for the signal or waits on it, which most
 * transfers never do.
 */
export class Cancellation {
  #reason: Error | undefined
  #controller: AbortController | undefined
  #deadline = Infinity
  #expired: (() => Error) | undefined
  #waiting: Set<(reason: Error) => void> | undefined
  #ending = false
  #onEnding: (() => void) | undefined

  /** Whether a transfer that streams is to end with the records that it has pulled. */
  get ending(): boolean {
    return this.#ending
  }

  /** Tells a transfer that streams to end with the records that it has pulled. Others end by themselves. */
  end(): void {
    this.#ending = true
    this.#onEnding?.()
  }

  /** Reason for which the transfer was told to stop; `undefined` while it was not. */
  get reason(): Error | undefined {
    // a timer cannot tell it while the thread is held up: so the clock is looked at where it is asked
    if (this.#reason === undefined && this.#expired !== undefined && performance.now() >= this.#deadline) {
      this.cancel(this.#expired())
    }
    return this.#reason
  }

  /** Tells the transfer to stop when a time of `performance.now()` has passed; seen when it is asked for next. */
  expireAt(deadline: number, reason: () => Error): void {
    this.#deadline = deadline
    this.#expired = reason
  }

  get signal(): Signal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      // a transfer may have many nodes that listen: by itself Node takes more than ten for a leak
      setMaxListeners(0, this.#controller.signal)
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Tells the transfer to stop. The first reason counts. */
  cancel(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const reject of waiting) reject(reason)
  }

  /** Waits for `work`, but no longer than until the transfer is told to stop or to end. Never rejects. */
  async orEnding(work: Promise<unknown>): Promise<void> {
    if (this.#ending) return
    const ending = new Promise<void>((resolve) => {
      this.#onEnding = resolve
    })
    await Promise.race([work.catch(() => undefined), ending])
    this.#onEnding = undefined
  }

  /** Waits for `work`, but rejects with the reason as soon as the transfer is told to stop. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#reason !== undefined) {
        reject(this.#reason)
        return
      }
      this.#waiting ??= new Set()
      this.#waiting.add(reject)
      // what is no promise but like one may give another one that never settles
      Promise.resolve(work).then(
        (value) => {
          this.#waiting?.delete(reject)
          resolve(value)
        },
        (error: unknown) => {
          this.#waiting?.delete(reject)
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as thrown
          reject(error)
        },
      )
    })
  }
}
