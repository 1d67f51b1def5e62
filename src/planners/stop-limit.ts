import { ShutdownTimeoutError } from '../base/errors.js'
import { LONGEST_TIMER } from '../base/duration.js'
import { getLogger } from '../base/log.js'

/** Most time that a shutdown keeps for what comes after the transfers, in milliseconds: it is a quarter of all its time. */
const RESERVE = 5000

/** Time that a shutdown may take. */
export class StopLimit {
  /** Names of work that was not waited for to its end. */
  readonly #abandoned: string[] = []
  readonly #over: Promise<void>
  readonly #timers: NodeJS.Timeout[] = []
  #isOver = false

  /**
   * @param limit - in milliseconds; `Infinity` for none
   * @param onLow - called when so little is left that transfers should be told to stop
   */
  constructor(limit: number, onLow: () => void = () => undefined) {
    this.#over = new Promise((resolve) => {
      if (limit === Infinity) return
      const reserve = Math.min(RESERVE, limit / 4)
      const end = () => {
        this.#isOver = true
        resolve()
      }
      this.#timers.push(setTimeout(onLow, Math.min(limit - reserve, LONGEST_TIMER)))
      this.#timers.push(setTimeout(end, Math.min(limit, LONGEST_TIMER)))
    })
  }

  /** Whether the time is over: nothing is waited for any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Waits for work until the time is over.
   *
   * @param what - name of the work, should it be abandoned
   * @returns the result of the work; `undefined` when it was abandoned
   */
  async wait<T>(what: () => string, work: () => T | Promise<T>): Promise<T | undefined> {
    const done = Promise.resolve(work()).then((result) => ({ result }))
    done.catch(() => undefined) // it may fail after it was abandoned
    const first = await Promise.race([done, this.#over])
    if (first !== undefined) return first.result
    this.#abandoned.push(what())
    return undefined
  }

  /**
   * The work that was abandoned, as an error, which is logged; none when all work has ended.
   *
   * @param whose - name of what was shut down
   */
  abandonment(whose: string): Error[] {
    if (this.#abandoned.length === 0) return []
    const error = new ShutdownTimeoutError(
      `${whose}: the time for the shutdown was over before ${this.#abandoned.join(', ')} had ended`,
    )
    getLogger('databay.BasePlanner').error(error.message)
    return [error]
  }

  /** Ends the limit: the shutdown is over. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }
}
