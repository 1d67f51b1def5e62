import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Inlet, Link, NullOutlet, SchedulePlanner, type LateEvent } from 'databay'
import { withInternals } from '../../src/planners/planner-internals.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { EVERY, Run } from './harness.js'
import { expect, expectNothingWrong, type Scenario } from './scenario.js'

const HOUR = 3_600_000
const STALL = 5000
const SUSPENSION = 4000

/** Scenario: the main thread is held up for five seconds. */
const stall: Scenario = {
  name: '5 s stall of the main thread',
  async run() {
    const run = new Run([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    const late: LateEvent[] = []
    run.planner.on('late', (event) => late.push(event))
    try {
      await run.planner.start()
      await run.until(() => run.reports.length >= 9)
      const before = run.reports.length
      const until = Date.now() + STALL
      while (Date.now() < until) Math.random()
      const woken = Date.now()
      await run.until(() =>
        ['a', 'b', 'c'].every((link) => run.reportsOf(link).some(({ startedAt }) => startedAt > woken)),
      )
      const recovery = Date.now() - woken
      await run.until(() => run.reports.length >= before + 9)
      await run.end()
      const made = run.reports.filter(
        ({ scheduledAt }) => scheduledAt > woken - STALL + EVERY && scheduledAt < woken - EVERY,
      )
      expect(made.length <= 3, `one run of each link is made up, and no burst: ${made.length} are`)
      expect(late.length >= 3, 'each link is told to be late')
      const expected = Math.floor(STALL / EVERY)
      const missed = late.reduce((sum, event) => sum + event.missed, 0)
      expect(Math.abs(missed - 3 * expected) <= 6, `what was missed is counted: ${missed} of about ${3 * expected}`)
      expectNothingWrong(run.judge())
      return { held: `${missed} due times missed and told, ${made.length} runs made up`, recovery }
    } finally {
      await run.end()
      run.forget()
    }
  },
}

/** Scenario: the process is stopped for some seconds, as when the machine sleeps, and goes on. */
const suspended: Scenario = {
  name: 'process suspended for 4 s, and resumed',
  async run() {
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('suspending.js', import.meta.url)),
      ...process.argv.slice(2),
    ])
    let text = ''
    child.stdout.on('data', (chunk) => {
      if (text === '') {
        child.kill('SIGSTOP')
        setTimeout(() => child.kill('SIGCONT'), SUSPENSION)
      }
      text += String(chunk)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code === 0, `the process ends well, not by ${String(code)}`)
    const seen = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as Seen
    expect(seen.lost === 0, `no thread is taken for hung: ${seen.lost} are`)
    const expected = 3 * Math.floor(SUSPENSION / EVERY)
    expect(Math.abs(seen.missed - expected) <= 9, `what was missed is counted: ${seen.missed} of about ${expected}`)
    expectNothingWrong(seen.wrong)
    return { held: `${seen.missed} due times missed and told, no thread lost`, recovery: seen.recovery }
  },
}

/** Result of suspending.ts. */
interface Seen {
  readonly lost: number
  readonly missed: number
  readonly recovery: number
  readonly wrong: readonly string[]
}

class Ticks extends Inlet<number> {
  readonly times: number[] = []
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    super()
    this.#clock = clock
  }

  pull(): number {
    this.times.push(this.#clock.now())
    return this.times.length
  }
}

/** Starts a planner whose time is passed by hand, with one link that has an interval and one that has a cron expression. */
async function timed(wall: number, cron: string, timeZone: string) {
  const clock = new FakeClock(wall)
  const [every, daily] = [new Ticks(clock), new Ticks(clock)]
  const links = [
    new Link({ inlets: every, outlets: new NullOutlet(), interval: { minutes: 1 }, tags: 'interval' }),
    new Link({ inlets: daily, outlets: new NullOutlet(), cron, timeZone, tags: 'cron' }),
  ]
  const planner = new SchedulePlanner(links, withInternals({ immediateTransfer: false }, { clock }))
  await planner.start()
  return { clock, planner, every, daily }
}

/** Scenario: the wall clock is set an hour forward, and another time an hour back. */
const jumps: Scenario = {
  name: 'wall clock set by an hour, forward and back',
  async run() {
    const held: string[] = []
    for (const jump of [HOUR, -HOUR]) {
      const { clock, planner, every, daily } = await timed(Date.UTC(2026, 5, 1, 12), '* * * * *', 'UTC')
      await clock.pass(10 * 60_000 + 500)
      clock.step(jump)
      await clock.pass(10 * 60_000)
      await planner.shutdown()
      expect(every.times.length === 20, `an interval does not notice: ${every.times.length} of 20`)
      const { length } = daily.times
      expect(length >= 20 && length <= 21, `cron goes on by the new time, without a burst: ${length} of 20 or 21`)
      held.push(`${jump > 0 ? '+' : '-'}1 h: ${every.times.length} intervals, ${length} by cron`)
    }
    return { held: held.join('; ') }
  },
}

/** Scenario: a night in which the clocks change. A daily link transfers once in each of three days. */
function night(timeZone: string, name: string, start: number): Scenario {
  return {
    name: `${name} in ${timeZone}`,
    async run() {
      const { clock, planner, daily, every } = await timed(start, '30 2 * * *', timeZone)
      for (let hour = 0; hour < 72; hour++) await clock.pass(HOUR)
      await planner.shutdown()
      const local = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' })
      const times = daily.times.map((time) => local.format(time))
      const days = new Set(times.map((time) => time.slice(0, 10)))
      expect(times.length === 3 && days.size === 3, `once a day: ${times.join(', ')}`)
      expect(every.times.length === 72 * 60, `intervals do not notice: ${every.times.length}`)
      return { held: times.map((time) => time.slice(5)).join(', ') }
    },
  }
}

export const times: readonly Scenario[] = [
  stall,
  suspended,
  jumps,
  night('Europe/Amsterdam', 'the night when clocks go forward', Date.UTC(2026, 2, 27, 23)),
  night('Europe/Amsterdam', 'the night when clocks go back', Date.UTC(2026, 9, 23, 22)),
  night('America/New_York', 'the night when clocks go forward', Date.UTC(2026, 2, 7, 5)),
  night('America/New_York', 'the night when clocks go back', Date.UTC(2026, 9, 31, 4)),
]
