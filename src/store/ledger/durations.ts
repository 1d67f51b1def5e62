import type { Database } from '../sqlite.js'
import type { HourSums } from './hour-sums.js'

/** How long the runs of a link took. Lengths of time are in milliseconds. */
export interface LinkDurations {
  /** Number of runs that this is known of. */
  readonly runs: number
  /** Time that 95 of 100 runs did not exceed; the mean where the ledger has sums alone. */
  readonly took: number
  /** Part of `took` for which a run holds its thread. */
  readonly busy: number
}

/** How long runs took, by link: of those without an error, or of all that are in sums. */
export function linkDurations(database: Database, sums: Iterable<HourSums>): Map<string, LinkDurations> {
  const durations = new Map<string, LinkDurations>()
  for (const { link, transfers, took, busy } of sums) {
    if (transfers > 0) durations.set(link, { runs: transfers, took: took / transfers, busy: busy / transfers })
  }
  const listed = new Map<string, { readonly took: number[]; busy: number }>()
  const sql = `SELECT link, ended_at - started_at AS took, busy FROM transfer
    WHERE kind = 'transfer' AND errors IS NULL AND blocked IS NULL`
  for (const { link, took, busy } of database.prepare(sql).all()) {
    const known = listed.get(String(link)) ?? { took: [], busy: 0 }
    listed.set(String(link), known)
    known.took.push(Number(took))
    known.busy += Number(busy)
  }
  for (const [link, { took, busy }] of listed) durations.set(link, durationsOf(took, busy))
  return durations
}

function durationsOf(all: readonly number[], busy: number): LinkDurations {
  const sorted = Float64Array.from(all).sort()
  const took = sorted[Math.ceil(0.95 * sorted.length) - 1] as number
  const sum = sorted.reduce((before, one) => before + one, 0)
  return { runs: sorted.length, took, busy: sum === 0 ? 0 : Math.min(took, (busy / sum) * took) }
}
