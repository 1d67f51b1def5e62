import { InvalidOptionError } from '../../base/errors.js'

/**
 * Whether a status is accepted: it is one of those that were chosen, or else from 200 to 299.
 * @internal
 */
export function accepts(statuses: ReadonlySet<number> | undefined, status: number): boolean {
  return statuses === undefined ? status >= 200 && status <= 299 : statuses.has(status)
}

/**
 * Reads a list of statuses from 200 on, of which one is needed.
 * @internal
 */
export function readStatuses(name: string, statuses: readonly number[] | undefined): ReadonlySet<number> | undefined {
  if (statuses?.length === 0) throw new InvalidOptionError(name, 'one or more statuses', statuses)
  return readSet(name, statuses, 200)
}

/**
 * Reads a list of statuses of errors.
 * @internal
 */
export function readRetryStatuses(
  name: string,
  statuses: readonly number[] | undefined,
): ReadonlySet<number> | undefined {
  return readSet(name, statuses, 400)
}

function readSet(name: string, statuses: unknown, least: number): ReadonlySet<number> | undefined {
  if (statuses === undefined) return undefined
  const isStatus = (value: unknown) => Number.isInteger(value) && Number(value) >= least && Number(value) <= 599
  if (Array.isArray(statuses) && statuses.every(isStatus)) return new Set(statuses as number[])
  throw new InvalidOptionError(name, `a list of statuses from ${least} to 599`, statuses)
}
