import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '../../base/errors.js'

/** How long {@link RunningWork.end} waits for commands that nobody waits for any more, in milliseconds. */
const GRACE = 1000

/** Work that goes on with a connection, so that the connection is closed after it. */
export class RunningWork {
  readonly #running = new Set<Promise<unknown>>()
  /** Commands that were sent. They may go on when the work that sent them has been cancelled. */
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
   * Waits for a command, as {@link unlessAborted} does. When it is cancelled, {@link RunningWork.end} still waits for it
   * a while, so that what it has sent is not cut off.
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

/** Settles as the work does, or rejects with the signal's reason as soon as it aborts: then nobody knows what became of it. */
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
