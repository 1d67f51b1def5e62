import type { Blocked, OutletReport, ReportedError, TransferReport } from '../../core/report.js'
import type { Schedule } from '../../core/schedule.js'
import type { Database, Row, SqlValue, Statement } from '../sqlite.js'
import type { HourSums } from './hour-sums.js'

/** An error of a transfer, as the ledger keeps it: without stack and causes. */
export interface LedgerError {
  readonly node: string
  readonly stage: string
  readonly code?: string | number
  readonly message: string
}

/** A transfer in the ledger. Times are milliseconds since 1970, lengths of time milliseconds. */
export interface LedgerTransfer extends Pick<
  TransferReport,
  | 'link'
  | 'update'
  | 'thread'
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
  | 'batches'
  | 'rounds'
  | 'outlets'
  | 'dead'
  | 'replayed'
  | 'blocked'
> {
  /** Number of the row: later ones have higher ones. */
  readonly seq: number
  /** `drain` for a transfer that only let go of what buffers held. */
  readonly kind: 'transfer' | 'drain'
  readonly errors: readonly LedgerError[]
  /** Whether the link has `delivery`. Absent when not. */
  readonly durable?: true
}

/** A link of the planner that writes the ledger. */
export interface LedgerLink {
  readonly link: string
  readonly schedule: Schedule
  /** When the planner took it in. */
  readonly since: number
}

/** Most errors of a transfer that are kept, and most characters of a message. */
const MOST_ERRORS = 5
const LONGEST_MESSAGE = 500

const COLUMNS = [
  ...['seq', 'link', 'update', 'kind', 'thread', 'scheduled_at', 'started_at', 'ended_at', 'busy'],
  ...['pulled', 'added', 'filtered', 'dropped', 'grouped', 'buffered', 'batches', 'rounds', 'outlets', 'errors'],
  ...['dead', 'replayed', 'blocked', 'durable'],
]

/** SQL that inserts a transfer. */
export const INSERT_TRANSFER = `INSERT INTO transfer(${COLUMNS.map((name) => `"${name}"`).join(', ')}) VALUES(${COLUMNS.map(() => '?').join(', ')})`

/** Writes a transfer. */
export function putTransfer(
  insert: Statement,
  seq: number,
  report: TransferReport,
  kind: LedgerTransfer['kind'],
  isDurable: boolean,
): void {
  insert.run(
    seq,
    report.link,
    report.update,
    kind,
    report.thread,
    report.scheduledAt,
    report.startedAt,
    report.endedAt,
    report.busy,
    report.pulled,
    report.added,
    report.filtered,
    report.dropped,
    report.grouped,
    report.buffered,
    report.batches,
    report.rounds,
    JSON.stringify(report.outlets),
    report.errors.length === 0 ? null : JSON.stringify(report.errors.slice(0, MOST_ERRORS).map(keptError)),
    report.dead ?? 0,
    report.replayed ?? 0,
    report.blocked === undefined ? null : JSON.stringify(keptBlocked(report.blocked)),
    isDurable ? 1 : 0,
  )
}

function keptError({ node, stage, code, message }: ReportedError): LedgerError {
  return { node, stage, ...(code === undefined ? {} : { code }), message: cut(message) }
}

function keptBlocked(blocked: Blocked): Blocked {
  return { ...blocked, message: cut(blocked.message) }
}

function cut(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message
}

/** A transfer of a row. */
export function transferOf(row: Row): LedgerTransfer {
  const number = (name: string) => Number(row[name])
  const text = (name: string) => String(row[name])
  return {
    seq: number('seq'),
    link: text('link'),
    update: text('update'),
    kind: text('kind') as LedgerTransfer['kind'],
    thread: number('thread'),
    scheduledAt: number('scheduled_at'),
    startedAt: number('started_at'),
    endedAt: number('ended_at'),
    busy: number('busy'),
    pulled: number('pulled'),
    added: number('added'),
    filtered: number('filtered'),
    dropped: number('dropped'),
    grouped: number('grouped'),
    buffered: number('buffered'),
    batches: number('batches'),
    rounds: number('rounds'),
    outlets: JSON.parse(text('outlets')) as OutletReport[],
    errors: row['errors'] === null ? [] : (JSON.parse(text('errors')) as LedgerError[]),
    ...(number('durable') === 1 && { durable: true as const }),
    ...(number('dead') > 0 && { dead: number('dead') }),
    ...(number('replayed') > 0 && { replayed: number('replayed') }),
    ...(row['blocked'] !== null && { blocked: JSON.parse(text('blocked')) as Blocked }),
  }
}

/** Sums of a row. */
export function sumsOf(row: Row): HourSums {
  return JSON.parse(String(row['sums'])) as HourSums
}

/** Number of the last transfer of which the sums of all links are written; those of some links may be further. */
function summedUpTo(database: Database): number {
  return metaOf(database, 'summed')
}

/** Number of transfers that are in the sums alone, as there were too many. */
export function unlistedIn(database: Database): number {
  return metaOf(database, 'unlisted')
}

function metaOf(database: Database, key: string): number {
  return Number(database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] ?? 0)
}

/**
 * Transfers that are not in the sums yet, in their order.
 *
 * @param where - further condition
 */
export function unsummed(database: Database, where = '', ...values: readonly SqlValue[]): LedgerTransfer[] {
  const sql = `
    SELECT t.* FROM transfer t
    WHERE t.seq > ? AND t.seq > coalesce((SELECT max(upto) FROM hour h WHERE h.link = t.link AND h.upto > ?), 0) ${where}
    ORDER BY t.seq`
  const summed = summedUpTo(database)
  return database
    .prepare(sql)
    .all(summed, summed, ...values)
    .map(transferOf)
}
