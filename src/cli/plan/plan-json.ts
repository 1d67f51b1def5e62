import type { LinkPlan, Plan } from './plan.js'
import type { Moment } from './at-once.js'

/** Most numbers of the curve. */
const MOST_POINTS = 1440
/** Most names of links that are due at once. */
const MOST_NAMES = 100
const MINUTE = 60_000

/** A plan as a JSON document: times are ISO 8601 in UTC, lengths of time milliseconds. What is not known is left out. */
export function planDocument(plan: Plan, transfersPerThread: number) {
  const { from, to, links, runs, counts, peaks, peaksUpTo, quiet, changes, threads, skipsUpTo } = plan
  const curve = counts.merged(Math.ceil(counts.values.length / MOST_POINTS))
  return {
    from: time(from),
    to: time(to),
    runs,
    links: links.map(linkDocument),
    curve: { from: time(from), minutes: curve.width / MINUTE, runs: [...curve.values] },
    peaks: peaks.map(({ at, names, ...peak }) => ({ at: time(at), ...peak, names: names.slice(0, MOST_NAMES) })),
    ...(peaksUpTo < to && { peaksUpTo: time(peaksUpTo) }),
    quiet: quiet.map((one) => ({ from: time(one.from), to: time(one.to) })),
    clockChanges: changes.map(({ at, first, timeZone, ...change }) => ({
      at: time(at),
      timeZone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...change,
      first: new Date(first).toISOString().slice(0, 19),
    })),
    ...(skipsUpTo < to && { skipsUpTo: time(skipsUpTo) }),
    ...(threads && {
      overlaps: { ...momentOf(threads.most), names: threads.names.slice(0, MOST_NAMES) },
      threads: {
        needed: threads.needed,
        ...momentOf(threads.neededAt),
        transfersPerThread,
        average: threads.average,
        stepOfSearch: threads.step,
        knownDurations: threads.known,
        ...(threads.unknownShare > 0 && { takenForWaiting: threads.unknownShare }),
        ...(threads.upTo < to && { upTo: time(threads.upTo) }),
      },
    }),
  }
}

function linkDocument({ first, last, next, duration, skipped, overlapping, ...link }: LinkPlan) {
  return {
    ...link,
    ...(first !== undefined && { first: time(first) }),
    ...(last !== undefined && { last: time(last) }),
    ...(next !== undefined && { next: time(next) }),
    ...(duration && { duration }),
    ...(skipped !== undefined && { skipped, overlapping }),
  }
}

function momentOf({ at, ...moment }: Moment) {
  return { at: time(at), ...moment }
}

function time(at: number): string {
  return new Date(at).toISOString()
}
