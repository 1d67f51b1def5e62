import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { StartFailure } from './start-retries.js'

/** Log of links that could not be started: few lines for each, however often it is tried. */
export class StartLog {
  readonly #now: (() => number) | undefined
  /** What was logged of each link that is being tried. */
  readonly #repeats = new Map<PlannedLink, Repeats>()

  /** @param now - a clock in milliseconds that never jumps */
  constructor(now?: () => number) {
    this.#now = now
  }

  /** Says that a link could not be started, and when it is tried again. */
  failed(link: PlannedLink, { attempts, error, retryAt }: StartFailure): void {
    const { name, module } = link
    const from = module === undefined ? '' : ` of ${module}`
    const delay = ((retryAt - Date.now()) / 1000).toFixed(1)
    const text = `${name}${from} could not be started, try ${attempts}: ${error.message}; it is tried again in ${delay} s`
    this.#again(link, error.message, error, text)
  }

  /** Says why a start failed that had taken too long. */
  failedLate(link: PlannedLink, error: Error): void {
    this.#again(link, `late: ${error.message}`, error, `the late start of ${link.name} failed: ${error.message}`)
  }

  /** Says what was only counted: the link has started, or is not tried any more. */
  end(link: PlannedLink): void {
    this.#repeats.get(link)?.end((times, time) => {
      getLogger('databay.BasePlanner').warn(`${link.name} could not be started: ${times} failures in ${time}`)
    })
    this.#repeats.delete(link)
  }

  #again(link: PlannedLink, kind: string, err: Error, text: string): void {
    let repeats = this.#repeats.get(link)
    if (repeats === undefined) this.#repeats.set(link, (repeats = new Repeats(this.#now)))
    repeats.again(kind, (counted) => {
      getLogger('databay.BasePlanner').error({ err }, `${text}${counted}`)
    })
  }
}
