import type { Record } from '../core/record.js'
import type { Transfers } from '../core/transfer/holdings.js'
import type { Update } from '../core/update.js'

/** Records for one outlet that it has not taken, and that are not dead letters. */
export interface WaitingBatch {
  /** In their order. */
  records: readonly Record[]
  /** Transfers whose records they are. */
  readonly transfers: Transfers
  /** Update of the transfer that brought them. */
  readonly update: Update
  /** Place of the first of the outlet's processors that has not seen them. */
  readonly firstProcessor: number
  /** Whether they are dead letters that are delivered again. */
  readonly isReplay: boolean
  /** Number of pushes of them that failed. */
  attempts: number
  /** Number of pushes that failed since other records of it were taken; `undefined` while none were. */
  suspicions: number | undefined
  /** Number of times that each record was refused by name. */
  readonly refusals: Map<Record, number>
}

/** Holds the transfers of a batch, as a buffer does: they are not settled before it is. */
export function hold({ transfers }: WaitingBatch): void {
  for (const transfer of transfers) transfer.held++
}

/** Lets go of what {@link hold} held. */
export function release({ transfers }: WaitingBatch): void {
  for (const transfer of transfers) transfer.held--
}
