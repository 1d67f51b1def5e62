import { LONGEST_TIMER } from '../base/duration.js'
import { StartTimeoutError, toError } from '../base/errors.js'
import type { PlannedLink } from '../core/planned-link.js'
import { begin, giveUp } from './late-starts.js'

/** Delays before a link is tried again, in milliseconds: each is twice as long as the one before, up to the longest. */
const FIRST = 1000
const LONGEST = 60_000

/** Why a link is not open, and when it is tried again. */
export interface StartFailure {
  /** Number of tries that have failed in a row. */
  readonly attempts: number
  readonly error: Error
  /** When it is tried again, in milliseconds since 1970. In the past while that is under way. */
  readonly retryAt: number
}

/** Calls of the retries to their planner. */
export interface RetryHooks {
  /** Called when a try has failed, with `undefined` when the link is not tried any more. */
  failed(link: PlannedLink, failure: StartFailure | undefined): void
  /** Called when a start has failed that had taken too long: this is why the link is not open. */
  failedLate(link: PlannedLink, failure: StartFailure): void
  /** Called when a link has started after all. */
  recovered(link: PlannedLink, attempts: number, isFirst: boolean): void
}

interface Entry {
  readonly link: PlannedLink
  /** Whether the link makes its first transfer once it has started. */
  readonly isFirst: boolean
  attempts: number
  /** When it is tried again, in milliseconds since 1970. */
  retryAt: number
  /** The timer of the next try, or of the limit of this one. */
  timer: NodeJS.Timeout | undefined
  /** The start that is under way: it may take longer than its limit, and there is only one at a time. */
  starting: Promise<void> | undefined
  /** Whether a try is under way that has time left. */
  isTrying: boolean
}

/**
 * Tries links again that could not be started: after a second, then two, four and so on up to a minute, each shortened by
 * chance by up to a half, so that many links do not come back at once.
 */
export class StartRetries {
  readonly #startTimeout: number
  readonly #hooks: RetryHooks
  readonly #random: () => number
  readonly #entries = new Map<PlannedLink, Entry>()

  /** @param startTimeout - time that a try may take, in milliseconds */
  constructor(startTimeout: number, hooks: RetryHooks, random: () => number = Math.random) {
    this.#startTimeout = startTimeout
    this.#hooks = hooks
    this.#random = random
  }

  /** Names of the links that are tried again. */
  get names(): string[] {
    return [...this.#entries.keys()].map(({ name }) => name)
  }

  /** Whether a link is tried again. */
  has(link: PlannedLink): boolean {
    return this.#entries.has(link)
  }

  /**
   * Takes note that a link could not be started, and tries it again later.
   *
   * @param isFirst - whether it makes its first transfer once it has started
   * @param starting - its start, where that took too long and goes on
   */
  failed(link: PlannedLink, error: Error, isFirst: boolean, starting?: Promise<void>): void {
    let entry = this.#entries.get(link)
    if (entry?.isTrying === true) return // its own end tells
    if (entry === undefined) {
      entry = { link, isFirst, attempts: 0, retryAt: 0, timer: undefined, starting: undefined, isTrying: false }
      this.#entries.set(link, entry)
    }
    if (starting !== undefined) this.#follow(entry, starting)
    this.#fail(entry, error)
  }

  /** Takes note that a link is open, whoever opened it. */
  opened(link: PlannedLink): void {
    const entry = this.#entries.get(link)
    if (entry !== undefined) this.#recover(entry)
  }

  /** Tries a link again at once, as something has changed; does nothing when it is not waiting for that. */
  soon(link: PlannedLink): void {
    const entry = this.#entries.get(link)
    if (entry !== undefined && !entry.isTrying) this.#try(entry)
  }

  /** Tries links no more. A start that is under way is shut down when it ends. */
  cancel(links: Iterable<PlannedLink>): void {
    for (const link of links) {
      const entry = this.#entries.get(link)
      if (entry === undefined) continue
      this.#delete(entry)
      this.#hooks.failed(link, undefined)
      if (entry.starting !== undefined) giveUp(link, entry.starting)
    }
  }

  #try(entry: Entry): void {
    const { link } = entry
    clearTimeout(entry.timer)
    const { quarantinedUntil } = link
    if (quarantinedUntil !== undefined) {
      this.#tryIn(entry, quarantinedUntil - Date.now())
      return
    }
    entry.isTrying = true
    if (entry.starting === undefined) this.#follow(entry, begin(link))
    if (this.#startTimeout === Infinity) return
    entry.timer = setTimeout(
      () => {
        this.#fail(entry, new StartTimeoutError(`${link.name} did not start within ${this.#startTimeout} ms`))
      },
      Math.min(this.#startTimeout, LONGEST_TIMER),
    ).unref()
  }

  /** Follows a start to its end, also beyond its limit. */
  #follow(entry: Entry, starting: Promise<void>): void {
    const { link } = entry
    const isWanted = () => this.#entries.get(link) === entry
    entry.starting = starting
    starting.then(
      () => {
        entry.starting = undefined
        if (isWanted()) this.#recover(entry)
      },
      (thrown: unknown) => {
        entry.starting = undefined
        if (!isWanted()) return
        const error = toError(thrown)
        if (entry.isTrying) this.#fail(entry, error)
        else this.#hooks.failedLate(link, { attempts: entry.attempts, error, retryAt: entry.retryAt })
      },
    )
  }

  #fail(entry: Entry, error: Error): void {
    entry.isTrying = false
    entry.attempts++
    const longest = Math.min(LONGEST, FIRST * 2 ** (entry.attempts - 1))
    const delay = Math.round(longest * (1 - this.#random() / 2))
    this.#tryIn(entry, delay)
    entry.retryAt = Date.now() + delay
    this.#hooks.failed(entry.link, { attempts: entry.attempts, error, retryAt: entry.retryAt })
  }

  #tryIn(entry: Entry, delay: number): void {
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => this.#try(entry), delay).unref()
  }

  #recover(entry: Entry): void {
    const { link, attempts, isFirst } = entry
    this.#delete(entry)
    this.#hooks.failed(link, undefined)
    this.#hooks.recovered(link, attempts, isFirst)
  }

  #delete(entry: Entry): void {
    clearTimeout(entry.timer)
    this.#entries.delete(entry.link)
  }
}
