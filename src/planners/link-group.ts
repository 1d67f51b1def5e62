import {
  InvalidNodeError,
  isError,
  MissingDependencyError,
  StartTimeoutError,
  toError,
  TransferCancelledError,
} from '../base/errors.js'
import { LONGEST_TIMER } from '../base/duration.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import { throwAny } from '../base/many-errors.js'
import { NoCursorError, NoStoreError } from '../delivery/errors.js'
import { begin, giveUp } from './late-starts.js'
import { StopLimit } from './stop-limit.js'

/** Codes of errors of a start that do not pass. Options may be wrong only as long as a server is not as they say. */
const FOR_GOOD: ReadonlySet<unknown> = new Set(
  [InvalidNodeError, MissingDependencyError, NoCursorError, NoStoreError].map(({ code }) => code),
)

/** Times that links may take, in milliseconds. */
interface Limits {
  readonly startTimeout: number
  readonly shutdownTimeout: number
}

/** Failure of a link to start. */
interface Failure {
  /** What was thrown, but never nothing. */
  readonly error: unknown
  /** Start of the link, where that took too long and goes on. */
  readonly starting?: Promise<void>
}

/** Takes the failure of a link that is to be tried again. */
type Retry = (link: PlannedLink, error: Error, starting: Promise<void> | undefined) => void

/**
 * Starts links, all at once; when one fails, those that started are shut down in reverse. A link that is tried again
 * instead keeps nobody from starting, unless its failure is one that does not pass.
 *
 * @param retry - called with such a link
 * @throws the error of the link that failed, or an `AggregateError` of several
 */
export async function startLinks(links: readonly PlannedLink[], limits: Limits, retry: Retry): Promise<void> {
  const failures = await startAll(links, limits.startTimeout)
  if (failures.size === 0) return
  const stops = (link: PlannedLink, index: number) => {
    const failure = failures.get(index)
    return failure !== undefined && !isRetried(link, failure.error)
  }
  if (!links.some(stops)) {
    for (const [index, { error, starting }] of failures) retry(links[index] as PlannedLink, toError(error), starting)
    return
  }
  for (const [index, { starting }] of failures) {
    if (starting !== undefined) giveUp(links[index] as PlannedLink, starting)
  }
  const limit = new StopLimit(limits.shutdownTimeout)
  await stopLinks(
    links.filter((_, index) => !failures.has(index)),
    limit,
  )
  limit.end()
  // a link that would have been tried again is not why
  const errors = links.flatMap((link, index) => (stops(link, index) ? (failures.get(index)?.error ?? []) : []))
  throwAny(errors, 'several links failed to start')
}

/**
 * Starts links. A link that takes too long is not waited for. One timer and one promise serve all links: they may be
 * thousands.
 *
 * @returns the failures, by the index of their link
 */
function startAll(links: readonly PlannedLink[], limit: number): Promise<ReadonlyMap<number, Failure>> {
  const failures = new Map<number, Failure>()
  const waiting = new Map<number, Promise<void>>()
  if (links.length === 0) return Promise.resolve(failures)
  return new Promise((resolve) => {
    const resolveWhenDone = () => {
      if (waiting.size > 0) return
      clearTimeout(timer)
      resolve(failures)
    }
    const startOne = (link: PlannedLink, index: number) => {
      const starting = begin(link)
      waiting.set(index, starting)
      starting.then(
        () => {
          if (waiting.delete(index)) resolveWhenDone()
        },
        (error: unknown) => {
          if (!waiting.delete(index)) return
          failures.set(index, { error: error ?? toError(error) })
          resolveWhenDone()
        },
      )
    }
    const expire = () => {
      for (const [index, starting] of waiting) {
        const error = new StartTimeoutError(`${links[index]?.name} did not start within ${limit} ms`)
        failures.set(index, { error, starting })
      }
      waiting.clear()
      resolveWhenDone()
    }
    links.forEach(startOne)
    // counts from when all have begun, so that none has less time than another
    const timer = limit === Infinity ? undefined : setTimeout(expire, Math.min(limit, LONGEST_TIMER))
  })
}

/** Whether a link that failed to start is tried again. */
function isRetried({ settings }: PlannedLink, error: unknown): boolean {
  return settings.onStartFailure === 'retry' && !isForGood(error)
}

/** Whether a start would fail again each time, until somebody changes the program or what is installed. */
function isForGood(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isForGood)
  return isError(error) && 'code' in error && FOR_GOOD.has(error.code)
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
  take: (link: PlannedLink, report: TransferReport) => Error | undefined,
): Promise<unknown[]> {
  const drain = async (link: PlannedLink) => {
    const report = await limit.wait(
      () => `the buffers of ${link.name}`,
      () => link.drain(),
    )
    const failure = report === undefined ? undefined : take(link, report)
    if (failure !== undefined) throw failure
  }
  return rejections(await Promise.allSettled(links.map(drain)))
}

function rejections(results: readonly PromiseSettledResult<void>[]): unknown[] {
  return results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
}
