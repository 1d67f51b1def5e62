import type { Buffer } from 'node:buffer'

/** What is to be cut into records: bytes of a file from where the last record ended. */
export interface Piece<S> {
  readonly bytes: Buffer
  /** Byte of the file at which they start. */
  readonly position: number
  /** What {@link Cut.state} was there. */
  readonly state: S
  /** Whether nothing will follow, so that what is left is a record though it has no end. */
  readonly last: boolean
  /** Most records that are wanted. */
  readonly max: number
}

/** What a {@link Piece} was cut into. */
export interface Cut<T, S> {
  readonly records: readonly T[]
  /** Bytes that these records, and what was passed over, take up. */
  readonly used: number
  /** What has to be known to go on after them: plain data. */
  readonly state: S
  /** What is wrong with what comes next, if it must not be passed over. */
  readonly problem: string | undefined
  /** How many records were not taken as they stand in the file. */
  readonly damaged: number
  /** What was wrong with the first of those. */
  readonly damage: string | undefined
}

/**
 * Cuts a file into records. It keeps nothing itself, so what was cut and then not transferred is cut again.
 *
 * @typeParam T - a record
 * @typeParam S - what has to be known between two cuts
 */
export interface Splitter<T, S> {
  /** What records are called in the log. */
  readonly noun: string
  /** The state at the start of a file. */
  readonly initial: S
  isState(value: unknown): value is S
  split(piece: Piece<S>): Cut<T, S>
}
