import type { Warnings } from '../../../base/warnings.js'
import type { PostgresConnection } from '../client.js'
import type { PgCopyStreams } from '../copy-driver.js'
import type { PostgresOutletSettings } from './outlet-options.js'
import type { KnownTables } from './rows.js'
import type { TransactionId } from './transaction.js'

/** Parts that the pushes of an outlet share. */
export interface Pushing {
  readonly settings: PostgresOutletSettings
  readonly connection: PostgresConnection
  readonly copy: PgCopyStreams | undefined
  readonly known: KnownTables
  readonly warnings: Warnings
  /** Transactions of which it is not known whether they were committed, by a digest of their batch. */
  readonly doubts: Map<string, Doubt>
}

/** Transaction of which it is not known whether it was committed. */
export interface Doubt {
  readonly id: TransactionId
  /** Whether it was asked to commit. Otherwise it was not, but may still hold its locks. */
  readonly isCommitting: boolean
  /** Errors of the records that it left out, by their place. */
  readonly refused: ReadonlyMap<number, Error>
}
