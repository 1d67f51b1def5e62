import type { BasePlanner } from '../../planners/base-planner.js'
import { PLANNER_EVENTS, type PlannerEvents } from '../../operate/planner-events.js'
import { isError } from '../../base/errors.js'
import { plainError, type PlainError } from '../../base/plain-error.js'
import type { StartRow } from './start-table.js'
import type { Outcome } from './summary.js'
import type { StopSignal } from '../../base/stop-signals.js'

/** An event that `--json` prints, as one line of JSON. `time` is milliseconds since 1970. */
export type JsonEvent = { readonly time: number } & (
  | {
      readonly event: 'started'
      readonly threads: number
      readonly modules: readonly string[]
      readonly links: readonly string[]
      /** When each link is due. */
      readonly schedules: readonly StartRow[]
    }
  | PlannerJsonEvent
  | { readonly event: 'reloaded'; readonly module: string; readonly links: readonly string[] }
  | { readonly event: 'reloadFailed'; readonly module: string; readonly error: PlainError }
  | { readonly event: 'stopping'; readonly signal: StopSignal }
  | ({ readonly event: 'finished' } & Finish & Outcome)
)

/** An event of a planner: the fields of its payload, errors as plain data. A transfer has its report in one field. */
type PlannerJsonEvent = {
  [K in keyof PlannerEvents]: { readonly event: K } & Fields<K, PlannerEvents[K][0]>
}[keyof PlannerEvents]

type Fields<K, Payload> = K extends 'transfer'
  ? { readonly report: Payload }
  : { readonly [F in keyof Payload]: Payload[F] extends Error ? PlainError : Payload[F] }

/** End of a run, as the event `finished` tells it. */
export interface Finish {
  /** Exit code of the process. */
  readonly code: number
  readonly error?: PlainError
  /** Work that was under way when a second signal stopped the run. */
  readonly abandoned?: Abandoned
}

/** Work that a second signal cuts off. */
export interface Abandoned {
  /** Number of transfers that ran. */
  readonly transfers: number
  /** Number of records in buffers, as of the last reports. */
  readonly buffered: number
}

/** An event as a line of JSON. */
export function jsonLine(event: JsonEvent): string {
  return `${JSON.stringify(event)}\n`
}

/**
 * Passes all events of a planner on.
 *
 * @returns a function that stops it
 */
export function passEvents(planner: BasePlanner, emit: (event: JsonEvent) => void): () => void {
  const stops = PLANNER_EVENTS.map((event) => {
    const pass = (payload: object) => {
      const fields = event === 'transfer' ? { report: payload } : withPlainErrors(payload)
      emit({ event, time: Date.now(), ...fields } as JsonEvent)
    }
    planner.on(event, pass)
    return () => planner.off(event, pass)
  })
  return () => {
    for (const stop of stops) stop()
  }
}

function withPlainErrors(payload: object): object {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, isError(value) ? plainError(value) : (value as unknown)]),
  )
}
