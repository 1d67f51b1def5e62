import { StartTimeoutError, toError } from '../errors.js'
import { LONGEST_TIMER } from '../interval.js'
import { getLogger } from '../log.js'
import type { PlannedLink } from '../planned-link.js'
import { StopLimit } from './stop-limit.js'

/** How long links may take, in milliseconds. */
interface Limits {
  readonly startTimeout: number
  readonly shutdownTimeout: number
}

/**
 * Starts links, all at once; when one fails, those that started are shut down in reverse.
 *
 * @throws the error of the link that failed, or an `AggregateError` of several
 */
export async function startLinks(links: readonly PlannedLink[], limits: Limits): Promise<void> {
  const results = await Promise.allSettled(links.map((link) => startLink(link, limits.startTimeout)))
  const errors = rejections(results)
  if (errors.length === 0) return
  const started = links.filter((_, index) => results[index]?.status === 'fulfilled')
  const limit = new StopLimit(limits.shutdownTimeout)
  await stopLinks(started, limit)
  limit.end()
  throwAny(errors, 'several links failed to start')
}

/** Starts a link. One that takes too long is not waited for; should it be started later, it is shut down. */
async function startLink(link: PlannedLink, limit: number): Promise<void> {
  if (limit === Infinity) {
    await link.onStart()
    return
  }
  let timer: NodeJS.Timeout | undefined
  let late = false
  const expired = new Promise<never>((_, reject) => {
    const expire = () => {
      late = true
      reject(new StartTimeoutError(`${link.name} did not start within ${limit} ms`))
    }
    timer = setTimeout(expire, Math.min(limit, LONGEST_TIMER))
  })
  const started = link.onStart().then(async () => {
    if (late) await link.onShutdown()
  })
  started.catch((error: unknown) => {
    if (late)
      getLogger('databay.BasePlanner').error(
        { err: toError(error) },
        `${link.name} failed after its start was given up`,
      )
  })
  try {
    await Promise.race([started, expired])
  } finally {
    clearTimeout(timer)
  }
}

/** Shuts links down, the last one first; gives what failed. */
export async function stopLinks(links: readonly PlannedLink[], limit: StopLimit): Promise<unknown[]> {
  const stop = (link: PlannedLink) =>
    limit.wait(
      () => `the shutdown of ${link.name}`,
      () => link.onShutdown(),
    )
  return rejections(await Promise.allSettled([...links].reverse().map(stop)))
}

function rejections(results: readonly PromiseSettledResult<void>[]): unknown[] {
  return results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
}
/** Several errors as one: itself when there is only one, `undefined` when there is none. */
export function oneError(errors: readonly unknown[], message: string): Error | undefined {
  if (errors.length === 0) return undefined
  return errors.length === 1
    ? toError(errors[0])
    : new AggregateError(errors, `${message}: ${errors.map(messageOf).join('; ')}`)
}

/** Throws several errors as one, if there are any. */
export function throwAny(errors: readonly unknown[], message: string): void {
  const error = oneError(errors, message)
  if (error !== undefined) throw error
}

function messageOf(thrown: unknown): string {
  return toError(thrown).message
}
