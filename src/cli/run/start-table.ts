import type { PlannedLink } from '../../core/planned-link.js'
import { scheduleText } from '../../core/schedule.js'
import { nextDue, tableLines, timeText } from '../links/link-text.js'

/** Number of links that the table shows. */
const SHOWN = 20

/** Row of the table of links that a run shows when it has started. */
export interface StartRow {
  readonly link: string
  /** Schedule in words. */
  readonly schedule: string
  /** First due time, without its jitter, in milliseconds since 1970. */
  readonly next: number
  /** Whether the link transfers now, without waiting for its due time. */
  readonly atOnce: boolean
  /** Why the link could not be started, while it is tried again. */
  readonly trouble?: string
}

/**
 * Rows of links that have been started.
 *
 * @param atOnce - whether a link transfers on start
 * @param troubles - why links could not be started, in the order of the links
 */
export function startRows(
  links: readonly PlannedLink[],
  atOnce: (link: PlannedLink) => boolean,
  troubles: readonly (string | undefined)[],
  now: number,
): StartRow[] {
  return links.map((link, at) => {
    const trouble = troubles[at]
    const { name, schedule } = link
    const row = { link: name, schedule: scheduleText(schedule), next: nextDue(schedule, now) }
    return trouble === undefined ? { ...row, atOnce: atOnce(link) } : { ...row, atOnce: false, trouble }
  })
}

/** The rows as lines below a heading; where there are many, the first of them. */
export function startTable(rows: readonly StartRow[], now: number): string[] {
  const shown = rows.length > SHOWN ? rows.slice(0, SHOWN - 1) : rows
  const more = rows.length > shown.length ? [`… and ${rows.length - shown.length} more: databay list shows all`] : []
  return [...tableLines([['link', 'schedule', 'next due'], ...shown.map((row) => cells(row, now))]), ...more]
}

function cells({ link, schedule, next, atOnce, trouble }: StartRow, now: number): string[] {
  const due = timeText(next, now)
  return [
    link,
    schedule,
    trouble === undefined ? (atOnce ? `now, then ${due}` : due) : `not started, tried again: ${trouble}`,
  ]
}
