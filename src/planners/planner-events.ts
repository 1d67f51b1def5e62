import type { TransferReport } from '../core/report.js'

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
