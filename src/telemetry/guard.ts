import { toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'

/** Calls a tracing SDK so that no transfer depends on it: what the SDK throws is logged, and goes no further. */
export class SdkGuard {
  readonly #failures = new Repeats()

  /** Calls the SDK. Gives `undefined` when it throws. */
  call<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (thrown) {
      this.#failed(thrown)
      return undefined
    }
  }

  /**
   * Has the SDK call work, and calls it without the SDK when that throws before.
   *
   * @throws what the work throws
   */
  around<T>(wrap: (work: () => T) => T, work: () => T): T {
    const done: { begun: boolean; results: T[] } = { begun: false, results: [] }
    try {
      return wrap(() => {
        done.begun = true
        const result = work()
        done.results.push(result)
        return result
      })
    } catch (thrown) {
      if (done.begun && done.results.length === 0) throw thrown
      this.#failed(thrown)
      return done.begun ? (done.results[0] as T) : work()
    }
  }

  #failed(thrown: unknown): void {
    const error = toError(thrown)
    this.#failures.again(error.message, (counted) => {
      getLogger('databay.telemetry').error(
        { err: error },
        `the SDK of OpenTelemetry failed: ${error.message}${counted}`,
      )
    })
  }
}
