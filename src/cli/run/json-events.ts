import type { BasePlanner } from '../../planners/base-planner.js'
import type { LateEvent, SkippedEvent, ThreadLostEvent } from '../../planners/planner-events.js'
import type { TransferReport } from '../../core/report.js'
import { plainError, type PlainError } from '../../base/plain-error.js'
import type { Outcome } from './summary.js'
import type { StopSignal } from '../process-context.js'

/** What `--json` prints, one object a line. `time` is milliseconds since 1970. */
export type JsonEvent = { readonly time: number } & (
  | {
      readonly event: 'started'
      readonly threads: number
      readonly modules: readonly string[]
      readonly links: readonly string[]
    }
  | { readonly event: 'transfer'; readonly report: TransferReport }
  | ({ readonly event: 'skipped' } & SkippedEvent)
  | ({ readonly event: 'late' } & LateEvent)
  | ({ readonly event: 'threadLost'; readonly error: PlainError } & Omit<ThreadLostEvent, 'error'>)
  | { readonly event: 'reloaded'; readonly module: string; readonly links: readonly string[] }
  | { readonly event: 'reloadFailed'; readonly module: string; readonly error: PlainError }
  | { readonly event: 'stopping'; readonly signal: StopSignal }
  | ({ readonly event: 'finished' } & Finish & Outcome)
)

/** How a run ended. */
export interface Finish {
  /** Exit code of the process. */
  readonly code: number
  readonly error?: PlainError
  /** What was under way when a second signal stopped it. */
  readonly abandoned?: Abandoned
}

export interface Abandoned {
  readonly transfers: number
  /** Records in buffers, as of the last reports. */
  readonly buffered: number
}

/** The line of an event. */
export function jsonLine(event: JsonEvent): string {
  return `${JSON.stringify(event)}\n`
}

/**
 * Passes a planner's events on.
 *
 * @returns a function that ends it
 */
export function passEvents(planner: BasePlanner, emit: (event: JsonEvent) => void): () => void {
  const onTransfer = (report: TransferReport) => emit({ event: 'transfer', time: Date.now(), report })
  const onSkipped = (event: SkippedEvent) => emit({ event: 'skipped', time: Date.now(), ...event })
  const onLate = (event: LateEvent) => emit({ event: 'late', time: Date.now(), ...event })
  const onThreadLost = ({ error, ...event }: ThreadLostEvent) =>
    emit({ event: 'threadLost', time: Date.now(), ...event, error: plainError(error) })
  planner.on('transfer', onTransfer)
  planner.on('skipped', onSkipped)
  planner.on('late', onLate)
  planner.on('threadLost', onThreadLost)
  return () => {
    planner.off('transfer', onTransfer)
    planner.off('skipped', onSkipped)
    planner.off('late', onLate)
    planner.off('threadLost', onThreadLost)
  }
}
