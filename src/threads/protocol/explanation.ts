import type { ReportedError } from '../../core/report.js'
import type { Metadata } from '../../core/record.js'
import type { LinkAddress } from './link-description.js'

/** What is to be shown of one pull of a link. */
export interface ExplainRequest extends LinkAddress {
  /** Records that go in instead of a pull; `undefined` for a pull. */
  readonly given: readonly GivenRecord[] | undefined
  /** Most records that are shown of each stage. */
  readonly records: number
  /** Time that it may take, in milliseconds. */
  readonly timeout: number
  /** Whether values are left out. */
  readonly redact: boolean
  /** Whether inlets may be pulled that do more than read. */
  readonly isConfirmed: boolean
}

/** A record that goes in instead of a pull. */
export interface GivenRecord {
  readonly payload: unknown
  readonly metadata?: Metadata
}

/** A value of a record that a stage has changed, as text; left out on the side where there is none. */
export interface FieldChange {
  readonly field: string
  readonly before?: string
  readonly after?: string
}

/** What a stage did with a record. */
export interface ShownRecord {
  readonly kind: 'pulled' | 'same' | 'changed' | 'dropped' | 'held' | 'added' | 'batch' | 'pushed' | 'failed'
  /** The record as text, as it came in where it did. */
  readonly text: string
  readonly fields?: readonly FieldChange[]
}

/** What went through a stage. */
export interface ExplainedStage {
  readonly stage: 'pull' | 'process' | 'group' | 'push'
  /** The node, as it names itself. */
  readonly node: string
  /** Outlet that a processor belongs to. */
  readonly outlet?: string
  readonly calls: number
  /** Time that the calls took, in milliseconds. */
  readonly took: number
  readonly recordsIn: number
  readonly recordsOut: number
  /** Records that it holds back now. */
  readonly held: number
  readonly changed: number
  readonly dropped: number
  readonly added: number
  /** Sizes of the batches that it gave or was given. */
  readonly batches: readonly number[]
  /** The first records. */
  readonly shown: readonly ShownRecord[]
  readonly error?: ReportedError
}

/** An inlet that does more than read when it is pulled. */
export interface PullEffect {
  readonly node: string
  readonly effect: string
}

/** What one pull of a link comes to. */
export interface Explanation {
  /** Inlets that may be pulled only when that is confirmed; then nothing was done. */
  readonly unconfirmed: readonly PullEffect[]
  readonly stages: readonly ExplainedStage[]
  /** Cursors at which the inlets began; left out for a link without `delivery`. */
  readonly cursors?: readonly { readonly inlet: string; readonly value: string }[]
  readonly errors: readonly ReportedError[]
  /** Length of the transfer, in milliseconds. */
  readonly took: number
}

/** Explanation of a link of which nothing was done. */
export const NOTHING_DONE: Omit<Explanation, 'unconfirmed'> = { stages: [], errors: [], took: 0 }
