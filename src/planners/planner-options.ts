import { checkBoolean, checkCount, checkOptions } from '../base/check.js'
import { InvalidOptionError } from '../base/errors.js'
import { toMilliseconds, type Duration } from '../core/schedule.js'
import type { TransferReport } from '../core/report.js'

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

/** A link was due and did not transfer. */
export interface SkippedEvent {
  readonly link: string
  /** When it was due, in milliseconds since 1970. */
  readonly scheduledAt: number
  /**
   * Why: as many of its transfers as `maxInstances` allows were still `running`, or it was `quarantined`, as it had ended
   * its thread again and again.
   */
  readonly reason: 'running' | 'quarantined'
  /** How many of its transfers were running. */
  readonly running: number
}

/** A link's transfer started late. */
export interface LateEvent {
  readonly link: string
  /** When it was due, in milliseconds since 1970. */
  readonly scheduledAt: number
  /** How late it is, in milliseconds. */
  readonly lateness: number
  /** How many further due times have passed and are not made up. */
  readonly missed: number
}

/**
 * A worker thread ended by itself, or was ended as it did not answer. Another takes its place, and the links that it
 * hosted are opened there.
 */
export interface ThreadLostEvent {
  /** Number of the thread, from 1. */
  readonly thread: number
  readonly error: Error
  /**
   * The link that ended it or held it up; `undefined` when that is not known. It is known when its code went on without a
   * pause from where it was called. What happens after an `await`, in a timer or in a rejection that nobody handles is taken to
   * be the doing of the only link that transferred in the thread, if there was only one. From the second loss on it is known
   * then, too: whose code the thread is in is watched more closely for a while, which makes its transfers dearer.
   */
  readonly culprit: string | undefined
  /** Until when that link makes no transfers, in milliseconds since 1970; `undefined` when it goes on at once. */
  readonly quarantinedUntil: number | undefined
  /** The links that it hosted. */
  readonly links: readonly string[]
  /** How many transfers were in it. */
  readonly transfers: number
  /** How many records its links held in buffers, as of their last reports. */
  readonly buffered: number
}

/** What planners emit, and with what. */
export interface PlannerEvents {
  transfer: [report: TransferReport]
  skipped: [event: SkippedEvent]
  late: [event: LateEvent]
  threadLost: [event: ThreadLostEvent]
}

/** What a planner did since it was made. */
export interface PlannerCounts {
  /** Transfers that were made, those that drain buffers too. */
  readonly transfers: number
  /** Transfers with an error, ignored ones too. */
  readonly failed: number
  /** Due times at which a link was still transferring, or was quarantined. */
  readonly skipped: number
  readonly late: number
  /** Due times that passed unnoticed, as after a stall. */
  readonly missed: number
  /**
   * Records in buffers that were lost with their thread, as of their links' last reports, or that could neither be handed
   * over nor released when their link left it.
   */
  readonly lost: number
}
