import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Schedule } from '../../../src/core/schedule.js'
import { Trigger, type Due, type TriggerOptions } from '../../../src/planners/clock/trigger.js'
import { FakeClock } from '../../helpers/fake-clock.js'

const START = Date.UTC(2026, 0, 1, 10, 30)
const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

const NEVER: Schedule = { every: undefined, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }

const every = (milliseconds: number, jitter = 0): Schedule => ({ ...NEVER, every: milliseconds, jitter })
const aligned = (milliseconds: number, jitter = 0): Schedule => ({ ...every(milliseconds, jitter), alignToClock: true })
const cron = (expression: string, timeZone = 'UTC'): Schedule => ({ ...NEVER, cron: expression, timeZone })

interface Run extends Due<string> {
  /** Time of the run, in milliseconds from the start, by the clock that never jumps. */
  readonly at: number
  /** Wall-clock time of the run. */
  readonly wall: number
}

/** Makes a trigger that notes its runs, on a clock that is moved by hand. */
function setUp(options: Partial<TriggerOptions<string>> & { readonly start?: number } = {}) {
  const clock = new FakeClock(options.start ?? START)
  const origin = clock.monotonic()
  const runs: Run[] = []
  const elapsed = () => clock.monotonic() - origin
  const note = (due: Due<string>[]) => {
    for (const one of due) runs.push({ ...one, at: elapsed(), wall: clock.now() })
  }
  const trigger = new Trigger<string>({ clock, onDue: note, ...options })
  return {
    clock,
    trigger,
    runs,
    note,
    /** Runs since the last call: item and time. */
    take: () => runs.splice(0).map(({ item, at }) => `${item} ${at}`),
  }
}

t.test('an item runs once in each interval from the start, never early', async (t) => {
  const { clock, trigger, runs, take } = setUp()
  trigger.add('a', every(1000))
  clock.advance(10_000)
  t.strictSame(take(), [], 'not before the start')
  trigger.start()
  t.ok(trigger.running)
  clock.advance(999)
  t.strictSame(take(), [])
  clock.advance(3001)
  t.match(runs, [
    { item: 'a', at: 11_000, scheduledAt: START + 11_000, lateness: 0, missed: 0 },
    { item: 'a', at: 12_000, scheduledAt: START + 12_000, lateness: 0, missed: 0 },
    { item: 'a', at: 13_000 },
    { item: 'a', at: 14_000 },
  ])
  t.equal(runs.length, 4)
})

t.test('wake-ups that come late make no drift', async (t) => {
  const { clock, trigger, runs } = setUp()
  clock.lag = 7
  trigger.add('a', every(1000))
  trigger.start()
  clock.advance(100 * SECOND)
  t.equal(runs.length, 99)
  t.equal(runs.at(-1)!.at, 99_007)
  t.ok(runs.every(({ lateness, missed }) => lateness === 7 && missed === 0))
  t.strictSame(
    runs.map(({ scheduledAt }) => scheduledAt - START),
    runs.map((_, index) => (index + 1) * 1000),
  )
})

t.test('a wake-up that comes early waits for the time', async (t) => {
  const { clock, trigger, take } = setUp()
  clock.lag = -3
  trigger.add('a', every(1000))
  trigger.start()
  clock.lag = 0
  clock.advance(999)
  t.strictSame(take(), [])
  clock.advance(1001)
  t.strictSame(take(), ['a 1000', 'a 2000'])
})

t.test('after a stall one run is made up, and the others are counted', async (t) => {
  const { clock, trigger, runs, take } = setUp()
  trigger.add('a', every(1000))
  trigger.add('b', every(60_000))
  trigger.start()
  clock.stall(5500)
  t.match(runs, [{ item: 'a', at: 5500, scheduledAt: START + 1000, lateness: 4500, missed: 4 }])
  t.equal(runs.length, 1)
  take()
  clock.advance(2000)
  t.strictSame(take(), ['a 6000', 'a 7000'], 'and then it goes on as before')
})

t.test('a stall of less than an interval misses nothing', async (t) => {
  const { clock, trigger, runs } = setUp()
  trigger.add('a', every(1000))
  trigger.start()
  clock.stall(1999)
  t.match(runs, [{ at: 1999, lateness: 999, missed: 0 }])
  clock.advance(1)
  t.match(runs, [{}, { at: 2000, lateness: 0, missed: 0 }])
})

t.test('what is due together runs in the order of due times, and of adding where these are equal', async (t) => {
  const { clock, trigger, take } = setUp()
  for (const item of ['d', 'a', 'c', 'b']) trigger.add(item, every(1000))
  trigger.add('early', every(500))
  trigger.start()
  clock.advance(500)
  t.strictSame(take(), ['early 500'])
  clock.advance(500)
  t.strictSame(take(), ['d 1000', 'a 1000', 'c 1000', 'b 1000', 'early 1000'])
  clock.stall(1000)
  t.strictSame(take(), ['early 2000', 'd 2000', 'a 2000', 'c 2000', 'b 2000'], 'early was due at 1500')
})

t.test('what is due together comes in one call, and one alarm is set at a time', async (t) => {
  const calls: number[] = []
  const { clock, trigger } = setUp({ onDue: (due) => calls.push(due.length) })
  for (let index = 0; index < 50; index++) trigger.add(`${index}`, every(1000))
  trigger.start()
  t.equal(clock.armed, 1)
  clock.advance(3000)
  t.strictSame(calls, [50, 50, 50])
  t.equal(clock.armed, 1)
})

t.test('jitter delays each run by less than its bound, and never drifts', async (t) => {
  const { clock, trigger, runs } = setUp()
  trigger.add('a', every(1000, 300))
  trigger.start()
  clock.advance(200 * SECOND + 400)
  t.equal(runs.length, 200)
  const delays = runs.map(({ scheduledAt }, index) => scheduledAt - START - (index + 1) * 1000)
  t.ok(delays.every((delay) => delay >= 0 && delay < 300))
  t.ok(Math.max(...delays) - Math.min(...delays) > 100, 'each time another')
  // the wall clock counts in whole milliseconds, and a number of its size has a resolution of 0.24 of a microsecond
  t.ok(
    runs.every(({ at, lateness }, index) => Math.abs(at - (index + 1) * 1000 - delays[index]!) < 1.1 && lateness < 1),
  )
  t.ok(runs.every(({ missed }) => missed === 0))
})

t.test('jitter of just under the interval misses nothing when wake-ups come late', async (t) => {
  const { clock, trigger, runs } = setUp()
  clock.lag = 20
  trigger.add('a', every(1000, 970))
  trigger.start()
  clock.advance(500 * SECOND)
  t.ok(runs.length >= 498)
  t.ok(runs.every(({ missed }) => missed === 0))
})

t.test('with jitter too, a stall makes up one run only', async (t) => {
  const cases: [first: number, second: number, missed: number][] = [
    [0.99, 0, 2], // 1000 ran, 2000 would have come by 2900, 3000 came at once
    [0.99, 0.99, 1],
    [0, 0, 2],
    [0, 0.99, 2],
  ]
  for (const [first, second, missed] of cases) {
    const delays = [first, second]
    const { clock, trigger, runs } = setUp({ random: () => delays.shift() ?? 0 })
    trigger.add('a', every(1000, 900))
    trigger.start()
    clock.stall(3850)
    t.equal(runs.length, 1, `delays ${first}, ${second}`)
    t.equal(runs[0]!.missed, missed)
    clock.advance(4650)
    t.equal(runs.length + missed, 8, 'each due time ran or was missed')
  }
})

t.test('jitter greater than the time between two cron times makes no burst', async (t) => {
  const { clock, trigger, runs } = setUp({ random: () => 0.5 })
  trigger.add('a', { ...cron('* * * * * *'), jitter: 30 * SECOND })
  trigger.start()
  clock.advance(5 * MINUTE)
  t.ok(runs.length > 2)
  t.ok(runs.every(({ at }, index) => index === 0 || at - runs[index - 1]!.at >= 500))
})

t.test('items can be removed, and added again', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('a', every(1000))
  trigger.add('b', every(1000))
  t.ok(trigger.remove('b'))
  t.notOk(trigger.remove('b'))
  t.notOk(trigger.remove('x'))
  trigger.start()
  clock.advance(1500)
  t.strictSame(take(), ['a 1000'])
  trigger.remove('a')
  clock.advance(1000)
  t.strictSame(take(), [])
  trigger.add('a', every(1000))
  clock.advance(1500)
  t.strictSame(take(), ['a 3500'], 'its time counts from the adding')
  trigger.remove('a')
  trigger.add('a', every(250))
  clock.advance(500)
  t.strictSame(take(), ['a 4250', 'a 4500'], 'nothing is left of before')
})

t.test('what is removed while its batch is made is in that batch only', async (t) => {
  const seen: string[] = []
  const { clock, trigger } = setUp({
    onDue: (due) => {
      for (const { item } of due) {
        seen.push(item)
        trigger.remove('b')
      }
    },
  })
  trigger.add('a', every(1000))
  trigger.add('b', every(1000))
  trigger.start()
  clock.advance(3000)
  t.strictSame(seen, ['a', 'b', 'a', 'a'])
})

t.test('an item that is added while others run is due one interval later, before them if that is sooner', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('slow', every(10_000))
  trigger.start()
  clock.advance(500)
  trigger.add('quick', every(100))
  t.equal(clock.armed, 1)
  clock.advance(250)
  t.strictSame(take(), ['quick 600', 'quick 700'])
})

t.test('an item may be added from within a run', async (t) => {
  const { clock, trigger, runs, note, take } = setUp({
    onDue: (due) => {
      note(due)
      if (runs.length === 1) trigger.add('b', every(300))
    },
  })
  trigger.add('a', every(1000))
  trigger.start()
  clock.advance(2000)
  t.strictSame(take(), ['a 1000', 'b 1300', 'b 1600', 'b 1900', 'a 2000'])
})

t.test('many removed items leave the queue, and no run is lost', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('kept', every(1000))
  trigger.start()
  for (let round = 0; round < 5000; round++) {
    trigger.add(`${round}`, every(DAY))
    trigger.remove(`${round}`)
  }
  t.equal(clock.armed, 1)
  clock.advance(2000)
  t.strictSame(take(), ['kept 1000', 'kept 2000'])
  trigger.remove('kept')
  clock.advance(DAY)
  t.strictSame(take(), [])
  t.equal(clock.armed, 0, 'nothing is left to wake for')
})

t.test('stopped, nothing runs and no alarm is set', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('a', every(1000))
  trigger.start()
  clock.advance(1000)
  trigger.stop()
  t.notOk(trigger.running)
  t.equal(clock.armed, 0)
  take()
  clock.advance(10_000)
  t.strictSame(take(), [])
  trigger.start()
  clock.advance(1999)
  t.strictSame(take(), ['a 12000'], 'the start counts anew')
})

t.test('an alarm that comes after the stop does nothing', async (t) => {
  const clock = new FakeClock()
  const wakes: (() => void)[] = []
  const seen: unknown[] = []
  const trigger = new Trigger<string>({
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      arm: (_, wake) => {
        wakes.push(wake)
        return () => undefined // cannot be called off
      },
    },
    onDue: (due) => seen.push(due),
  })
  trigger.add('a', every(1000))
  trigger.start()
  trigger.stop()
  clock.advance(5000)
  for (const wake of wakes) wake()
  t.strictSame(seen, [])
})

t.test('after a pause the old due times go on, and what came due meanwhile is left out', async (t) => {
  const { clock, trigger, runs, take } = setUp()
  trigger.add('a', every(1000))
  trigger.add('b', every(10_000))
  trigger.start()
  clock.advance(1500)
  trigger.stop()
  trigger.resume()
  clock.advance(500)
  t.strictSame(take(), ['a 1000', 'a 2000'], 'a pause in which nothing is due changes nothing')
  trigger.stop()
  clock.advance(5300)
  t.equal(clock.armed, 0)
  trigger.resume()
  trigger.resume()
  t.strictSame(take(), [])
  clock.advance(2700)
  t.match(runs, [
    { item: 'a', at: 8000, missed: 0 },
    { item: 'a', at: 9000, missed: 0 },
    { item: 'a', at: 10_000, missed: 0 },
    { item: 'b', at: 10_000, missed: 0 },
  ])
  t.equal(runs.length, 4)
})

t.test('with jitter, what came due in a pause is left out as well', async (t) => {
  const delays = [0.99, 0, 0]
  const { clock, trigger, take } = setUp({ random: () => delays.shift() ?? 0 })
  trigger.add('a', every(1000, 900))
  trigger.start()
  trigger.stop()
  clock.advance(3850)
  trigger.resume()
  clock.advance(1000)
  t.strictSame(take(), ['a 4000'])
})

t.test('an item that is added in a pause is due one interval after it', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.start()
  trigger.stop()
  trigger.add('a', every(1000))
  trigger.add('b', cron('0 * * * *'))
  clock.advance(10_000)
  trigger.resume()
  clock.advance(1000)
  t.strictSame(take(), ['a 11000'])
})

t.test('an item that is added in a pause in which the wall clock was set is not taken for late', async (t) => {
  const { clock, trigger, runs } = setUp()
  trigger.start()
  trigger.stop()
  trigger.add('a', cron('0 * * * *'))
  clock.step(15 * MINUTE)
  trigger.resume()
  t.strictSame(runs, [])
  clock.advance(15 * MINUTE)
  t.match(runs, [{ at: 15 * MINUTE, scheduledAt: START + HOUR / 2, missed: 0 }])
  t.equal(runs.length, 1)
})

t.test('an error in what runs costs no later run', async (t) => {
  let calls = 0
  const { clock, trigger } = setUp({
    onDue: () => {
      calls++
      throw new Error('on due')
    },
  })
  trigger.add('a', every(1000))
  trigger.start()
  t.throws(() => clock.advance(1000), { message: 'on due' })
  t.throws(() => clock.advance(1000), { message: 'on due' })
  t.equal(calls, 2)
  t.equal(clock.armed, 1)
})

t.test('an item may stop the trigger from within a run', async (t) => {
  const { clock, trigger, take, note } = setUp({
    onDue: (due) => {
      note(due)
      trigger.stop()
    },
  })
  trigger.add('a', every(1000))
  trigger.start()
  clock.advance(5000)
  t.strictSame(take(), ['a 1000'])
  t.equal(clock.armed, 0)
})

t.test('with a grid', async (t) => {
  t.test('things run at whole multiples of it from the start', async (t) => {
    const { clock, trigger, runs, take } = setUp({ grid: 1000 })
    trigger.add('a', every(1500))
    trigger.start()
    clock.advance(6000)
    t.strictSame(
      runs.map(({ at, scheduledAt, lateness }) => [at, scheduledAt - START, lateness]),
      [
        [2000, 1500, 0],
        [3000, 3000, 0],
        [5000, 4500, 0],
        [6000, 6000, 0],
      ],
      'waiting for the next look is not being late',
    )
    take()
    clock.advance(100)
    trigger.add('b', every(1000))
    clock.advance(2900)
    t.strictSame(take(), ['b 8000', 'a 8000', 'b 9000', 'a 9000'])
  })

  t.test(
    'an interval as long as the grid runs at each look, wherever it starts, also when looks come late',
    async (t) => {
      for (const phase of [0, 0.4, 0.6, 2, 500, 998]) {
        const { clock, trigger, runs } = setUp({ grid: 1000 })
        clock.lag = 3
        trigger.start()
        clock.advance(phase)
        trigger.add('a', every(1000))
        clock.advance(60_500 - phase)
        t.ok(runs.length >= 59, `${phase} ms after a look: ${runs.length} runs`)
        t.ok(
          runs.every(({ missed }) => missed === 0),
          'none is missed',
        )
        t.ok(
          runs.every(({ lateness }) => lateness <= 4),
          'none is late',
        )
      }
    },
  )

  t.test('what was added before the start is due with the looks', async (t) => {
    const ticking = new FakeClock()
    const runs: number[] = []
    const origin = ticking.monotonic()
    const trigger = new Trigger<number>({
      grid: 1000,
      clock: {
        now: () => ticking.now(),
        // time goes on while the trigger starts
        monotonic: () => (ticking.advance(0.01), ticking.monotonic()),
        arm: (delay, wake) => ticking.arm(delay, wake),
      },
      onDue: (due) => runs.push(...due.map(() => Math.round(ticking.monotonic() - origin))),
    })
    for (let item = 0; item < 500; item++) trigger.add(item, every(1000))
    trigger.start()
    ticking.advance(1500)
    t.equal(runs.length, 500)
    t.ok(runs.every((at) => at < 1010))
  })

  t.test('a stall is late by what it lasts beyond the look', async (t) => {
    const { clock, trigger, runs } = setUp({ grid: 1000 })
    trigger.add('a', every(1500))
    trigger.start()
    clock.stall(5200)
    t.match(runs, [{ at: 5200, scheduledAt: START + 1500, lateness: 3200, missed: 2 }])
    clock.advance(800)
    t.match(runs, [{}, { at: 6000, scheduledAt: START + 6000, missed: 0 }])
  })

  t.test('longer than a minute, it still looks at its multiples only', async (t) => {
    const { clock, trigger, take } = setUp({ grid: 100 * SECOND })
    trigger.add('a', every(150 * SECOND))
    trigger.start()
    clock.advance(600 * SECOND)
    t.strictSame(take(), ['a 200000', 'a 300000', 'a 500000', 'a 600000'])
  })

  t.test('a pause leaves out only what would have been looked at meanwhile', async (t) => {
    const { clock, trigger, take } = setUp({ grid: 1000 })
    trigger.add('a', every(1200))
    trigger.start()
    clock.advance(1500)
    trigger.stop()
    trigger.resume()
    clock.advance(500)
    t.strictSame(take(), ['a 2000'])
  })
})

t.test('an interval longer than timers can wait is kept', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('a', every(30 * DAY))
  trigger.start()
  clock.advance(60 * DAY)
  t.strictSame(take(), [`a ${30 * DAY}`, `a ${60 * DAY}`])
})

t.test('10,000 items run each in its time', async (t) => {
  const counts = new Map<string, number>()
  const { clock, trigger } = setUp({
    onDue: (due) => {
      for (const { item, missed } of due) counts.set(item, (counts.get(item) ?? 0) + 1 + 1e6 * missed)
    },
  })
  for (let item = 0; item < 10_000; item++) trigger.add(`${item}`, every(1000 + (item % 100)))
  trigger.start()
  clock.advance(10_000)
  t.equal(counts.size, 10_000)
  for (const [item, runs] of counts) {
    const expected = Math.floor(10_000 / (1000 + (Number(item) % 100)))
    if (runs !== expected) t.equal(runs, expected, `item ${item}`)
  }
})

t.test('an interval aligned to the clock', async (t) => {
  t.test('runs at whole multiples on the wall clock', async (t) => {
    const { clock, trigger, runs } = setUp({ start: START + 123_456 })
    trigger.add('a', aligned(10 * MINUTE))
    trigger.start()
    clock.advance(30 * MINUTE)
    t.strictSame(
      runs.map(({ wall }) => new Date(wall).toISOString()),
      ['2026-01-01T10:40:00.000Z', '2026-01-01T10:50:00.000Z', '2026-01-01T11:00:00.000Z'],
    )
    t.strictSame(
      runs.map(({ scheduledAt }) => scheduledAt),
      runs.map(({ wall }) => wall),
    )
  })

  t.test('is delayed by its jitter', async (t) => {
    const { clock, trigger, runs } = setUp({ random: () => 0.5 })
    trigger.add('a', aligned(10 * MINUTE, MINUTE))
    trigger.start()
    clock.advance(25 * MINUTE)
    t.strictSame(
      runs.map(({ at }) => at),
      [10.5 * MINUTE, 20.5 * MINUTE],
    )
  })
})

t.test(
  'a cron expression runs at its times in its time zone, also in the nights that have 23 and 25 hours',
  async (t) => {
    for (const { zone, from, expected } of [
      { zone: 'Europe/Amsterdam', from: '2026-03-28T12:00:00Z', expected: ['03-29T01:00', '03-30T00:30'] },
      { zone: 'Europe/Amsterdam', from: '2026-10-24T12:00:00Z', expected: ['10-25T00:30', '10-26T01:30'] },
      { zone: 'America/New_York', from: '2026-03-07T12:00:00Z', expected: ['03-08T07:00', '03-09T06:30'] },
      { zone: 'America/New_York', from: '2026-10-31T12:00:00Z', expected: ['11-01T07:30', '11-02T07:30'] },
    ]) {
      const { clock, trigger, runs } = setUp({ start: Date.parse(from) })
      trigger.add('a', cron('30 2 * * *', zone))
      trigger.start()
      clock.advance(2 * DAY)
      t.strictSame(
        runs.map(({ wall }) => new Date(wall).toISOString()),
        expected.map((time) => `2026-${time}:00.000Z`),
        `${zone} ${from}`,
      )
    }
  },
)

t.test('a cron stall makes up one run', async (t) => {
  const { clock, trigger, runs } = setUp()
  trigger.add('a', cron('* * * * *'))
  trigger.add('b', cron('* * * * *'))
  trigger.start()
  clock.stall(5.5 * MINUTE)
  t.match(runs, [
    { item: 'a', scheduledAt: START + MINUTE, lateness: 4.5 * MINUTE, missed: 4 },
    { item: 'b', scheduledAt: START + MINUTE, lateness: 4.5 * MINUTE, missed: 4 },
  ])
  t.equal(runs.length, 2)
})

t.test('when the wall clock is set', async (t) => {
  for (const step of [HOUR, -HOUR]) {
    t.test(`by ${step / HOUR} h, an interval goes on as if nothing had happened`, async (t) => {
      const { clock, trigger, runs } = setUp()
      trigger.add('a', every(1000))
      trigger.start()
      clock.advance(2500)
      clock.step(step)
      clock.advance(2500)
      t.strictSame(
        runs.map(({ at, missed }) => [at, missed]),
        [1000, 2000, 3000, 4000, 5000].map((at) => [at, 0]),
      )
      t.equal(runs.at(-1)!.scheduledAt, START + step + 5000, 'and its due times are told by the new clock')
    })
  }

  for (const [kind, schedule] of [
    ['a cron expression', cron('*/20 * * * *')],
    ['an aligned interval', aligned(20 * MINUTE)],
  ] as const) {
    t.test(`forward, ${kind} runs once for what has passed, and then follows it`, async (t) => {
      const { clock, trigger, runs } = setUp()
      trigger.add('a', schedule)
      trigger.start()
      clock.advance(MINUTE)
      clock.step(HOUR) // from 10:31 to 11:31
      clock.advance(MINUTE)
      t.match(runs, [{ missed: 2, scheduledAt: START + 10 * MINUTE }], 'noticed within a minute')
      clock.advance(30 * MINUTE)
      t.strictSame(
        runs.slice(1).map(({ wall, missed }) => [new Date(wall).toISOString(), missed]),
        [
          ['2026-01-01T11:40:00.000Z', 0],
          ['2026-01-01T12:00:00.000Z', 0],
        ],
      )
    })

    t.test(`back, ${kind} runs at the next of its times, not an hour later`, async (t) => {
      const { clock, trigger, runs, take } = setUp()
      trigger.add('a', schedule)
      trigger.start()
      clock.advance(15 * MINUTE)
      t.strictSame(take(), ['a 600000'])
      clock.step(-HOUR) // from 10:45 to 09:45
      clock.advance(40 * MINUTE)
      t.strictSame(
        runs.map(({ wall, missed }) => [new Date(wall).toISOString(), missed]),
        [
          ['2026-01-01T10:00:00.000Z', 0],
          ['2026-01-01T10:20:00.000Z', 0],
        ],
      )
    })

    t.test(`while others are added, ${kind} counts from what it shows now`, async (t) => {
      const { clock, trigger, runs } = setUp()
      trigger.start()
      clock.step(15 * MINUTE)
      trigger.add('a', schedule)
      clock.advance(MINUTE)
      t.strictSame(runs, [])
      clock.advance(14 * MINUTE)
      t.match(runs, [{ scheduledAt: START + 30 * MINUTE, missed: 0 }])
      t.equal(runs.length, 1)
    })
  }

  t.test('little by little, cron times follow it all the same', async (t) => {
    for (const slew of [10, -10]) {
      const { clock, trigger, runs } = setUp()
      trigger.add('a', cron('0 18 * * *'))
      trigger.start()
      for (let minute = 0; minute < 9 * 60; minute++) {
        clock.advance(MINUTE)
        clock.step(slew)
      }
      t.equal(runs.length, 1)
      const wrong = runs[0]!.wall - Date.UTC(2026, 0, 1, 18)
      t.ok(wrong >= 0 && wrong <= 60, `slewed by ${slew} ms a minute: ${wrong} ms late`)
      t.equal(runs[0]!.scheduledAt, Date.UTC(2026, 0, 1, 18))
    }
  })

  t.test('back by a little, nothing runs early', async (t) => {
    const { clock, trigger, runs } = setUp()
    trigger.add('a', aligned(10 * MINUTE))
    trigger.start()
    clock.advance(5 * MINUTE)
    clock.step(-30)
    clock.advance(6 * MINUTE)
    t.equal(runs.length, 1)
    t.equal(runs[0]!.wall, START + 10 * MINUTE)
  })

  t.test('in a pause, what came due by it is left out', async (t) => {
    const { clock, trigger, take } = setUp()
    trigger.add('a', cron('*/20 * * * *'))
    trigger.start()
    trigger.stop()
    clock.step(HOUR)
    trigger.resume()
    t.strictSame(take(), [])
    clock.advance(10 * MINUTE)
    t.strictSame(take(), ['a 600000'])
  })
})

t.test('nothing is kept of items that are gone, however many cron expressions they had', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { trigger } = setUp()
  const heap = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const goThrough = (from: number, to: number) => {
    for (let at = from; at < to; at++) {
      trigger.add(`item ${at}`, cron(`${at % 60} ${Math.floor(at / 60) % 60} ${Math.floor(at / 3600)} * * *`))
      trigger.remove(`item ${at}`)
    }
  }
  goThrough(0, 1000)
  const before = heap()
  goThrough(1000, 21_000)
  const grown = heap() - before
  t.ok(grown < 1e6, `${grown} bytes more`)
})

t.test('items share a cron expression, also when one of them has gone', async (t) => {
  const { clock, trigger, take } = setUp()
  trigger.add('a', cron('* * * * * *'))
  trigger.add('b', cron('* * * * * *'))
  trigger.start()
  trigger.remove('a')
  trigger.add('c', cron('* * * * * *'))
  clock.advance(2000)
  t.strictSame(take(), ['b 1000', 'c 1000', 'b 2000', 'c 2000'])
  trigger.remove('b')
  trigger.remove('c')
  trigger.add('d', cron('* * * * * *'))
  clock.advance(1000)
  t.strictSame(take(), ['d 3000'])
})
