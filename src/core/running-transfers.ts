import { LONGEST_TIMER } from '../base/duration.js'
import { TransferTimeoutError } from '../base/errors.js'
import type { MaybePromise } from '../base/maybe-promise.js'
import type { Cancellation } from './cancellation.js'
import type { Update } from './update.js'

/** The transfers of a link that run now: each can be told to stop, and is when its time is over. */
export class RunningTransfers {
  readonly #running: Cancellation[] = []

  /**
   * Makes a transfer.
   *
   * @param timeout - how long it may take, in milliseconds; `undefined` for as long as it takes
   * @param work - makes the transfer
   * @throws what `work` throws
   */
  run<T>(
    update: Update,
    cancellation: Cancellation,
    timeout: number | undefined,
    work: () => MaybePromise<T>,
  ): MaybePromise<T> {
    let timer: NodeJS.Timeout | undefined
    if (timeout !== undefined) {
      const late = () => new TransferTimeoutError(`${String(update)} did not end within ${timeout} ms`)
      cancellation.expireAt(performance.now() + timeout, late)
      timer = setTimeout(() => cancellation.cancel(late()), Math.min(timeout, LONGEST_TIMER))
    }
    this.#running.push(cancellation)
    const end = () => {
      // the last one takes its place: the order does not count
      const last = this.#running.pop()
      if (last !== cancellation && last !== undefined) this.#running[this.#running.indexOf(cancellation)] = last
      if (timer !== undefined) clearTimeout(timer)
    }
    let result: MaybePromise<T>
    try {
      result = work()
    } catch (thrown) {
      end()
      throw thrown
    }
    if (result instanceof Promise) return result.finally(end)
    end()
    return result
  }

  /** Tells all transfers that run to stop. */
  cancel(reason: Error): void {
    for (const cancellation of this.#running) cancellation.cancel(reason)
  }

  /** Tells transfers that stream to end with what they have pulled. */
  endStreams(): void {
    for (const cancellation of this.#running) cancellation.end()
  }
}
