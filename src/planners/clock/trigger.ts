import TinyQueue from 'tinyqueue'
import type { Schedule } from '../../core/schedule.js'
import type { Clock } from './clock.js'
import { SharedTimetables } from './shared-timetables.js'
import type { Timetable } from './timetable.js'

/** Due time of a transfer, and what was missed since. */
export interface DueTime {
  /** Due time, in milliseconds since 1970. */
  readonly scheduledAt: number
  /** Time since the due time, in milliseconds; with a grid, since the look at which it was to be noticed. */
  readonly lateness: number
  /** Number of further due times that have passed meanwhile and are not made up. */
  readonly missed: number
}

/** An item whose time has come. */
export interface Due<T> extends DueTime {
  readonly item: T
}

/** Options of a {@link Trigger}. */
export interface TriggerOptions<T> {
  readonly clock: Clock
  /** Called at each wake-up with the items that are due, in the order of their due times. */
  readonly onDue: (due: Due<T>[]) => void
  /**
   * Interval of the wake-ups, in milliseconds: the trigger wakes only at whole multiples of it from the start.
   * @default 0 - whenever something is due
   */
  readonly grid?: number
  /**
   * Source of numbers from 0 to below 1, for jitter.
   * @default Math.random
   */
  readonly random?: () => number
}

/** Place of an item in the queue. */
interface Entry<T> {
  readonly item: T
  readonly schedule: Schedule
  readonly times: Timetable
  readonly jitter: number
  /** Number of the entry, which breaks ties: the entry that was added first comes first. */
  readonly order: number
  /** Due time without jitter, on the clock of the timetable; `NaN` until the first one is set. */
  due: number
  /** Jitter of this due time. */
  delay: number
  /** Time of the wake-up for the item, on the monotonic clock: the order of the queue. */
  wakeAt: number
  removed: boolean
}

/** Movement of the wall clock against the monotonic one from which on its due times are worked out again, in ms. */
const STEP = 50
/** Longest sleep, in ms, so that a wall clock that was set is noticed. */
const LONGEST_SLEEP = 60_000
/** Time before its due time from which on an item counts as due, in ms. */
const EARLY = 0.5

/**
 * One queue of due times, and one wake-up armed for the earliest of them.
 *
 * An item has nothing but its place in the queue, so the queue scales to many thousands. An item that is late is due once:
 * the due times that passed meanwhile are counted as missed, never made up in a burst.
 */
export class Trigger<T> {
  readonly #clock: Clock
  readonly #onDue: (due: Due<T>[]) => void
  readonly #grid: number
  readonly #random: () => number
  readonly #entries = new Map<T, Entry<T>>()
  readonly #timetables = new SharedTimetables()
  #queue = new TinyQueue<Entry<T>>([], inOrder)
  #running = false
  #disarm: (() => void) | undefined
  #armedFor = Infinity
  #origin = 0
  #added = 0
  /** Wall clock minus monotonic clock, as of the last look. */
  #offset = 0
  /** Time of that look, on the monotonic clock. */
  #lookedLast = 0
  /** Offset by which the whole queue was put in order last. */
  #orderedBy = 0

  constructor(options: TriggerOptions<T>) {
    this.#clock = options.clock
    this.#onDue = options.onDue
    this.#grid = options.grid ?? 0
    this.#random = options.random ?? Math.random
  }

  get running(): boolean {
    return this.#running
  }

  /** Adds an item. Its first due time counts from now, or from the start if the trigger is not started yet. */
  add(item: T, schedule: Schedule): void {
    if (this.#running) this.#look()
    const entry: Entry<T> = {
      item,
      schedule,
      times: this.#timetables.take(schedule),
      jitter: schedule.jitter,
      order: this.#added++,
      due: Number.NaN,
      delay: 0,
      wakeAt: Number.NaN,
      removed: false,
    }
    this.#entries.set(item, entry)
    if (!this.#running) return
    this.#begin(entry, this.#clock.monotonic())
    this.#queue.push(entry)
    this.#arm()
  }

  /** Removes an item. Gives `false` when the item is not there. */
  remove(item: T): boolean {
    const entry = this.#entries.get(item)
    if (entry === undefined) return false
    entry.removed = true
    this.#entries.delete(item)
    this.#timetables.release(entry.schedule)
    // removed entries leave the queue when they come up, or when they are the most of it
    if (this.#queue.length > 2 * this.#entries.size + 16) this.#rebuild()
    return true
  }

  /** Next due time of an item, in milliseconds since 1970; `undefined` when it has none, as the trigger is stopped. */
  dueOf(item: T): number | undefined {
    const entry = this.#running ? this.#entries.get(item) : undefined
    return entry && this.#scheduledAt(entry)
  }

  /** Starts the trigger: every item's first due time counts from now. */
  start(): void {
    this.#running = true
    this.#origin = this.#clock.monotonic()
    this.#look()
    for (const entry of this.#entries.values()) this.#begin(entry, this.#origin)
    this.#rebuild()
    this.#arm()
  }

  /** Stops the trigger: no call of `onDue` follows. */
  stop(): void {
    this.#running = false
    this.#sleep()
  }

  /** Goes on after a stop, on the old due times. Due times that have passed meanwhile are left out. */
  resume(): void {
    if (this.#running) return
    this.#running = true
    this.#look()
    const now = this.#clock.monotonic()
    const looked = this.#lookedAt(now)
    for (const entry of this.#entries.values()) {
      // an item that was added during the stop has no due time yet
      if (Number.isNaN(entry.due)) this.#begin(entry, now)
      else if (entry.due + entry.delay <= this.#timeOf(entry, looked)) this.#advance(entry, looked)
    }
    this.#reorder()
    this.#arm()
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
    const now = this.#clock.monotonic()
    const until = this.#lookedAt(now) + EARLY
    for (let entry = this.#queue.peek(); entry !== undefined && entry.wakeAt <= until; entry = this.#queue.peek()) {
      this.#queue.pop()
      if (entry.removed) continue
      this.#place(entry) // by the wall clock of this look
      if (entry.wakeAt <= until) {
        const lateness = Math.max(0, now - this.#onGrid(entry.wakeAt))
        const scheduledAt = this.#scheduledAt(entry)
        due.push({ item: entry.item, scheduledAt, lateness, missed: this.#advance(entry, until) })
        this.#place(entry)
      }
      this.#queue.push(entry)
    }
    return due
  }

  /** Moves an entry on to its next due time after `until`, on the monotonic clock. Gives the number of missed due times. */
  #advance(entry: Entry<T>, until: number): number {
    const now = this.#timeOf(entry, until)
    const next = entry.times.next(entry.due, now - entry.delay)
    this.#set(entry, next.due)
    if (entry.due + entry.delay > now) return next.missed
    // its jitter is the shorter one, so its time has passed as well
    const later = entry.times.next(entry.due, now)
    this.#set(entry, later.due)
    return next.missed + 1 + later.missed
  }

  /** Gives an entry its first due time after `now`, on the monotonic clock. */
  #begin(entry: Entry<T>, now: number): void {
    this.#set(entry, entry.times.first(this.#timeOf(entry, now)))
    this.#place(entry)
  }

  /** Due time of an entry with its jitter, on the wall clock. */
  #scheduledAt({ due, delay, times }: Entry<T>): number {
    return due + delay + (times.clock === 'wall' ? 0 : this.#offset)
  }

  #set(entry: Entry<T>, due: number): void {
    entry.due = due
    entry.delay = entry.jitter === 0 ? 0 : this.#random() * entry.jitter
  }

  #place(entry: Entry<T>): void {
    entry.wakeAt = entry.due + entry.delay - (entry.times.clock === 'wall' ? this.#offset : 0)
  }

  /** A time of the monotonic clock, on the clock of the entry's timetable. */
  #timeOf(entry: Entry<T>, monotonic: number): number {
    return monotonic + (entry.times.clock === 'wall' ? this.#offset : 0)
  }

  /** Looks at the wall clock. If it was set, the due times that follow it are worked out again. */
  #look(): void {
    const now = this.#clock.monotonic()
    const offset = this.#clock.now() - now
    const setBack = offset < this.#offset - STEP
    this.#offset = offset
    if (setBack) for (const entry of this.#entries.values()) this.#afterSetBack(entry)
    this.#lookedLast = now
    // a clock that is slewed moves by little at each look, and by much in a day
    if (setBack || Math.abs(offset - this.#orderedBy) > STEP) this.#reorder()
  }

  /**
   * Sets the due time of an entry after the wall clock was set back: it is not an hour away but the first one by the new
   * time. That counts from the last look, as the clock may have been set just after it: what was due since then is not lost.
   */
  #afterSetBack(entry: Entry<T>): void {
    if (entry.times.clock !== 'wall' || Number.isNaN(entry.due)) return
    entry.due = Math.min(entry.due, entry.times.first(this.#timeOf(entry, this.#lookedLast)))
  }

  #reorder(): void {
    this.#orderedBy = this.#offset
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

  /** Time at which an item that is due `at` is noticed. */
  #onGrid(at: number): number {
    if (this.#grid === 0) return at
    return this.#origin + Math.ceil((at - EARLY - this.#origin) / this.#grid) * this.#grid
  }

  /** Time of the last look for items that are due, as of `now`. */
  #lookedAt(now: number): number {
    if (this.#grid === 0) return now
    return this.#origin + Math.floor((now + EARLY - this.#origin) / this.#grid) * this.#grid
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
