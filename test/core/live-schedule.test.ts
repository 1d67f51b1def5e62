import t from 'tap'
import { LiveSchedule } from '../../src/core/live-schedule.js'

const schedule = { every: 5000, cron: undefined, timeZone: undefined, jitter: 100, alignToClock: true }

t.test('a new interval takes the place of the old one, or of a cron expression', async (t) => {
  const live = new LiveSchedule(schedule)
  live.setInterval(2)
  t.same(live.schedule, { ...schedule, every: 2000 })
  const cron = new LiveSchedule({ ...schedule, every: undefined, cron: '* * * * *', timeZone: 'Europe/Amsterdam' })
  cron.setInterval({ minutes: 1 })
  t.same(cron.schedule, { ...schedule, every: 60_000 })
})

t.test('what is no interval, or no longer than the jitter, is refused', async (t) => {
  const live = new LiveSchedule(schedule)
  let told = 0
  live.onChange(() => told++)
  for (const interval of [0, -1, NaN, 0.1, '5' as unknown as number]) {
    t.throws(() => live.setInterval(interval), { code: 'DATABAY_INVALID_OPTION', option: 'interval' })
  }
  t.same(live.schedule, schedule)
  t.equal(told, 0)
})

t.test('listeners are told, until they listen no more', async (t) => {
  const live = new LiveSchedule(schedule)
  const told: (number | undefined)[] = []
  const unlisten = live.onChange(() => told.push(live.schedule.every))
  live.setInterval(1)
  unlisten()
  live.setInterval(2)
  t.same(told, [1000])
})

t.test('another schedule takes the place of the whole, and listeners are told; the same one is none', async (t) => {
  const live = new LiveSchedule(schedule)
  let told = 0
  live.onChange(() => told++)
  live.set({ ...schedule })
  t.equal(told, 0)
  const cron = { ...schedule, every: undefined, cron: '* * * * *', timeZone: 'UTC', alignToClock: false }
  live.set(cron)
  t.same([live.schedule, told], [cron, 1])
})

t.test('when a listener cannot go by it, all is as before', async (t) => {
  const live = new LiveSchedule(schedule)
  const told: (number | undefined)[] = []
  live.onChange(() => told.push(live.schedule.every))
  live.onChange(() => {
    if (live.schedule.every === 1000) throw new Error('too short')
  })
  t.throws(() => live.setInterval(1), { message: 'too short' })
  t.equal(live.schedule, schedule)
  t.same(told, [1000, 5000], 'those that had taken it are told again')
})
