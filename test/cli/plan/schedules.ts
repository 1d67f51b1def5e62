import type { Schedule } from '../../../src/core/schedule.js'
import { timetable } from '../../../src/planners/clock/timetable.js'
import type { Series } from '../../../src/cli/plan/series.js'
import fc from '../../helpers/fast-check.js'

export const EVERY_SECOND: Schedule = {
  every: 1000,
  cron: undefined,
  timeZone: undefined,
  jitter: 0,
  alignToClock: false,
}

export const interval = (every: number, more: Partial<Schedule> = {}): Schedule => ({ ...EVERY_SECOND, every, ...more })

export const cron = (text: string, timeZone?: string): Schedule => ({
  ...EVERY_SECOND,
  every: undefined,
  cron: text,
  timeZone,
})

/** All due times from `from` on, before `to`, one by one, from the timetable that planners have. */
export function naive(schedule: Schedule, from: number, to: number): number[] {
  const times = timetable(schedule)
  const due: number[] = []
  // what counts from a start comes after it
  const since = times.clock === 'wall' ? from - 1 : from
  for (let at = times.first(since); at < to; at = times.next(at, at).due) due.push(at)
  return due
}

/** All times of series. */
export function timesOf(all: readonly Series[]): number[] {
  return all.flatMap(({ start, step, count }) => Array.from({ length: count }, (_, index) => start + index * step))
}

const field = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: least, max: most }).map(String),
    fc.integer({ min: 2, max: Math.floor((most - least) / 2) }).map((step) => `*/${step}`),
    fc
      .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
      .map(([a, b]) => (a <= b ? `${a}-${b}` : `${b},${a}`)),
  )

/** Cron expressions, those at night more often than others: that is when clocks change. */
export const crons = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fc.constant('0') }, { weight: 1, arbitrary: field(0, 59) }),
    field(0, 59),
    fc.oneof(field(0, 23), fc.constantFrom('1', '2', '3', '1-3', '0,2', '0')),
    fc.oneof({ weight: 4, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: field(1, 28) }),
    fc.constant('*'),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('*') },
      { weight: 1, arbitrary: fc.constantFrom('1-5', 'sun', '0', '6#1') },
    ),
  )
  .map((fields) => fields.join(' '))

/** Changes of clocks: by an hour, by half an hour, at midnight; and a zone that has none. */
export const CHANGES = [
  ['Europe/Amsterdam', '2026-03-29T01:00Z'],
  ['Europe/Amsterdam', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Africa/Cairo', '2026-04-23T22:00Z'],
  ['Asia/Kolkata', '2026-04-23T22:00Z'],
] as const
