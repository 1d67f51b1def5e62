import { Buffer } from 'node:buffer'
import type { FileMark } from './file-mark.js'
import type { OpenedFile } from './opened-file.js'
import type { Splitter } from './splitter.js'

/** Bytes that are read first: few want more than one record. */
const CHUNK = 65_536
/** Bytes that are read at once, at most, unless a record is longer: larger reads cost memory, and are no faster. */
const LARGEST = 262_144

/** Bytes that are read for each record that is wanted, when these are few. */
const FOR_ONE = 3840

const EMPTY = Buffer.alloc(0)

/** Place in a file between two records, and what the splitter has to know there. */
export interface Cursor<S> {
  readonly mark: FileMark
  readonly state: S
}

/** Extent of what {@link readRecords} reads. */
export interface Reading {
  /** Most records to read. */
  readonly max: number
  /**
   * Number of bytes after which no more is read, once there is a record.
   * @default Infinity
   */
  readonly bytes?: number | undefined
  /** Whether nobody writes to the file any more, so that its last record is one though it has no end. */
  readonly last: boolean
  readonly signal: AbortSignal
}

/** Result of {@link readRecords}. */
export interface RecordsRead<T, S> {
  readonly records: T[]
  /** Place after the records. */
  readonly cursor: Cursor<S>
  /** Number of records that were not taken as they stand in the file. */
  readonly damaged: number
  /** Problem of the first of those records. */
  readonly damage: string | undefined
  /** Problem of the record after these, if it must not be skipped. */
  readonly problem: string | undefined
  /** End of the file, if it was reached and its last record has no end. */
  readonly end: FileMark | undefined
  /** Whether there may be more behind the records than was read. */
  readonly isMore: boolean
  /** Number of bytes behind the records, if the end of the file was reached: those of a record that has no end yet. */
  readonly waiting: number
}

/**
 * Number of bytes to read at once with the look whether a file was rewritten. The start of a file is read whole, as much
 * is found out from it.
 */
export function aheadOf({ position }: FileMark, max: number): number {
  return position === 0 ? CHUNK : Math.min(CHUNK, max * FOR_ONE)
}

/**
 * Reads the records of a file that follow a place. Ends early at the end of the file, at a record that must not be
 * skipped, and when the file turns out to have been rewritten.
 *
 * @throws the reason of the signal
 */
export async function readRecords<T, S>(
  file: Pick<OpenedFile, 'readAfter'>,
  splitter: Splitter<T, S>,
  from: Cursor<S>,
  { max, bytes: most = Infinity, last, signal }: Reading,
): Promise<RecordsRead<T, S>> {
  const records: T[] = []
  let { mark, state } = from
  let settled = from
  let pending: Buffer = EMPTY
  let damaged = 0
  let damage: string | undefined
  let problem: string | undefined
  let end: FileMark | undefined
  let waiting = 0
  let isMore = true
  const isEnough = () => records.length >= max || (records.length > 0 && mark.position - from.mark.position >= most)
  const cut = (final: boolean): void => {
    const piece = { bytes: pending, position: mark.position, state, last: final, max: max - records.length }
    const result = splitter.split(piece)
    for (const record of result.records) records.push(record)
    mark = mark.after(pending.subarray(0, result.used))
    pending = pending.subarray(result.used)
    state = result.state
    if (result.unsettled !== true) settled = { mark, state }
    damaged += result.damaged
    damage ??= result.damage
    problem = result.problem
  }
  while (!isEnough() && problem === undefined) {
    signal.throwIfAborted()
    const here = mark.after(pending)
    // as much again as was read, within what is wanted; and as is held, so that a very long record is not copied too often
    const read = here.position - from.mark.position
    const size = Math.max(CHUNK, pending.length, Math.min(LARGEST, read, most - read))
    const bytes = await file.readAfter(here, size).catch((error: unknown) => {
      // what cannot be read does not hold up the records before it
      if (records.length === 0) throw error
    })
    isMore = bytes !== undefined && bytes.length > 0
    if (bytes === undefined) break // rewritten just now: the next look at it finds out
    if (bytes.length === 0) {
      if (last && (pending.length > 0 || settled.mark !== mark)) {
        end = mark.after(pending)
        cut(true)
      }
      waiting = mark.position + pending.length - settled.mark.position
      break
    }
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    cut(false)
  }
  return { records, cursor: settled, damaged, damage, problem, end, isMore, waiting }
}
