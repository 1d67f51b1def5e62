import t from 'tap'
import { Retunable } from '../../src/core/live-schedule.js'

const schedule = { every: 5000, cron: undefined, timeZone: undefined, jitter: 100, alignToClock: true }

t.test('a new interval takes the place of the old one, or of a cron expression', async (t) => {
  const retunable = new Retunable(schedule)
  retunable.setInterval(2)
  t.same(retunable.schedule, { ...schedule, every: 2000 })
  const cron = new Retunable({ ...schedule, every: undefined, cron: '* * * * *', timeZone: 'Europe/Amsterdam' })
  cron.setInterval({ minutes: 1 })
  t.same(cron.schedule, { ...schedule, every: 60_000 })
})

t.test('what is no interval, or no longer than the jitter, is refused', async (t) => {
  const retunable = new Retunable(schedule)
  let told = 0
  retunable.onChange(() => told++)
  for (const interval of [0, -1, NaN, 0.1, '5' as unknown as number]) {
    t.throws(() => retunable.setInterval(interval), { code: 'DATABAY_INVALID_OPTION', option: 'interval' })
  }
  t.same(retunable.schedule, schedule)
  t.equal(told, 0)
})

t.test('listeners are told, until they listen no more', async (t) => {
  const retunable = new Retunable(schedule)
  const told: (number | undefined)[] = []
  const unlisten = retunable.onChange(() => told.push(retunable.schedule.every))
  retunable.setInterval(1)
  unlisten()
  retunable.setInterval(2)
  t.same(told, [1000])
})

t.test('another schedule takes the place of the whole, and listeners are told; the same one is none', async (t) => {
  const retunable = new Retunable(schedule)
  let told = 0
  retunable.onChange(() => told++)
  retunable.set({ ...schedule })
  t.equal(told, 0)
  const cron = { ...schedule, every: undefined, cron: '* * * * *', timeZone: 'UTC', alignToClock: false }
  retunable.set(cron)
  t.same([retunable.schedule, told], [cron, 1])
})

t.test('when a listener cannot go by it, all is as before', async (t) => {
  const retunable = new Retunable(schedule)
  const told: (number | undefined)[] = []
  retunable.onChange(() => told.push(retunable.schedule.every))
  retunable.onChange(() => {
    if (retunable.schedule.every === 1000) throw new Error('too short')
  })
  t.throws(() => retunable.setInterval(1), { message: 'too short' })
  t.equal(retunable.schedule, schedule)
  t.same(told, [1000, 5000], 'those that had taken it are told again')
})
