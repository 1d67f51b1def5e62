import fc from '../../helpers/fast-check.js'
import t from 'tap'
import type { Schedule } from '../../../src/core/schedule.js'
import { Trigger } from '../../../src/planners/clock/trigger.js'
import { FakeClock } from '../../helpers/fake-clock.js'

/*
 * Random histories of a trigger. If due times are on the clock that never jumps, a naive model that looks at every tick
 * says exactly what runs and when. If they follow the wall clock or are delayed at random, the checks are of what must hold
 * for any run.
 */

/** Length of a tick, in milliseconds: all times of the model are whole ticks. */
const TICK = 10

type Kind = 'interval' | 'jittered' | 'aligned'

type Step =
  | { readonly do: 'add'; readonly item: string; readonly kind: Kind; readonly every: number }
  | { readonly do: 'remove'; readonly item: string }
  | { readonly do: 'advance' | 'stall' | 'set clock'; readonly by: number }
  | { readonly do: 'pause' | 'resume' }

interface Run {
  readonly item: string
  readonly at: number
  readonly missed: number
}

const items = fc.constantFrom('a', 'b', 'c', 'd')
const ticks = (most: number) => fc.integer({ min: 0, max: most / TICK }).map((count) => count * TICK)
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('add'),
    item: items,
    kind: fc.constantFrom<Kind>('interval', 'jittered', 'aligned'),
    every: ticks(3000).filter((every) => every > 0),
  }),
  fc.record({ do: fc.constant('remove'), item: items }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance'), by: ticks(5000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stall'), by: ticks(20_000) }) },
  fc.record({
    do: fc.constant('set clock'),
    by: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -4_000_000, max: 4_000_000 })),
  }),
  fc.record({ do: fc.constantFrom('pause', 'resume') }),
)

/** Model of a trigger with plain intervals, written in the simplest way. */
class Model {
  readonly runs: Run[] = []
  #now = 0
  #paused = false
  readonly #dues = new Map<string, { readonly every: number; due: number | undefined }>()

  add(item: string, every: number) {
    this.#dues.set(item, { every, due: this.#paused ? undefined : this.#now + every })
  }

  remove(item: string) {
    this.#dues.delete(item)
  }

  advance(by: number) {
    for (const end = this.#now + by; this.#now < end;) {
      this.#now += TICK
      this.#look()
    }
  }

  stall(by: number) {
    this.#now += by
    this.#look()
  }

  pause() {
    this.#paused = true
  }

  resume() {
    if (!this.#paused) return
    this.#paused = false
    for (const entry of this.#dues.values()) {
      entry.due ??= this.#now + entry.every
      while (entry.due <= this.#now) entry.due += entry.every
    }
  }

  #look() {
    if (this.#paused) return
    const ready = [...this.#dues].filter(([, { due = Infinity }]) => due <= this.#now)
    ready.sort(([, a], [, b]) => a.due! - b.due!)
    for (const [item, entry] of ready) {
      let missed = -1
      for (; entry.due! <= this.#now; entry.due! += entry.every) missed++
      this.runs.push({ item, at: this.#now, missed })
    }
  }
}

function scheduleOf(kind: Kind, every: number): Schedule {
  const jitter = kind === 'jittered' ? every / 2 : 0
  return { every, cron: undefined, timeZone: undefined, jitter, alignToClock: kind === 'aligned' }
}

/** Plays a history on a trigger and on the model at once. */
class Play {
  readonly runs: Run[] = []
  readonly model = new Model()
  readonly clock = new FakeClock()
  readonly #origin = this.clock.monotonic()
  readonly #kinds = new Map<string, { readonly kind: Kind; readonly every: number }>()
  /** Next due times of items that follow the wall clock, if nothing but time passes. */
  readonly #expected = new Map<string, number>()
  readonly #lastAt = new Map<string, number>()
  readonly #trigger = new Trigger<string>({
    clock: this.clock,
    onDue: (due) => {
      for (const { item, scheduledAt, lateness, missed } of due) {
        const { kind, every } = this.#kinds.get(item)!
        const at = this.clock.monotonic() - this.#origin
        // an item counts as due half a millisecond before its due time
        if (kind === 'interval') this.runs.push({ item, at: Math.round(at), missed })
        const what = `${kind} ${item} every ${every}, at ${at}, scheduled at ${scheduledAt}, ${lateness} late`
        check(this.clock.now() - scheduledAt > -1.5 && lateness >= 0, `not early: ${what}`)
        check(this.#lastAt.get(item) !== at, `one run at a time: ${what}`)
        this.#lastAt.set(item, at)
        if (kind === 'aligned') {
          check(scheduledAt % every === 0, `on the clock: ${what}`)
          const expected = this.#expected.get(item)
          check(expected === undefined || expected === scheduledAt, `none lost, none twice (${expected}): ${what}`)
          this.#expected.set(item, scheduledAt + (missed + 1) * every)
        }
      }
    },
  })

  constructor() {
    this.#trigger.start()
  }

  step(step: Step) {
    switch (step.do) {
      case 'add':
        this.#remove(step.item)
        this.#kinds.set(step.item, step)
        this.#trigger.add(step.item, scheduleOf(step.kind, step.every))
        if (step.kind === 'interval') this.model.add(step.item, step.every)
        break
      case 'remove':
        this.#remove(step.item)
        break
      case 'advance':
        this.clock.advance(step.by)
        this.model.advance(step.by)
        break
      case 'stall':
        this.clock.stall(step.by)
        this.model.stall(step.by)
        break
      case 'set clock':
        this.clock.step(step.by)
        this.#lastAt.clear() // what comes due by the step may run at once
        if (step.by < 0) this.#expected.clear()
        break
      case 'pause':
        this.#trigger.stop()
        this.model.pause()
        this.#expected.clear()
        break
      case 'resume':
        this.#trigger.resume()
        this.model.resume()
    }
  }

  /** Lets time pass long after the last step, so that nothing waits any more. */
  end() {
    this.step({ do: 'resume' })
    this.step({ do: 'advance', by: 70_000 })
    const now = this.clock.monotonic() - this.#origin
    for (const [item, { kind, every }] of this.#kinds) {
      const since = now - (this.#lastAt.get(item) ?? -Infinity)
      check(since < 2 * every, `${kind} ${item} every ${every} goes on: ${since} since`)
    }
  }

  #remove(item: string) {
    this.#kinds.delete(item)
    this.#expected.delete(item)
    this.#lastAt.delete(item)
    this.#trigger.remove(item)
    this.model.remove(item)
  }
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message)
}

t.test('in any history no due time is lost, none runs twice, and none runs early', async (t) => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), (history) => {
      const play = new Play()
      for (const step of history) play.step(step)
      play.end()
      const told = (runs: Run[]) => runs.map(({ item, at, missed }) => `${item} at ${at}, missed ${missed}`).join('\n')
      check(told(play.runs) === told(play.model.runs), 'intervals run as in the model')
    }),
    { numRuns: 300 },
  )
  t.pass()
})
