import type { Buffer } from 'node:buffer'

/** Input of a splitter: bytes of a file from where the last record ended. */
export interface Piece<S> {
  readonly bytes: Buffer
  /** Offset of the bytes in the file. */
  readonly position: number
  /** State of the splitter at this offset, from {@link Cut.state}. */
  readonly state: S
  /** Whether nothing will follow, so that the rest is a record though it has no end. */
  readonly last: boolean
  /** Most records to cut. */
  readonly max: number
}

/** Result of cutting a {@link Piece}. */
export interface Cut<T, S> {
  readonly records: readonly T[]
  /** Number of bytes that these records, and skipped ones, take up. */
  readonly used: number
  /** State with which to go on after them: plain data. */
  readonly state: S
  /** Problem of the next record, if it must not be skipped. */
  readonly problem: string | undefined
  /** Number of records that were not taken as they stand in the file. */
  readonly damaged: number
  /** Problem of the first of those records. */
  readonly damage: string | undefined
  /** Whether what was used last may still be written to, so that a later reading must begin before it. */
  readonly unsettled?: boolean
}

/**
 * Cuts a file into records. It keeps no state itself, so records that were cut and then not transferred are cut again.
 *
 * @typeParam T - type of a record
 * @typeParam S - type of the state between two cuts
 */
export interface Splitter<T, S> {
  /** Name of the records in the log, like `lines`. */
  readonly noun: string
  /** The state at the start of a file. */
  readonly initial: S
  /** Loads what `split` needs. Called when the file is started. */
  load?(): void
  isState(value: unknown): value is S
  split(piece: Piece<S>): Cut<T, S>
}
