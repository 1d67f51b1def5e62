import { LONGEST_TIMER } from '../base/duration.js'
import { getLogger } from '../base/log.js'
import { lengthText, Repeats } from '../base/repeats.js'
import type { PlannedLink } from '../core/planned-link.js'
import { failureText, isOfLostThread, type Blocked, type TransferReport } from '../core/report.js'
import { systemClock, type Clock } from './clock/clock.js'
import type { PlannerEvents } from '../operate/planner-events.js'

/** Longest time until the next try of a link that does not say otherwise, in milliseconds. */
const MAX_DELAY = 300_000
/** Time by which clocks of threads may seem to differ, in milliseconds. */
const TOLERANCE = 1000
/** Time after which it is looked again whether a link can be tried, in milliseconds: it may be in quarantine. */
const LATER = 1000

/** Calls of the blocked links to their planner. */
export interface BlockedHooks {
  notify<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): void
  /** Begins a transfer that tries again what the link has in hand. Gives whether it has begun. */
  retry(link: PlannedLink): boolean
  /** Called when a link is blocked by a run, and without one when it is not any more. */
  changed(link: PlannedLink, scheduledAt?: number): void
  /** Begins an ordinary transfer. */
  transfer(link: PlannedLink): void
}

interface Entry {
  /** Why the link is blocked, as of its last report. */
  blocked: Blocked
  /** Time of the first try that failed, also before the link was opened again. */
  readonly since: number
  /** Number of tries that failed before the link was opened again. */
  before: number
  /** When it is to be tried again, by the monotonic clock. */
  due: number
  /** Whether a due time was skipped meanwhile. */
  isOwed: boolean
  /** Whether it was logged that the link is blocked. */
  isTold: boolean
  /** Whether a try is under way. */
  isTrying: boolean
}

/**
 * The blocked links of a planner: keeps time for their next tries, with one wake-up for all of them, and tells when a link is
 * blocked and when it goes on. A thread computes when a link is to be tried again; here is only the timer.
 */
export class BlockedLinks {
  readonly #hooks: BlockedHooks
  readonly #clock: Clock
  readonly #entries = new Map<PlannedLink, Entry>()
  #disarm: (() => void) | undefined
  /** When the wake-up comes, by the monotonic clock. */
  #wakesAt = Infinity
  #isPaused = false
  /** Whether the planner stops: links that are blocked from now on are of no interest. */
  #isStopping = false
  /** What was logged of links that are blocked again and again. */
  #logs = new WeakMap<PlannedLink, Repeats>()

  constructor(hooks: BlockedHooks, clock: Clock = systemClock) {
    this.#hooks = hooks
    this.#clock = clock
  }

  /** The blocked links. */
  get links(): Iterable<PlannedLink> {
    return this.#entries.keys()
  }

  /** Number of blocked links. */
  get size(): number {
    return this.#entries.size
  }

  /** Why a link is blocked; `undefined` when it is not. */
  get(link: PlannedLink): Blocked | undefined {
    const entry = this.#entries.get(link)
    return entry && toldOf(entry)
  }

  /** Whether a link that is due is skipped, as it is blocked. Then it transfers as soon as it is not. */
  skips(link: PlannedLink): boolean {
    if (this.#entries.size === 0) return false
    const entry = this.#entries.get(link)
    if (entry === undefined) return false
    entry.isOwed = true
    return true
  }

  /** Takes the report of a transfer, or `undefined` for one that a link has ended without. */
  ended(link: PlannedLink, report: TransferReport | undefined): void {
    if (report?.blocked === undefined && this.#entries.size === 0) return
    const entry = this.#entries.get(link)
    if (report?.blocked !== undefined) this.#block(link, entry, report.blocked, report)
    else if (entry === undefined) return
    else if (report === undefined || isOfLostThread(report)) this.#tryLater(entry)
    else this.#unblock(link, entry, report)
  }

  /** Has a link tried at once, if it is blocked: it was opened again, and has nothing in hand. */
  soon(link: PlannedLink): void {
    const entry = this.#entries.get(link)
    if (entry === undefined) return
    entry.blocked = { ...entry.blocked, retryAt: this.#clock.now() }
    this.#plan(entry, 0)
  }

  /** Forgets a link: it makes no more transfers. */
  forget(link: PlannedLink): void {
    this.#entries.delete(link)
  }

  /** Has nothing tried until {@link BlockedLinks.resume}. */
  pause(): void {
    this.#isPaused = true
    this.#sleep()
  }

  /** Tries again what is due. */
  resume(): void {
    this.#isPaused = false
    this.#arm()
  }

  /** Tries nothing any more, until {@link BlockedLinks.reset}. */
  stop(): void {
    this.pause()
    this.#isStopping = true
  }

  /** Forgets all links, and begins without a pause. */
  reset(): void {
    this.#sleep()
    this.#entries.clear()
    this.#isPaused = false
    this.#isStopping = false
    this.#logs = new WeakMap()
  }

  #block(
    link: PlannedLink,
    known: Entry | undefined,
    blocked: Blocked,
    { outlets, scheduledAt }: TransferReport,
  ): void {
    if (known === undefined) this.#hooks.changed(link, scheduledAt)
    if (known === undefined && this.#isStopping) return
    const entry = known ?? {
      blocked,
      since: blocked.since,
      before: 0,
      due: 0,
      isOwed: false,
      isTrying: false,
      isTold: false,
    }
    if (known === undefined) this.#entries.set(link, entry)
    else if (blocked.since !== entry.blocked.since && blocked.attempts <= entry.blocked.attempts) {
      entry.before += entry.blocked.attempts
    }
    entry.blocked = blocked
    entry.isTrying = false
    const wait = blocked.retryAt - this.#clock.now()
    const longest = (link.settings.retry?.maxDelay ?? MAX_DELAY) + TOLERANCE
    // a time further away was told by a clock that has been set since; two clocks that differ for long are no reason to spin
    const isOdd = wait > longest
    this.#plan(entry, isOdd ? (known === undefined ? 0 : LATER) : wait)
    if (known !== undefined) return
    const waiting = outlets.reduce((sum, outlet) => sum + (outlet.waiting ?? 0), 0)
    const what = waiting === 0 ? '' : `; ${waiting} ${waiting === 1 ? 'record waits' : 'records wait'}`
    this.#logOf(link).again(`${blocked.node} ${blocked.stage}`, (counted) => {
      entry.isTold = true
      const why = `${failureText(blocked)}${what}${counted}`
      getLogger('databay.BasePlanner').warn(`${link.name} is blocked, and tried again until it is not: ${why}`)
    })
    this.#hooks.notify('blocked', { link: link.name, ...toldOf(entry), waiting })
  }

  #unblock(link: PlannedLink, entry: Entry, { endedAt }: TransferReport): void {
    this.#entries.delete(link)
    this.#hooks.changed(link)
    const { since, attempts } = toldOf(entry)
    const duration = Math.max(0, endedAt - since)
    const tries = attempts === 1 ? '1 try had failed' : `${attempts} tries had failed`
    if (entry.isTold) {
      const length = lengthText(duration)
      getLogger('databay.BasePlanner').info(`${link.name} is not blocked any more: it was for ${length}, and ${tries}`)
    }
    this.#hooks.notify('unblocked', { link: link.name, since, duration, attempts })
    // any other transfer has pulled already
    if (entry.isOwed && entry.isTrying && !this.#isPaused) this.#hooks.transfer(link)
  }

  /** Log of a link: one that is blocked again soon is only counted. */
  #logOf(link: PlannedLink): Repeats {
    let log = this.#logs.get(link)
    if (log === undefined) this.#logs.set(link, (log = new Repeats(() => this.#clock.monotonic())))
    return log
  }

  #tryLater(entry: Entry): void {
    entry.isTrying = false
    this.#plan(entry, Math.max(LATER, entry.blocked.retryAt - this.#clock.now()))
  }

  #plan(entry: Entry, wait: number): void {
    entry.due = this.#clock.monotonic() + Math.min(Math.max(0, wait), LONGEST_TIMER)
    if (entry.due < this.#wakesAt) this.#arm()
  }

  /** Sets the wake-up to the earliest next try. */
  #arm(): void {
    this.#sleep()
    if (this.#isPaused) return
    let earliest = Infinity
    for (const { due, isTrying } of this.#entries.values()) if (!isTrying && due < earliest) earliest = due
    if (earliest === Infinity) return
    this.#wakesAt = earliest
    this.#disarm = this.#clock.arm(Math.max(0, earliest - this.#clock.monotonic()), () => {
      this.#wake()
    })
  }

  #sleep(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#wakesAt = Infinity
  }

  #wake(): void {
    this.#sleep()
    const now = this.#clock.monotonic()
    const due = [...this.#entries].filter(([, entry]) => !entry.isTrying && entry.due <= now)
    for (const [link, entry] of due) {
      entry.isTrying = true
      if (this.#hooks.retry(link)) continue
      entry.isTrying = false
      entry.due = now + LATER
    }
    this.#arm()
  }
}

/** Why a link is blocked, with the tries from before it was opened again. */
function toldOf({ blocked, since, before }: Entry): Blocked {
  return { ...blocked, since: Math.min(since, blocked.since), attempts: before + blocked.attempts }
}
