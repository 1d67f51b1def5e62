import { DatabayError, isError } from '../base/errors.js'
import { failureClass } from './failure-class.js'

/** An outlet or a processor cannot take a record because of its payload. The message never shows the payload. */
export class InvalidPayloadError extends DatabayError {
  static override readonly code = 'DATABAY_INVALID_PAYLOAD'

  static override readonly retryable = false
}

/** An outlet did not try to take a record, as it takes it only together with another one, which it refuses. */
export class UntriedRecordError extends DatabayError {
  static override readonly code = 'DATABAY_UNTRIED_RECORD'

  static override readonly retryable = true
}

/** A record that an outlet did not take. */
export interface RejectedRecord {
  /** Its place in the batch. */
  readonly index: number
  /**
   * Why it was not taken. A link with `delivery` makes a dead letter of the record, unless this is an error of the outlet, such
   * as ECONNRESET: then the record was not refused, and is pushed again.
   */
  readonly error: Error
}

/** Numbers of reasons, and of places of records for each reason, that the message of a {@link PartialPushError} names. */
const SHOWN_REASONS = 3

const SHOWN_PLACES = 10

/**
 * What an outlet's `push` rejects with when it took some records of its batch and not the others. A transfer counts
 * the taken ones as pushed, and the rest as dropped; with `delivery`, see {@link RejectedRecord.error}. The message names the places of a few of them in the batch,
 * from 0, and why they were not taken. The first of their errors is the `cause`.
 */
export class PartialPushError extends DatabayError {
  static override readonly code = 'DATABAY_PARTIAL_PUSH'

  /** Number of records of the batch that were taken. */
  readonly taken: number
  /** Not enumerable, so that no log line holds all of them: they can be as many as the records of a batch. */
  declare readonly rejected: readonly RejectedRecord[]

  /** @param outlet - name of the outlet, for the message */
  constructor(outlet: string, taken: number, rejected: readonly RejectedRecord[]) {
    const total = taken + rejected.length
    const message = [`${outlet}: ${rejected.length} of ${total} records were not taken`, ...reasons(rejected)].join(
      ': ',
    )
    super(message, { cause: rejected[0]?.error })
    this.taken = taken
    Object.defineProperty(this, 'rejected', { value: rejected })
  }
}

function reasons(rejected: readonly RejectedRecord[]): string[] {
  if (rejected.length === 0) return []
  const places = new Map<string, number[]>()
  for (const { index, error } of rejected) {
    const same = places.get(error.message)
    if (same === undefined) places.set(error.message, [index])
    else same.push(index)
  }
  const texts = [...places].slice(0, SHOWN_REASONS).map(([why, indices]) => {
    const more = indices.length > SHOWN_PLACES ? ', \u2026' : ''
    return `${why} (${indices.length === 1 ? 'record' : 'records'} ${indices.slice(0, SHOWN_PLACES).join(', ')}${more})`
  })
  return [texts.join('; ') + (places.size > SHOWN_REASONS ? '; \u2026' : '')]
}

/**
 * Notes on the error of a push that took nothing which records are to blame. The others may be taken without them.
 *
 * @returns the error
 */
export function blameRecords(error: Error, rejected: readonly RejectedRecord[]): Error {
  if (rejected.length === 0) return error
  // as in a PartialPushError, no log line is to hold all of them
  Object.defineProperty(ofRecord(error), 'rejected', { value: rejected, configurable: true })
  return error
}

/** Records that the error of a push blames, by {@link blameRecords}. */
export function blamedRecords(error: Error): readonly RejectedRecord[] {
  return 'rejected' in error && Array.isArray(error.rejected) ? (error.rejected as RejectedRecord[]) : []
}

/** Whether the error of a push says that the outlet refuses records, each by an error of the record, and nothing else. */
export function isOfRecords(error: unknown): boolean {
  if (!isError(error)) return false
  const rejected = blamedRecords(error)
  return (rejected.length === 0 ? [error] : rejected.map(({ error: why }) => why)).every(
    (one) => failureClass(one) === 'refused',
  )
}

/** Notes on an error that it is of a record, which will be refused each time. */
export function ofRecord<E extends Error>(error: E): E {
  return Object.assign(error, { retryable: false })
}

/** Number of records that a `push` took although it rejected with `error`, of this or of another copy of this package. */
export function takenDespite(error: unknown): number {
  if (!isError(error) || !('code' in error) || error.code !== PartialPushError.code) return 0
  return 'taken' in error && Number.isSafeInteger(error.taken) ? (error.taken as number) : 0
}
