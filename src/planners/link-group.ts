import { StartTimeoutError, toError, TransferCancelledError } from '../base/errors.js'
import { LONGEST_TIMER } from '../base/duration.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import { StopLimit } from './stop-limit.js'
import { throwAny } from '../base/many-errors.js'

/** Times that links may take, in milliseconds. */
interface Limits {
  readonly startTimeout: number
  readonly shutdownTimeout: number
}

/** Failure of a link to start. */
interface Failure {
  readonly error: unknown
}

/**
 * Starts links, all at once; when one fails, those that started are shut down in reverse.
 *
 * @throws the error of the link that failed, or an `AggregateError` of several
 */
export async function startLinks(links: readonly PlannedLink[], limits: Limits): Promise<void> {
  const failures = await startAll(links, limits.startTimeout)
  if (failures.size === 0) return
  const limit = new StopLimit(limits.shutdownTimeout)
  await stopLinks(
    links.filter((_, index) => !failures.has(index)),
    limit,
  )
  limit.end()
  const errors = links.flatMap((_, index) => failures.get(index) ?? []).map(({ error }) => error)
  throwAny(errors, 'several links failed to start')
}

/**
 * Starts links. A link that takes too long is not waited for; should it start later, it is shut down. One timer and one
 * promise serve all links: they may be thousands.
 *
 * @returns the failures, by the index of their link
 */
function startAll(links: readonly PlannedLink[], limit: number): Promise<ReadonlyMap<number, Failure>> {
  const failures = new Map<number, Failure>()
  const waiting = new Set(links.keys())
  if (waiting.size === 0) return Promise.resolve(failures)
  return new Promise((resolve) => {
    const resolveWhenDone = () => {
      if (waiting.size > 0) return
      clearTimeout(timer)
      resolve(failures)
    }
    const startOne = (link: PlannedLink, index: number) => {
      begin(link).then(
        () => {
          if (waiting.delete(index)) resolveWhenDone()
          else link.onShutdown().catch((error: unknown) => logLate(link, error))
        },
        (error: unknown) => {
          if (!waiting.delete(index)) {
            logLate(link, error)
            return
          }
          failures.set(index, { error })
          resolveWhenDone()
        },
      )
    }
    const expire = () => {
      for (const index of waiting) {
        const error = new StartTimeoutError(`${links[index]?.name} did not start within ${limit} ms`)
        failures.set(index, { error })
      }
      waiting.clear()
      resolveWhenDone()
    }
    links.forEach(startOne)
    // counts from when all have begun, so that none has less time than another
    const timer = limit === Infinity ? undefined : setTimeout(expire, Math.min(limit, LONGEST_TIMER))
  })
}

function begin(link: PlannedLink): Promise<void> {
  try {
    return link.onStart()
  } catch (thrown) {
    return Promise.reject(toError(thrown)) // a link of a third party
  }
}

function logLate(link: PlannedLink, error: unknown): void {
  getLogger('databay.BasePlanner').error({ err: toError(error) }, `${link.name} failed after its start was given up`)
}

/** Shuts links down, the last one first. Gives what failed. */
export async function stopLinks(links: readonly PlannedLink[], limit: StopLimit): Promise<unknown[]> {
  const stop = (link: PlannedLink) =>
    limit.wait(
      () => `the shutdown of ${link.name}`,
      () => link.onShutdown(),
    )
  return rejections(await Promise.allSettled([...links].reverse().map(stop)))
}

/** Tells the transfers of links to stop. */
export function cancelLinks(links: readonly PlannedLink[], why: string): void {
  const reason = new TransferCancelledError(why)
  for (const link of links) link.cancel(reason)
}

/**
 * Releases what the buffers of links hold, all at once. Gives what failed: a transfer, a processor that cannot tell its size,
 * or a link of a third party.
 *
 * @param take - called with the report of each link that had something to release; gives an error if that is a failure
 */
export async function drainLinks(
  links: readonly PlannedLink[],
  limit: StopLimit,
  take: (report: TransferReport) => Error | undefined,
): Promise<unknown[]> {
  const drain = async (link: PlannedLink) => {
    const report = await limit.wait(
      () => `the buffers of ${link.name}`,
      () => link.drain(),
    )
    const failure = report === undefined ? undefined : take(report)
    if (failure !== undefined) throw failure
  }
  return rejections(await Promise.allSettled(links.map(drain)))
}

function rejections(results: readonly PromiseSettledResult<void>[]): unknown[] {
  return results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
}
