import type { Inlet } from '../inlet.js'
import type { Outlet } from '../outlet.js'
import type { AnyGrouper, AnyProcessor } from '../processor.js'

/** What of a link a transfer needs. */
export interface TransferParts {
  readonly name: string
  readonly inlets: readonly Inlet[]
  readonly outlets: readonly Outlet[]
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
  readonly copyRecords: boolean
  readonly ignoreExceptions: boolean
  readonly inletConcurrency: number
}
