import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Stage, TransferReport } from '../report.js'
import type { Update } from '../update.js'

/** A transfer that begins, as far as what follows it needs to know. */
export interface TracedTransfer {
  /** Name of the link. */
  readonly link: string
  readonly update: Update
  /** Number of the thread, 0 for the main thread. */
  readonly thread: number
  /** Time at which the transfer was due, in milliseconds since 1970; `undefined` for one that was not. */
  readonly scheduledAt: number | undefined
  /** Whether buffers are drained, and nothing is pulled. */
  readonly drain: boolean
}

/** A call of a node, processor or grouper. */
export interface TracedCall {
  readonly stage: 'pull' | 'process' | 'group' | 'push'
  /** The node, processor or grouper, as it names itself. */
  readonly node: string
  /** Number of records that it is given; `undefined` for an inlet. */
  readonly given?: number | undefined
  /** Round that a list of a stream is for. */
  readonly round?: number | undefined
}

/** Follows transfers as they are made, for tracing. Transfers know it by this alone. */
export interface Tracer {
  /** Begins to follow a transfer; gives `undefined` when that is not to be. Does not throw. */
  begin(transfer: TracedTransfer): TransferTrace | undefined
}

/** Follows one transfer. */
export interface TransferTrace {
  /** Makes the transfer: what it does belongs to it. */
  run<T>(work: () => T): T
  /** Makes a round of a transfer that streams. */
  round<T>(round: number, records: number, work: () => MaybePromise<T>): MaybePromise<T>
  /** Calls a node, processor or grouper. */
  call<T>(call: TracedCall, work: () => MaybePromise<T>): MaybePromise<T>
  /** Notes an error of the transfer, also one that a call has thrown. */
  failed(error: Error, node: string, stage: Stage): void
  /** Notes the end of the transfer. */
  end(report: TransferReport): void
}

let current: Tracer | undefined

/** Tracer of this thread: follows nothing until {@link useTracer} was called. */
export const threadTracer: Tracer = { begin: (transfer) => current?.begin(transfer) }

/** Sets what follows the transfers of this thread whose links have the {@link threadTracer}. */
export function useTracer(tracer: Tracer): void {
  current = tracer
}
