import { InvalidOptionError } from '../base/errors.js'
import { checkBoolean, checkOptions, checkCount } from '../base/check.js'
import { toMilliseconds, type Duration } from '../base/duration.js'

/** Options that every planner takes. */
export interface PlannerOptions {
  /**
   * Whether a failed transfer is logged and counted only, rather than stopping the planner.
   * @default false
   */
  readonly ignoreExceptions?: boolean
  /**
   * Whether every link (that has `immediateTransfer` too) transfers once upon starting, without waiting for its
   * interval. `start()` rejects when such a transfer fails.
   * @default true
   */
  readonly immediateTransfer?: boolean
  /**
   * Whether the planner shuts down by itself when the process is told to end (SIGINT, SIGTERM) or has nothing else
   * left to do.
   * @default false
   */
  readonly shutdownAtExit?: boolean
  /**
   * How many transfers each link makes before it is scheduled no more. When all have made theirs, the planner shuts
   * down.
   * @default Infinity
   */
  readonly transfers?: number
  /**
   * From how many seconds on a transfer that starts after its due time is reported as late. One that starts so late
   * that further due times have passed always is.
   * @default 1
   */
  readonly lateAfter?: number
  /**
   * Whether buffers release what they hold through the outlets when the planner shuts down.
   * @default true
   */
  readonly drain?: boolean
  /**
   * How long a link may take to start, and a link module to load, in seconds or as a duration; `Infinity` for ever.
   * `start()` rejects with a {@link StartTimeoutError} when one takes longer.
   * @default 60
   */
  readonly startTimeout?: number | Duration
  /**
   * How long a shutdown may take in all, in seconds or as a duration; `Infinity` for ever. Transfers that still run
   * shortly before its end are told to stop. What has not come to its end by then is abandoned: `shutdown()` rejects with a
   * {@link ShutdownTimeoutError} that says what.
   * @default 60
   */
  readonly shutdownTimeout?: number | Duration
}

/** {@link PlannerOptions}, checked and complete. Lengths of time are in milliseconds. */
export interface ResolvedPlannerOptions extends Required<Omit<PlannerOptions, 'startTimeout' | 'shutdownTimeout'>> {
  readonly startTimeout: number
  readonly shutdownTimeout: number
}

export const PLANNER_OPTIONS = [
  'ignoreExceptions',
  'immediateTransfer',
  'shutdownAtExit',
  'transfers',
  'lateAfter',
  'drain',
  'startTimeout',
  'shutdownTimeout',
] as const satisfies (keyof PlannerOptions)[]

/**
 * @param known - the names of all options that the planner takes
 * @throws {@link InvalidOptionError}
 */
export function resolvePlannerOptions(options: PlannerOptions, known: readonly string[]): ResolvedPlannerOptions {
  checkOptions(undefined, options, known)
  const { transfers, lateAfter = 1 } = options
  if (typeof lateAfter !== 'number' || !(lateAfter >= 0)) {
    throw new InvalidOptionError('lateAfter', 'a number of seconds of at least 0', lateAfter)
  }
  return Object.freeze({
    ignoreExceptions: checkBoolean('ignoreExceptions', options.ignoreExceptions, false),
    immediateTransfer: checkBoolean('immediateTransfer', options.immediateTransfer, true),
    shutdownAtExit: checkBoolean('shutdownAtExit', options.shutdownAtExit, false),
    transfers: transfers === Infinity ? Infinity : checkCount('transfers', transfers, Infinity),
    lateAfter: lateAfter * 1000,
    drain: checkBoolean('drain', options.drain, true),
    startTimeout: checkTime('startTimeout', options.startTimeout, 60_000),
    shutdownTimeout: checkTime('shutdownTimeout', options.shutdownTimeout, 60_000),
  })
}

/** A length of time, or `Infinity`, in milliseconds. */
export function checkTime(option: string, value: number | Duration | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  return value === Infinity ? Infinity : toMilliseconds(option, value)
}

export interface ShutdownOptions {
  /**
   * Whether running transfers may end; otherwise they are told to stop (`update.signal` aborts).
   * @default true
   */
  readonly wait?: boolean
  /**
   * Whether buffers release what they hold through the outlets. Without it, what they hold is logged.
   * With `wait: false` it has a second for it.
   * @default the planner's option `drain`
   */
  readonly drain?: boolean
}
