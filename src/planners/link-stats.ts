import type { PlannedLink } from '../core/planned-link.js'
import type { CountsSoFar } from '../core/report.js'
import { scheduleText } from '../core/schedule.js'
import type { LinkStats } from '../operate/planner-stats.js'
import { bufferedIn, NOTHING, type ReadState } from './link-reading.js'
import type { PlannerAccounts } from './planner-accounts.js'

const NO_THREADS: readonly number[] = Object.freeze([])

/** Stats of a link, as plain data. The accounts must be settled. */
export function readStats(
  link: PlannedLink,
  { running, paused, startFailure, counters = NOTHING }: ReadState,
  accounts: PlannerAccounts,
  { blocked, nextDueAt }: { readonly [name in 'blocked' | 'nextDueAt']: LinkStats[name] | undefined },
): LinkStats {
  const { id, module, lane, quarantinedUntil } = link
  const streaming = streamingOf(link)
  const sums = accounts.sums(link)
  return {
    link: link.name,
    ...(id !== undefined && { id }),
    tags: link.tags,
    ...(module !== undefined && { module }),
    threads: link.threadNumbers ?? NO_THREADS,
    ...(lane && { lane }),
    schedule: scheduleText(link.schedule),
    ...(nextDueAt !== undefined && { nextDueAt }),
    paused,
    running,
    ...(streaming.length > 0 && { streaming }),
    pulled: sums?.pulled ?? 0,
    pushed: sums?.pushed ?? 0,
    buffered: accounts.held(link) ?? bufferedIn(link),
    outlets: accounts.read(link),
    ...counters.read(),
    ...(quarantinedUntil === undefined ? {} : { quarantinedUntil }),
    ...(startFailure === undefined ? {} : { startFailure: startFailureOf(startFailure) }),
    ...(blocked && { blocked }),
    ...accounts.undelivered(link),
  }
}

function startFailureOf({ error: { message }, attempts, retryAt }: NonNullable<ReadState['startFailure']>) {
  return { message, attempts, retryAt }
}

/** Counts so far of the transfers of a link that stream now. */
export function streamingOf({ streaming = [] }: PlannedLink): readonly CountsSoFar[] {
  return streaming
}
