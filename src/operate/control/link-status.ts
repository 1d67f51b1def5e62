import { failureText } from '../../core/report.js'
import type { LinkStats } from '../planner-stats.js'

/**
 * What a link is doing, or what is wrong with it: the first of these that holds.
 *
 * - `quarantined`: it has ended its thread again and again
 * - `starting`: it could not be started, and is tried again
 * - `blocked`: an outlet or inlet of a link with `delivery` is unavailable
 * - `failing`: its last transfer had an error
 * - `paused`, `running`, `ok`
 * - `new`: it has made no transfer yet
 */
export type LinkState = (typeof LINK_STATES)[number]

/** All states of a link, those that somebody should look at first. */
export const LINK_STATES = ['quarantined', 'starting', 'blocked', 'failing', 'paused', 'running', 'ok', 'new'] as const

const TROUBLE: readonly LinkState[] = ['quarantined', 'starting', 'blocked', 'failing']

/** State of a link as `databay status` tells it. Times are in milliseconds since 1970, lengths of time in milliseconds. */
export interface LinkStatus {
  /** Name of the link. */
  readonly link: string
  readonly id?: string
  readonly tags: readonly string[]
  /** URL of the link module; absent for a live link. */
  readonly module?: string
  /** Schedule in words. */
  readonly schedule: string
  readonly state: LinkState
  /** What is wrong, in words; absent when nothing is. */
  readonly trouble?: string
  /** Since when that is so; absent when it is not known. */
  readonly since?: number
  /** Transfers, or tries, that have failed in a row; absent when there are none. */
  readonly failures?: number
  /** Whether the link is paused by itself. */
  readonly paused: boolean
  /** Transfers that run now. */
  readonly running: number
  /** The last transfer that has ended; absent before the first. */
  readonly last?: { readonly endedAt: number; readonly duration: number; readonly failed: boolean }
  /** End of the last transfer without an error. */
  readonly lastSuccessAt?: number
  /** When it is due next, or tried again; absent when it is not. */
  readonly nextDueAt?: number
  readonly transfers: number
  readonly failed: number
  readonly skipped: number
  readonly late: number
  /** Records that were pulled, and pushed, in all. */
  readonly pulled: number
  readonly pushed: number
  /** Records in buffers, records that wait for outlets, and dead letters. */
  readonly buffered: number
  readonly waiting: number
  readonly dead: number
  readonly durationP50: number
  readonly durationP99: number
  readonly latenessP99: number
  /** Numbers of the threads that host it. */
  readonly threads: readonly number[]
}

/** Whether a state is one in which something is wrong. */
export function isTrouble(state: LinkState): boolean {
  return TROUBLE.includes(state)
}

/**
 * What there is to tell of a link.
 *
 * @param isPaused - whether the planner as a whole is paused
 */
export function linkStatus(stats: LinkStats, now: number, isPaused: boolean): LinkStatus {
  const { link, id, tags, module, schedule, paused, running, lastReport, lastSuccessAt, nextDueAt } = stats
  const { transfers, failed, skipped, late, pulled, pushed, buffered, waiting = 0, dead = 0 } = stats
  return {
    ...{ link, ...(id !== undefined && { id }), tags, ...(module !== undefined && { module }), schedule },
    ...{ paused, running },
    ...(lastReport !== undefined && {
      last: {
        endedAt: lastReport.endedAt,
        duration: lastReport.endedAt - lastReport.startedAt,
        failed: lastReport.errors.length > 0,
      },
    }),
    ...(lastSuccessAt !== undefined && { lastSuccessAt }),
    ...(nextDueAt !== undefined && { nextDueAt }),
    ...stateOf(stats, now, isPaused || paused),
    ...{ transfers, failed, skipped, late, pulled, pushed, buffered, waiting, dead },
    ...{ durationP50: stats.durations.p50, durationP99: stats.durations.p99, latenessP99: stats.lateness.p99 },
    threads: stats.threads,
  }
}

type Condition = Pick<LinkStatus, 'state' | 'trouble' | 'since' | 'failures' | 'nextDueAt'>

/** @param isPaused - whether it is not tried again: it is paused, by itself or with the planner */
function stateOf(stats: LinkStats, now: number, isPaused: boolean): Condition {
  const { quarantinedUntil, startFailure, blocked, consecutiveFailures, lastError, paused, running, transfers } = stats
  if (quarantinedUntil !== undefined && quarantinedUntil > now)
    return { state: 'quarantined', trouble: 'it has ended its thread again and again', nextDueAt: quarantinedUntil }
  if (startFailure !== undefined) {
    const { message, attempts, retryAt } = startFailure
    return { state: 'starting', trouble: message, failures: attempts, nextDueAt: retryAt }
  }
  if (blocked !== undefined) {
    const { since, attempts, retryAt } = blocked
    const condition = { state: 'blocked', trouble: failureText(blocked), since, failures: attempts } as const
    return isPaused ? condition : { ...condition, nextDueAt: retryAt }
  }
  if (consecutiveFailures > 0) {
    const trouble = lastError === undefined ? 'its last transfer failed' : failureText(lastError)
    return { state: 'failing', trouble, failures: consecutiveFailures }
  }
  if (paused) return { state: 'paused' }
  if (running > 0) return { state: 'running' }
  return { state: transfers > 0 ? 'ok' : 'new' }
}
