import type { OutletReport, TransferReport } from '../../core/report.js'

/** What only links with `delivery` have. Numbers are of records, and absent when they are 0. */
interface DeliverySums {
  dead?: number
  replayed?: number
  /** Records that were gone from memory, with a thread, a process or a move: they are pulled again. */
  again?: number
}

/** What one outlet did in an hour. Numbers are of records. */
export interface OutletSums extends DeliverySums {
  readonly outlet: string
  /** Records that came to the outlet. */
  offered: number
  added: number
  filtered: number
  dropped: number
  pushed: number
  /** Records that waited, or were in the outlet's own buffers, before the first transfer of the hour. */
  before: number
  /** Records in the outlet's own buffers after the last transfer, and those that wait then. */
  held: number
  waiting?: number
}

/** What a link did in an hour. Numbers are of records, but for those of transfers. */
export interface HourSums extends DeliverySums {
  readonly link: string
  /** Whether the link has `delivery`: what is gone from its memory is pulled again. */
  durable?: true
  /** Hours since 1970. */
  readonly hour: number
  transfers: number
  failed: number
  /** Time that its transfers took, and time that they held their thread, in milliseconds. */
  took: number
  busy: number
  pulled: number
  added: number
  filtered: number
  dropped: number
  grouped: number
  /** Records in the link's own buffers before the first transfer of the hour, and after the last one. */
  before: number
  held: number
  /** End of the last transfer without an error, in milliseconds since 1970. */
  lastSuccessAt?: number
  /** End of the first failed transfer since the last one without an error. */
  failingSince?: number
  /** Due time of the last transfer. */
  lastScheduledAt?: number
  readonly outlets: OutletSums[]
}

/** What sums need of a report. */
export type SummedReport = Pick<
  TransferReport,
  | 'link'
  | 'scheduledAt'
  | 'startedAt'
  | 'endedAt'
  | 'busy'
  | 'pulled'
  | 'added'
  | 'filtered'
  | 'dropped'
  | 'grouped'
  | 'buffered'
  | 'dead'
  | 'replayed'
> & {
  readonly outlets: readonly OutletReport[]
  readonly errors: readonly unknown[]
}

const HOUR = 3_600_000

/** Hour in which a transfer ended. */
export function hourOf({ endedAt }: Pick<TransferReport, 'endedAt'>): number {
  return Math.floor(endedAt / HOUR)
}

/** Time at which an hour begins, in milliseconds since 1970. */
export function startOf(hour: number): number {
  return hour * HOUR
}

/** Sums of a link that has made no transfer in an hour. */
export function noSums(link: string, hour: number): HourSums {
  const counts = { pulled: 0, added: 0, filtered: 0, dropped: 0, grouped: 0, before: 0, held: 0 }
  return { link, hour, transfers: 0, failed: 0, took: 0, busy: 0, ...counts, outlets: [] }
}

/**
 * Adds a transfer to the sums of its link.
 *
 * @param isDurable - whether the link has `delivery`
 */
export function addTransfer(sums: HourSums, report: SummedReport, isDurable: boolean): void {
  const { pulled, added, filtered, dropped, grouped, buffered, endedAt, outlets, dead = 0, replayed = 0 } = report
  const isFirst = hasNone(sums)
  sums.transfers++
  sums.took += report.endedAt - report.startedAt
  sums.busy += report.busy
  sums.lastScheduledAt = report.scheduledAt
  if (report.errors.length > 0) {
    sums.failed++
    sums.failingSince ??= endedAt
  } else {
    sums.lastSuccessAt = endedAt
    delete sums.failingSince
  }
  // the report of a lost thread counts nothing, and does not know what buffers hold
  if (outlets.length === 0 && pulled === 0 && grouped === 0 && buffered === 0) return
  // every record of a transfer is accounted for: what it does not have of itself was there before
  if (isDurable) sums.durable = true
  const before = filtered + dropped + dead + grouped + buffered - pulled - replayed - added
  if (isFirst) sums.before = before
  else if (isDurable) count(sums, 'again', sums.held - before)
  sums.pulled += pulled
  sums.added += added
  sums.filtered += filtered
  sums.dropped += dropped
  sums.grouped += grouped
  count(sums, 'dead', dead)
  count(sums, 'replayed', replayed)
  sums.held = buffered
  for (let at = 0; at < outlets.length; at++) addOutlet(sums.outlets, outlets, at, grouped, isDurable)
}

/** Whether no transfer that knows its records is in sums. */
function hasNone({ outlets, pulled, grouped, held }: HourSums): boolean {
  return outlets.length === 0 && pulled === 0 && grouped === 0 && held === 0
}

/** Counts records of a kind that most links have none of. */
function count<K extends 'dead' | 'replayed' | 'again' | 'waiting'>(
  sums: { [_ in K]?: number },
  kind: K,
  records = 0,
): void {
  if (records > 0) sums[kind] = (sums[kind] ?? 0) + records
}

function addOutlet(
  all: OutletSums[],
  reports: readonly OutletReport[],
  at: number,
  grouped: number,
  isDurable: boolean,
): void {
  const { outlet, added, filtered, dropped, pushed, buffered, ...rest } = reports[at] as OutletReport
  const { dead = 0, waiting = 0, replayed = 0 } = rest
  const before = filtered + dropped + dead + pushed + buffered + waiting - grouped - replayed - added
  let sums = sumsOf(all, reports, at)
  if (sums === undefined) {
    all.push((sums = { outlet, offered: 0, added: 0, filtered: 0, dropped: 0, pushed: 0, before, held: 0 }))
  } else if (isDurable) count(sums, 'again', sums.held + (sums.waiting ?? 0) - before)
  sums.offered += grouped
  sums.added += added
  sums.filtered += filtered
  sums.dropped += dropped
  sums.pushed += pushed
  count(sums, 'dead', dead)
  count(sums, 'replayed', replayed)
  sums.held = buffered
  if (waiting > 0) sums.waiting = waiting
  else delete sums.waiting
}

/** Sums of an outlet: of those with its name, that in the same place. Outlets of a link may have changed. */
function sumsOf(
  all: OutletSums[],
  outlets: readonly { readonly outlet: string }[],
  at: number,
): OutletSums | undefined {
  const name = outlets[at]?.outlet
  if (all[at]?.outlet === name) return all[at]
  const place = outlets.slice(0, at).filter(({ outlet }) => outlet === name).length
  return all.filter(({ outlet }) => outlet === name)[place]
}

/** Adds sums of a later time to those of a link. */
export function addSums(sums: HourSums, later: HourSums): void {
  const isFirst = hasNone(sums)
  const isDurable = later.durable === true
  if (isDurable) sums.durable = true
  if (isFirst) sums.before = later.before
  else if (isDurable && !hasNone(later)) count(sums, 'again', sums.held - later.before)
  for (const name of ADDED) sums[name] += later[name]
  for (const name of DELIVERY_ADDED) count(sums, name, later[name])
  sums.held = later.held
  if (later.lastScheduledAt !== undefined) sums.lastScheduledAt = later.lastScheduledAt
  if (later.lastSuccessAt !== undefined) {
    sums.lastSuccessAt = later.lastSuccessAt
    delete sums.failingSince
  }
  if (later.failingSince !== undefined) sums.failingSince ??= later.failingSince
  for (const [at, outlet] of later.outlets.entries()) {
    const known = sumsOf(sums.outlets, later.outlets, at)
    if (known === undefined) {
      sums.outlets.push({ ...outlet })
      continue
    }
    if (isDurable) count(known, 'again', known.held + (known.waiting ?? 0) - outlet.before)
    for (const name of OUTLET_ADDED) known[name] += outlet[name]
    for (const name of DELIVERY_ADDED) count(known, name, outlet[name])
    known.held = outlet.held
    if (outlet.waiting === undefined) delete known.waiting
    else known.waiting = outlet.waiting
  }
}

const ADDED = ['transfers', 'failed', 'took', 'busy', 'pulled', 'added', 'filtered', 'dropped', 'grouped'] as const

const DELIVERY_ADDED = ['dead', 'replayed', 'again'] as const

const OUTLET_ADDED = ['offered', 'added', 'filtered', 'dropped', 'pushed'] as const
