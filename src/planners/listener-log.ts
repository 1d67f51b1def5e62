import { toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'

/** Log of what listeners of a planner's events throw: a listener that fails again and again does not fill it. */
export class ListenerLog {
  readonly #failures = new Map<string, Repeats>()

  /** Logs what a listener of an event has thrown. */
  failed(thrown: unknown, event: string): void {
    let repeats = this.#failures.get(event)
    if (repeats === undefined) this.#failures.set(event, (repeats = new Repeats()))
    repeats.again(event, (counted) => {
      getLogger('databay.BasePlanner').error({ err: toError(thrown) }, `a listener of '${event}' failed${counted}`)
    })
  }

  /** Takes note that the listeners of an event did not throw. */
  heard(event: string): void {
    if (this.#failures.size === 0) return
    this.#failures.get(event)?.over((failures, time) => {
      getLogger('databay.BasePlanner').warn(
        `listeners of '${event}' work again: they failed ${failures} times in ${time}`,
      )
    })
  }

  /** Has logged what was only counted. */
  end(): void {
    for (const [event, repeats] of this.#failures) {
      repeats.end((failures, time) => {
        const message = `listeners of '${event}' failed ${failures} times in ${time}, when the planner was shut down`
        getLogger('databay.BasePlanner').warn(message)
      })
    }
    this.#failures.clear()
  }
}
