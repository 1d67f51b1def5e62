import type { Inlet } from '../inlet.js'
import type { ResolvedSettings } from '../link-options.js'
import type { Outlet } from '../outlet.js'
import type { TroubleLog } from '../trouble-log.js'
import type { AnyGrouper, AnyProcessor } from '../processor.js'
import type { TimedStages } from './stage-times.js'
import type { StreamProgress } from './stream-progress.js'
import type { Tracer } from './tracing.js'
import type { UnsettledTransfers } from './unsettled.js'
import type { Waits } from './waits.js'

/** The parts of a link that a transfer needs. */
export interface TransferParts {
  readonly name: string
  readonly inlets: readonly Inlet[]
  readonly outlets: readonly Outlet[]
  readonly processors: readonly AnyProcessor[]
  /**
   * Place of the first of the processors in the link.
   * @default 0
   */
  readonly firstProcessor?: number
  readonly groupers: readonly AnyGrouper[]
  /** The stages that these parts make. */
  readonly stages: TimedStages
  readonly settings: ResolvedSettings
  /** What follows transfers. Default: nothing does. */
  readonly tracer?: Tracer | undefined
  /** Log of what goes wrong. Default: each time has its line. */
  readonly troubles?: TroubleLog
  /** The link's transfers whose records are in buffers still. */
  readonly unsettled: UnsettledTransfers
  /** Transfers of the link that stream now. Default: nobody wants to know. */
  readonly streaming?: StreamProgress[]
  /** Timers for transfers that stream. Default: nothing is waited for. */
  readonly waits?: Waits
}
