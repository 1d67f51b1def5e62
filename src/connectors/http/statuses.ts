import { InvalidOptionError } from '../../base/errors.js'

/** Methods that have the same effect when they are called twice. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Whether a method has the same effect when it is called twice. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** Reads a list of statuses from 200 on, of which one is needed. */
export function readStatuses(name: string, statuses: readonly number[] | undefined): ReadonlySet<number> | undefined {
  if (statuses?.length === 0) throw new InvalidOptionError(name, 'one or more statuses', statuses)
  return readSet(name, statuses, 200)
}

/** Reads a list of statuses of errors. */
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
