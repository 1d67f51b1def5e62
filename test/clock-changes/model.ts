import { localTime, type ClockChange } from './changes.js'
import type { Job } from './jobs.js'

const MINUTE = 60_000
/** Step by which a clock is looked at. Clocks change at whole quarters of an hour. */
const STEP = 5 * MINUTE
/** Time around a change that is looked at, to each side. */
export const AROUND = 36 * 60 * MINUTE

/** A clock around a change, looked at again and again. */
export interface Look {
  readonly change: ClockChange
  /** Pairs of a time, and the local time that the clock shows. */
  readonly shown: readonly (readonly [time: number, local: number])[]
  /** Days that the clock shows from beginning to end. */
  readonly days: readonly string[]
}

/** Day of a local time. */
export function dayOf(local: number): string {
  return new Date(local).toISOString().slice(0, 10)
}

/** Looks at the clock of a time zone around a change. */
export function lookAt(change: ClockChange): Look {
  if (change.at % STEP !== 0) throw new Error(`${change.timeZone} changes at an odd time: ${change.at}`)
  const shown: [number, number][] = []
  for (let time = change.at - AROUND; time <= change.at + AROUND; time += STEP) {
    shown.push([time, localTime(change.timeZone, time)])
  }
  const days = [...new Set(shown.map(([, local]) => dayOf(local)))].sort()
  return { change, shown, days: days.slice(1, -1) }
}

/**
 * Times at which a job is due around a change of the clock, each with the local time that it is for. Naive on purpose: it
 * looks at the clock every five minutes, and goes by what it has seen. What the clock has skipped is due when that is
 * noticed; what it has shown before is due again only for a job that keeps its pace.
 */
export function dueTimes({ shown }: Look, job: Job): Map<number, number[]> {
  const due = new Map<number, number[]>()
  const note = (time: number, local: number) => {
    const date = new Date(local)
    if (job.names(date.getUTCHours(), date.getUTCMinutes())) due.set(time, [...(due.get(time) ?? []), local])
  }
  let latest = (shown[0]?.[1] ?? 0) - STEP
  for (const [time, local] of shown) {
    for (let skipped = latest + STEP; skipped < local; skipped += STEP) note(time, skipped)
    if (local > latest || job.keepsPace) note(time, local)
    latest = Math.max(latest, local)
  }
  return due
}
