import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '../base/errors.js'

/** Time for which {@link RunningWork.end} waits for cancelled commands, in milliseconds. */
const GRACE = 1000

/** Work that uses a connection, which is closed after it. */
export class RunningWork {
  readonly #running = new Set<Promise<unknown>>()
  /** Commands that were sent. They may go on after their work was cancelled. */
  readonly #commands = new Set<Promise<unknown>>()

  /** Does work that {@link RunningWork.end} waits for. */
  async run<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }

  /**
   * Waits for a command, as {@link unlessAborted} does. After a cancellation, {@link RunningWork.end} still waits for
   * the command a while, so that its request is not cut off.
   */
  async command<T>(signal: AbortSignal, command: Promise<T>): Promise<T> {
    this.#commands.add(command)
    const forget = () => this.#commands.delete(command)
    command.then(forget, forget)
    return unlessAborted(signal, command)
  }

  /** Waits until all work has ended, and a second at most for commands that were cancelled. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#running)
    if (this.#commands.size === 0) return
    const enough = new AbortController()
    const ended = Promise.allSettled(this.#commands)
    await Promise.race([ended, delay(GRACE, undefined, { signal: enough.signal }).catch(() => undefined)])
    enough.abort()
  }
}

/**
 * Settles as the work does, or rejects with the reason of the signal as soon as it aborts. The outcome of the work is
 * then unknown.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop: (() => void) | undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(toError(signal.reason))
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}
