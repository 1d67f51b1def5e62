import { counted } from '../../base/counted.js'
import type { BlockedEvent, PlannerCounts } from '../../operate/planner-events.js'
import { blockedText } from './status-text.js'
import type { Totals } from './totals.js'

/** Outcome of a run. */
export interface Outcome {
  readonly links: number
  readonly counts: PlannerCounts
  readonly totals: Totals
  /** Links that are blocked at the end; left out when there are none. */
  readonly blocked?: readonly BlockedEvent[]
  /** Duration of the run, in milliseconds. */
  readonly elapsed: number
}

/** The outcome on one line: `120 transfers of 4 links in 12.3 s: 3412 records pulled, 3412 pushed, 0 dropped; 0 failed, 0 late, 0 skipped`. */
export function summaryText({ links, counts, totals, blocked = [], elapsed }: Outcome): string {
  const made = `${counted(counts.transfers, 'transfer')} of ${counted(links, 'link')} in ${seconds(elapsed)}`
  const records = `${counted(totals.pulled, 'record')} pulled, ${totals.pushed} pushed, ${totals.dropped} dropped`
  const missed = counts.missed === 0 ? '' : `, ${counted(counts.missed, 'due time')} missed`
  const lost = counts.lost === 0 ? '' : `, ${counts.lost} lost with their thread`
  const dead = counts.dead === undefined ? '' : `, ${counted(counts.dead, 'dead letter')}`
  const stuck = blocked.length === 0 ? '' : `, ${blockedText(blocked.length, waitingIn(blocked))}`
  return `${made}: ${records}${dead}${lost}; ${counts.failed} failed, ${counts.late} late, ${counts.skipped} skipped${missed}${stuck}`
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 100_000 ? 1 : 0)} s`
}

/** Number of records that wait in blocked links. */
export function waitingIn(blocked: readonly BlockedEvent[]): number {
  return blocked.reduce((sum, { waiting }) => sum + waiting, 0)
}
