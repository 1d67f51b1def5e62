import type { Clock } from '../../src/planners/clock/clock.js'
import { turnOfTheLoop } from './nodes.js'

interface Alarm {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until it is moved. Its wall clock can be set apart from its monotonic one. */
export class FakeClock implements Clock {
  /** Delay of each alarm beyond its time, in milliseconds. */
  lag = 0
  readonly #alarms = new Set<Alarm>()
  #monotonic = 5000
  #wall: number

  constructor(wall: number = Date.UTC(2026, 0, 1)) {
    this.#wall = wall
  }

  now(): number {
    return Math.floor(this.#wall) // as Date.now() does
  }

  monotonic(): number {
    return this.#monotonic
  }

  arm(delay: number, wake: () => void): () => void {
    const alarm = { at: this.#monotonic + Math.max(0, delay) + this.lag, wake }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /** Number of alarms that are set. */
  get armed(): number {
    return this.#alarms.size
  }

  /** Lets time pass; each alarm comes at its time. */
  advance(milliseconds: number): void {
    const end = this.#monotonic + milliseconds
    while (this.#wakeNext(end));
    this.#move(end)
  }

  /** Lets time pass as {@link FakeClock.advance} does, and waits after each alarm for the work that it sets off. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds
    await turnOfTheLoop()
    while (this.#wakeNext(end)) await turnOfTheLoop()
    this.#move(end)
  }

  /** Lets time pass without alarms, as when the event loop is held up; alarms that are due then come late. */
  stall(milliseconds: number): void {
    this.#move(this.#monotonic + milliseconds)
    this.advance(0)
  }

  /** Sets the wall clock forward, or back. */
  step(milliseconds: number): void {
    this.#wall += milliseconds
  }

  #wakeNext(end: number): boolean {
    let next: Alarm | undefined
    for (const alarm of this.#alarms) if (alarm.at < (next?.at ?? Infinity)) next = alarm
    if (next === undefined || next.at > end) return false
    this.#alarms.delete(next)
    this.#move(next.at)
    next.wake()
    return true
  }

  #move(to: number): void {
    const by = Math.max(0, to - this.#monotonic)
    this.#monotonic += by
    this.#wall += by
  }
}
