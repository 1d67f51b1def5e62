import TinyQueue from 'tinyqueue'
import type { Schedule } from '../interval.js'
import type { Clock } from './clock.js'
import { timetable, type Timetable } from './timetable.js'

/** Something whose time has come. */
export interface Due<T> {
  readonly item: T
  /** When it was due, in milliseconds since 1970. */
  readonly scheduledAt: number
  /** How late it is, in milliseconds. */
  readonly lateness: number
  /** How many further due times have passed meanwhile and are not made up. */
  readonly missed: number
}

export interface TriggerOptions<T> {
  readonly clock: Clock
  /** Called at each wake-up with all that is due, in the order of due times. */
  readonly onDue: (due: Due<T>[]) => void
  /**
   * Wake only at whole multiples of this many milliseconds from the start.
   * @default 0 - whenever something is due
   */
  readonly grid?: number
  /**
   * Gives numbers from 0 to below 1, for jitter.
   * @default Math.random
   */
  readonly random?: () => number
}

interface Entry<T> {
  readonly item: T
  readonly times: Timetable
  readonly jitter: number
  /** Breaks ties: what was added first comes first. */
  readonly order: number
  /** The due time, without jitter, on the clock of the timetable. */
  due: number
  /** The jitter of this time. */
  delay: number
  /** When to wake for it, on the monotonic clock: the order of the queue. */
  wakeAt: number
  removed: boolean
}

/** How far the wall clock may move against the monotonic one before its due times are worked out anew, in ms. */
const STEP = 50
/** Longest sleep, in ms, so that a wall clock that was set is noticed. */
const LONGEST_SLEEP = 60_000
/** What is due within this many milliseconds is due. */
const EARLY = 0.5

/**
 * One queue of due times, and one wake-up armed for the earliest of them.
 *
 * Nothing here is per item but its place in the queue, so it scales to many thousands. What comes late runs once:
 * the times that passed meanwhile are counted as missed, never made up in a burst.
 */
export class Trigger<T> {
  readonly #clock: Clock
  readonly #onDue: (due: Due<T>[]) => void
  readonly #grid: number
  readonly #random: () => number
  readonly #entries = new Map<T, Entry<T>>()
  /** Links often share a cron expression, and working out its next time is the dearest thing here. */
  readonly #cronTimetables = new Map<string, Timetable>()
  #queue = new TinyQueue<Entry<T>>([], inOrder)
  #running = false
  #disarm: (() => void) | undefined
  #armedFor = Infinity
  #origin = 0
  #added = 0
  /** Wall clock minus monotonic clock, as of the last look. */
  #offset = 0

  constructor(options: TriggerOptions<T>) {
    this.#clock = options.clock
    this.#onDue = options.onDue
    this.#grid = options.grid ?? 0
    this.#random = options.random ?? Math.random
  }

  get running(): boolean {
    return this.#running
  }

  /** Adds an item. Its first due time counts from now, or from the start when that is still to come. */
  add(item: T, schedule: Schedule): void {
    const entry: Entry<T> = {
      item,
      times: this.#timetable(schedule),
      jitter: schedule.jitter,
      order: this.#added++,
      due: 0,
      delay: 0,
      wakeAt: 0,
      removed: false,
    }
    this.#entries.set(item, entry)
    if (!this.#running) return
    this.#begin(entry)
    this.#queue.push(entry)
    this.#arm()
  }

  /** Removes an item; `false` when it is not there. */
  remove(item: T): boolean {
    const entry = this.#entries.get(item)
    if (entry === undefined) return false
    entry.removed = true
    this.#entries.delete(item)
    // removed entries leave the queue when they come up, or when they are the most of it
    if (this.#queue.length > 2 * this.#entries.size + 16) this.#rebuild()
    return true
  }

  /** Starts: every item's first due time counts from now. */
  start(): void {
    this.#running = true
    this.#origin = this.#clock.monotonic()
    this.#look()
    for (const entry of this.#entries.values()) this.#begin(entry)
    this.#rebuild()
    this.#arm()
  }

  /** Stops. No call of `onDue` follows. */
  stop(): void {
    this.#running = false
    this.#sleep()
  }

  /** Goes on after a stop on the old due times; what has passed meanwhile is left out. */
  resume(): void {
    if (this.#running) return
    this.#running = true
    this.#look()
    for (const entry of this.#entries.values()) {
      const now = this.#now(entry)
      // an item that was added during the stop has no due time yet
      if (entry.wakeAt === 0) this.#begin(entry)
      else if (entry.due + entry.delay <= now) this.#advance(entry, now)
    }
    this.#rekey()
    this.#arm()
  }

  #timetable(schedule: Schedule): Timetable {
    if (schedule.cron === undefined) return timetable(schedule)
    const key = `${schedule.cron} ${schedule.timeZone ?? ''}`
    let shared = this.#cronTimetables.get(key)
    if (shared === undefined) {
      shared = timetable(schedule)
      this.#cronTimetables.set(key, shared)
    }
    return shared
  }

  #wake(): void {
    this.#armedFor = Infinity
    this.#disarm = undefined
    if (!this.#running) return
    this.#look()
    const due = this.#takeDue()
    // armed before the work, so that an error in it costs no tick
    this.#arm()
    if (due.length > 0) this.#onDue(due)
  }

  #takeDue(): Due<T>[] {
    const due: Due<T>[] = []
    const until = this.#clock.monotonic() + EARLY
    for (let entry = this.#queue.peek(); entry !== undefined && entry.wakeAt <= until; entry = this.#queue.peek()) {
      this.#queue.pop()
      if (entry.removed) continue
      const now = this.#now(entry)
      const at = entry.due + entry.delay
      if (at <= now + EARLY) {
        const lateness = Math.max(0, now - at)
        const missed = this.#advance(entry, now)
        due.push({ item: entry.item, scheduledAt: this.#clock.now() - lateness, lateness, missed })
      }
      this.#place(entry)
      this.#queue.push(entry)
    }
    return due
  }

  /** Moves an entry on to its next due time after `now`; gives how many were missed. */
  #advance(entry: Entry<T>, now: number): number {
    const next = entry.times.next(entry.due, now - entry.delay)
    entry.due = next.due
    entry.delay = this.#random() * entry.jitter
    return next.missed
  }

  #begin(entry: Entry<T>): void {
    entry.due = entry.times.first(this.#now(entry))
    entry.delay = this.#random() * entry.jitter
    this.#place(entry)
  }

  #place(entry: Entry<T>): void {
    entry.wakeAt = entry.due + entry.delay - (entry.times.clock === 'wall' ? this.#offset : 0)
  }

  #now(entry: Entry<T>): number {
    return this.#clock.monotonic() + (entry.times.clock === 'wall' ? this.#offset : 0)
  }

  /** Looks at the wall clock. When it was set, the due times that follow it are worked out anew. */
  #look(): void {
    const offset = this.#clock.now() - this.#clock.monotonic()
    const stepped = Math.abs(offset - this.#offset) > STEP
    this.#offset = offset
    if (stepped) {
      for (const entry of this.#entries.values()) this.#afterStep(entry)
      this.#rekey()
    }
  }

  /** After the wall clock was set back, the next due time is the first one after now, not an hour away. */
  #afterStep(entry: Entry<T>): void {
    if (entry.times.clock !== 'wall' || entry.wakeAt === 0) return
    const first = entry.times.first(this.#now(entry))
    if (first < entry.due) entry.due = first
  }

  #rekey(): void {
    for (const entry of this.#entries.values()) this.#place(entry)
    this.#rebuild()
  }

  #rebuild(): void {
    this.#queue = new TinyQueue([...this.#entries.values()], inOrder)
  }

  #arm(): void {
    const first = this.#queue.peek()
    if (first === undefined) {
      this.#sleep()
      return
    }
    const wakeAt = Math.min(this.#onGrid(first.wakeAt), this.#clock.monotonic() + LONGEST_SLEEP)
    if (wakeAt >= this.#armedFor) return
    this.#sleep()
    this.#armedFor = wakeAt
    this.#disarm = this.#clock.arm(wakeAt - this.#clock.monotonic(), () => {
      this.#wake()
    })
  }

  #onGrid(at: number): number {
    if (this.#grid === 0) return at
    return this.#origin + Math.ceil((at - EARLY - this.#origin) / this.#grid) * this.#grid
  }

  #sleep(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedFor = Infinity
  }
}

function inOrder(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.wakeAt - b.wakeAt || a.order - b.order
}
