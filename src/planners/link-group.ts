import { toError } from '../errors.js'
import type { PlannedLink } from '../planned-link.js'

/**
 * Starts links, all at once; when one fails, those that started are shut down in reverse.
 *
 * @throws the error of the link that failed, or an `AggregateError` of several
 */
export async function startLinks(links: readonly PlannedLink[]): Promise<void> {
  const results = await Promise.allSettled(links.map((link) => link.onStart()))
  const errors = rejections(results)
  if (errors.length === 0) return
  await stopLinks(links.filter((_, index) => results[index]?.status === 'fulfilled'))
  throwAny(errors, 'several links failed to start')
}

/** Shuts links down, the last one first; gives what failed. */
export async function stopLinks(links: readonly PlannedLink[]): Promise<unknown[]> {
  return rejections(await Promise.allSettled([...links].reverse().map((link) => link.onShutdown())))
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
