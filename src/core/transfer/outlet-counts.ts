import type { OutletReport } from '../report.js'

/** Report of an outlet that has done nothing yet. */
export function nothingOf(outlet: string): OutletReport {
  return { outlet, pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 }
}

/** Adds up what each outlet did in rounds. */
export function addUp(some: readonly OutletReport[], others: readonly OutletReport[]): readonly OutletReport[] {
  if (some.length === 0) return others
  return some.map((one, at) => {
    const other = others[at] as OutletReport
    return {
      outlet: one.outlet,
      pushed: one.pushed + other.pushed,
      filtered: one.filtered + other.filtered,
      added: one.added + other.added,
      dropped: one.dropped + other.dropped,
      batches: one.batches + other.batches,
      buffered: other.buffered,
      ...sumOf('dead', one, other),
      ...sumOf('replayed', one, other),
      ...(other.waiting === undefined ? {} : { waiting: other.waiting }),
    }
  })
}

function sumOf(count: 'dead' | 'replayed', one: OutletReport, other: OutletReport): Partial<OutletReport> {
  const sum = (one[count] ?? 0) + (other[count] ?? 0)
  return sum === 0 ? {} : { [count]: sum }
}
