import type { Schedule } from './schedule.js'
import type { Duration } from '../base/duration.js'
import type { ResolvedSettings } from './link-options.js'
import type { LinkAccounts } from './link-accounts.js'
import type { Tracer } from './transfer/tracing.js'
import type { CountsSoFar, TransferReport } from './report.js'

/**
 * What a planner knows of a link: when it is due, and how to start, transfer and stop it. A live `Link` is one, and
 * so is a link that is hosted by a worker thread.
 */
export interface PlannedLink {
  /** Identifies the link in its planner; `undefined` for a live link without the option. */
  readonly id?: string | undefined
  /** Name of the link in logs, events and reports: its id, or else its tags. */
  readonly name: string
  /** Labels of the link. */
  readonly tags: readonly string[]
  /** Due times of the link: those of its settings, unless its interval was changed. */
  readonly schedule: Schedule
  /** Settings of the link that planners go by. */
  readonly settings: Pick<ResolvedSettings, 'immediateTransfer' | 'ignoreExceptions' | 'maxInstances'> &
    Partial<Pick<ResolvedSettings, 'onStartFailure' | 'delivery' | 'catchUp' | 'retry'>>
  /** URL of the module that exports the link; `undefined` for a live link. */
  readonly module?: string
  /**
   * Whether the link is open, so that transfers need not wait for that; `undefined` for a link that is as long as it is
   * started. One that moves between threads counts as open.
   */
  readonly isOpen?: boolean
  /**
   * Until when it may not transfer, in milliseconds since 1970, as it has ended its thread again and again; `undefined`
   * when it may.
   */
  readonly quarantinedUntil?: number | undefined
  /** Numbers of the threads that host the link, from 1; `undefined` for a link on the main thread. */
  readonly threadNumbers?: readonly number[]
  /** What the link mostly does: waits, or computes; `undefined` while that is not known. */
  readonly lane?: 'io' | 'cpu' | undefined
  /** Number of records in the link's buffers; of a link in a thread, as of its last report. */
  readonly buffered?: number
  /**
   * Accounts of the link's records, kept by a link that knows more of them than its reports tell; `undefined` for others,
   * and before the first report.
   * @internal
   */
  readonly accounts?: LinkAccounts | undefined
  /**
   * Numbers of the link's inlets where they are in a thread, with their classes: what links share has one number.
   * @internal
   */
  readonly inletInstances?: ReadonlyMap<unknown, string>
  /**
   * Numbers of the link's outlets, and of whatever follows them, where they are in a thread: what links share has one.
   * @internal
   */
  readonly outletInstances?: readonly number[]
  /**
   * Counts so far of the transfers that stream now.
   * @internal
   */
  readonly streaming?: readonly CountsSoFar[]
  /** Makes one transfer. Never rejects: what went wrong is in the report. */
  transfer(request?: TransferRequest): Promise<TransferReport>
  /**
   * Makes one transfer for a due time. Nobody waits for it, so no promise is made, which counts with thousands of links.
   *
   * @param ended - called with the report
   * @internal
   */
  transferDue?(scheduledAt: number, ended: (report: TransferReport) => void): void
  /**
   * Releases what buffers hold, through the outlets, without pulling. `undefined` when there is nothing to release.
   */
  drain(): Promise<TransferReport | undefined>
  /** Tells running transfers to stop. */
  cancel(reason: Error): void
  /** Tells running transfers that stream to end with what they have pulled. */
  endStreams?(): void
  /**
   * Sets how long streams that are told to end are waited for, in milliseconds.
   * @internal
   */
  setStreamGrace?(grace: number): void
  /**
   * Sets what follows its transfers on the main thread; `undefined` for nothing.
   * @internal
   */
  setTracer?(tracer: Tracer | undefined): void
  /** Fails transfers that wait for the link to be opened. */
  endWaiting?(reason: Error): void
  /** Starts the link's nodes; when one fails, those that were started are shut down, and this rejects. */
  onStart(): Promise<void>
  /** Shuts the link's nodes down, all of them even when some fail; rejects with what failed. */
  onShutdown(): Promise<void>
  /**
   * Changes how often it is due, in seconds or as a duration, also while a planner runs it: its next due time is one new
   * interval from now.
   */
  setInterval?(interval: number | Duration): void
  /** Has a listener called when its schedule has changed, until the returned function is called. */
  onReschedule?(listener: () => void): () => void
  /** The link in a log: its tags, nodes and interval. */
  toString(): string
}

/** Whether the store keeps how far a link has come: what it has in memory is pulled again when that is gone. */
export function isDurable({ settings }: { readonly settings: PlannedLink['settings'] }): boolean {
  return settings.delivery !== undefined && settings.delivery !== 'memory'
}

export interface TransferRequest {
  /**
   * When the transfer was due, in milliseconds since 1970.
   * @default Date.now()
   */
  readonly scheduledAt?: number
  /** Called when the transfer turns out to stream: as its second round begins, or when it is not over soon. */
  readonly streams?: (() => void) | undefined
  /**
   * Whether a blocked link is only to try again what failed: it pulls nothing further once its outlets have taken that. One that
   * is not blocked, or has nothing in hand, transfers as usual.
   * @default false
   */
  readonly retry?: boolean
}
