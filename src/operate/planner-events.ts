import type { Blocked, TransferReport } from '../core/report.js'

/**
 * Events that a planner emits, and their payloads. All of them: to add one, declare it here, name it in
 * {@link PLANNER_EVENTS}, and call `notify` where it happens. `databay run --json` prints whatever is declared here.
 *
 * A listener that throws is logged, and disturbs nothing else.
 */
export interface PlannerEvents {
  /** A transfer has ended, also one that failed, and one that only drained buffers. */
  transfer: [report: TransferReport]
  /** A link was due and did not transfer. */
  skipped: [event: SkippedEvent]
  /** A transfer starts later after its due time than `lateAfter`, or due times were missed. */
  late: [event: LateEvent]
  /** A link with `delivery` is blocked: an outlet or inlet is unavailable. Told once, until it is not blocked any more. */
  blocked: [event: BlockedEvent]
  /** A link that was blocked is not any more. */
  unblocked: [event: UnblockedEvent]
  /** A link, or the planner as a whole, is paused. */
  paused: [event: PausedEvent]
  /** A link, or the planner as a whole, goes on after a pause. */
  resumed: [event: PausedEvent]
  /** A link could not be started, or opened again after its thread was lost or recycled: it is tried again. */
  startFailed: [event: StartFailedEvent]
  /** A link has started after all. */
  startRecovered: [event: StartRecoveredEvent]
  /** A worker thread has ended by itself, or was ended because it did not answer. */
  threadLost: [event: ThreadLostEvent]
}

/** Names of all events of {@link PlannerEvents}. */
export const PLANNER_EVENTS = Object.keys({
  transfer: true,
  skipped: true,
  late: true,
  blocked: true,
  unblocked: true,
  paused: true,
  resumed: true,
  startFailed: true,
  startRecovered: true,
  threadLost: true,
} satisfies { [event in keyof PlannerEvents]: true }) as readonly (keyof PlannerEvents)[]

/** Payload of the event `skipped`: a link was due and did not transfer. */
export interface SkippedEvent {
  /** Name of the link. */
  readonly link: string
  /** Due time, in milliseconds since 1970. */
  readonly scheduledAt: number
  /**
   * `running`: as many transfers of the link were under way as its `maxInstances` allows. `quarantined`: the link has ended
   * its thread again and again. `starting`: the link is not open, as it could not be started, or is being opened. `blocked`: what it has
   * in hand is tried again first; it transfers as soon as that is through. `paused`: the link is paused.
   */
  readonly reason: 'running' | 'quarantined' | 'starting' | 'blocked' | 'paused'
  /** Number of the link's transfers that were under way. */
  readonly running: number
}

/** Payload of the event `blocked`: a link is blocked, and tried again until it is not. */
export interface BlockedEvent extends Blocked {
  /** Name of the link. */
  readonly link: string
  /** Number of records that wait for outlets. A record that waits for two counts twice. */
  readonly waiting: number
}

/** Payload of the event `unblocked`: a link is not blocked any more. */
export interface UnblockedEvent {
  /** Name of the link. */
  readonly link: string
  /** Time of the first try that failed, in milliseconds since 1970. */
  readonly since: number
  /** Time from then to the end of the transfer that went through, in milliseconds. */
  readonly duration: number
  /** Number of tries that had failed. */
  readonly attempts: number
}

/** Payload of the events `paused` and `resumed`. */
export interface PausedEvent {
  /** Name of the link; left out for the planner as a whole. */
  readonly link?: string
}

/** Payload of the event `startFailed`: a link could not be started, and is tried again. */
export interface StartFailedEvent {
  /** Name of the link. */
  readonly link: string
  /** URL of the module that exports the link; `undefined` for a live link. */
  readonly module: string | undefined
  readonly error: Error
  /** Number of tries that have failed in a row. */
  readonly attempts: number
  /** When the link is tried again, in milliseconds since 1970. */
  readonly retryAt: number
}

/** Payload of the event `startRecovered`: a link has started after all. */
export interface StartRecoveredEvent {
  /** Name of the link. */
  readonly link: string
  /** URL of the module that exports the link; `undefined` for a live link. */
  readonly module: string | undefined
  /** Number of tries that had failed before. */
  readonly attempts: number
}

/** Payload of the event `late`: a link's transfer starts late. */
export interface LateEvent {
  /** Name of the link. */
  readonly link: string
  /** Due time, in milliseconds since 1970. */
  readonly scheduledAt: number
  /** Time since the due time, in milliseconds. */
  readonly lateness: number
  /** Number of further due times that have passed and are not made up. */
  readonly missed: number
}

/**
 * Payload of the event `threadLost`: a worker thread has ended by itself, or was ended because it did not answer. Another
 * thread takes its place, and opens the links that it hosted.
 */
export interface ThreadLostEvent {
  /** Number of the thread, from 1. */
  readonly thread: number
  /** What ended the thread. */
  readonly error: Error
  /**
   * Name of the link that ended the thread or held it up; `undefined` when that is not known. It is known when the link's code
   * ran without a pause from where it was called. What happens after an `await`, in a timer or in a rejection that nobody
   * handles is taken to be the doing of the link that transferred in the thread, if there was only one. From the second loss
   * on it is known in these cases too: the fresh thread is traced for a while, which makes its transfers slower.
   */
  readonly culprit: string | undefined
  /** End of the culprit's quarantine, in milliseconds since 1970; `undefined` when it goes on at once. */
  readonly quarantinedUntil: number | undefined
  /** Names of the links that the thread hosted. */
  readonly links: readonly string[]
  /** Number of transfers that were under way in the thread. */
  readonly transfers: number
  /** Number of records in the buffers of its links, as of their last reports. */
  readonly buffered: number
}

/** Totals of a planner since it was made. */
export interface PlannerCounts {
  /** Transfers that have ended, including those that only drain buffers. */
  readonly transfers: number
  /** Transfers with an error, including ignored errors. */
  readonly failed: number
  /** Due times at which a link did not transfer: it was still transferring, quarantined, blocked, paused, or not started. */
  readonly skipped: number
  /** Transfers that started late. */
  readonly late: number
  /** Due times that passed unnoticed, as after a stall. */
  readonly missed: number
  /**
   * Records that were in buffers, by their links' reports, and are lost outside of transfers: with their thread, as no buffer
   * took them over when their link moved, or at a removal or shutdown that could not or did not drain. The log says which.
   * What a transfer had pulled when its thread was lost is in no count, as nobody knows how much of it was pushed.
   */
  readonly lost: number
  /** Number of links that are blocked now. Absent when none is. */
  readonly blocked?: number
  /** Number of records that wait for outlets which are unavailable, now. Absent when there are none. */
  readonly waiting?: number
  /** Dead letters. Absent when there were none. */
  readonly dead?: number
  /** Records of dead letters that were run again. Absent when there were none. */
  readonly replayed?: number
}
