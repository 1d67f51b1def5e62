import { timetable } from '../../src/planners/clock/timetable.js'
import type { ClockChange } from './changes.js'
import { DAILY, OFTEN, type Job } from './jobs.js'
import { AROUND, dayOf, dueTimes, lookAt, type Look } from './model.js'

/** Result of checking the due times of all jobs around a change of the clock. */
export interface Checked {
  readonly change: ClockChange
  readonly jobs: number
  /** Number of due times. */
  readonly due: number
  /** Due times of the model that did not come, and days without the daily job. */
  readonly lost: readonly string[]
  /** Due times that the model does not have, and days with more than one daily job. */
  readonly doubled: readonly string[]
}

/** Due times of a job around a change, by the timetable that planners go by. */
function timesOf({ cron }: Job, { timeZone, at }: ClockChange): number[] {
  const times = timetable({ every: undefined, cron, timeZone, jitter: 0, alignToClock: false })
  const due: number[] = []
  for (let time = times.first(at - AROUND - 1); time <= at + AROUND; time = times.next(time, time).due) {
    due.push(time)
    if (due.length > 10_000) throw new Error(`${cron} in ${timeZone} does not come to an end`)
  }
  return due
}

/** Whole days without the daily job, or with more than one. */
function wrongDays({ days }: Look, due: readonly number[], model: ReadonlyMap<number, readonly number[]>) {
  const runs = new Map(days.map((day) => [day, 0]))
  for (const time of due) {
    for (const day of (model.get(time) ?? []).map(dayOf)) runs.set(day, (runs.get(day) ?? 0) + 1)
  }
  return { without: days.filter((day) => runs.get(day) === 0), twice: days.filter((day) => (runs.get(day) ?? 0) > 1) }
}

/** Checks the due times of jobs around a change of the clock against the model. */
export function check(change: ClockChange, jobs: readonly Job[] = [...DAILY, ...OFTEN]): Checked {
  const look = lookAt(change)
  const [lost, doubled]: [string[], string[]] = [[], []]
  let count = 0
  for (const job of jobs) {
    const told = (what: number | string) =>
      `${job.cron} in ${change.timeZone}: ${typeof what === 'string' ? what : new Date(what).toISOString()}`
    const model = dueTimes(look, job)
    const due = timesOf(job, change)
    count += due.length
    lost.push(...[...model.keys()].filter((time) => !due.includes(time)).map(told))
    doubled.push(...due.filter((time, index) => !model.has(time) || due.indexOf(time) !== index).map(told))
    if (!job.daily) continue
    const { without, twice } = wrongDays(look, due, model)
    lost.push(...without.map(told))
    doubled.push(...twice.map(told))
  }
  return { change, jobs: jobs.length, due: count, lost, doubled }
}
