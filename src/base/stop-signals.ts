import { constants } from 'node:os'
import process from 'node:process'

/** Signals that ask a process to stop in order: Ctrl-C, a supervisor, a terminal that is closed. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Signal that asks a process to stop. */
export type StopSignal = (typeof STOP_SIGNALS)[number]

/** Time within which a further signal is the same wish to stop, in milliseconds. */
const SAME_WISH = 1000

/** Calls back when a further signal asks again. */
export function afterSameWish(call: () => void): void {
  // signals that came while the event loop was held up, by the shutdown itself, are taken in before the immediate
  setTimeout(() => setImmediate(call), SAME_WISH).unref()
}

/**
 * Wish that the process stops. Mostly it comes as several signals in a moment: a terminal signals the command and the npm
 * that started it, which passes the signal on, and a supervisor signals a group. Only a signal after that asks again.
 */
export class StopWish {
  readonly #later: typeof afterSameWish
  #heard: 'nothing' | 'wish' | 'more' = 'nothing'

  /** @param later - calls back when a further signal asks again, by default after a second */
  constructor(later = afterSameWish) {
    this.#later = later
  }

  /** Tells what a signal says that has just come: that the process is to stop, the same once more, or to stop at once. */
  hear(): 'stop' | 'same' | 'at once' {
    if (this.#heard === 'nothing') {
      this.#heard = 'wish'
      this.#later(() => {
        this.#heard = 'more'
      })
      return 'stop'
    }
    return this.#heard === 'wish' ? 'same' : 'at once'
  }

  /** Whether a further signal is still the same wish. */
  get isFresh(): boolean {
    return this.#heard === 'wish'
  }
}

/** Exit code of a process that a signal has ended, as shells have it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/**
 * Sends this process a signal. Without a listener it ends the process, also where it is process 1, as in a container: there
 * the kernel drops signals that nobody listens to, so that process exits with the code of the signal.
 */
export function signalThisProcess(signal: NodeJS.Signals): void {
  if (process.pid === 1 && process.listenerCount(signal) === 0) process.exit(exitCodeOf(signal))
  process.kill(process.pid, signal)
}
