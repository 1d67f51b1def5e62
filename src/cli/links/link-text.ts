import type { Schedule } from '../../core/schedule.js'
import { timetable } from '../../planners/clock/timetable.js'

/** First due time that counts from `now`, without its jitter, in milliseconds since 1970. */
export function nextDue(schedule: Schedule, now: number): number {
  return timetable(schedule).first(now)
}

/** A time as a person says it: `14:05:10` today, else `2026-11-29 02:30:00`. In the time zone of the process. */
export function timeText(time: number, now: number): string {
  const [date, clock] = local(time)
  return date === local(now)[0] ? clock : `${date} ${clock}`
}

function local(time: number): [date: string, clock: string] {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  return [
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  ]
}

/** Lines of a table, of which every column but the last is as wide as its longest cell. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  )
}
