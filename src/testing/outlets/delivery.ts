import { isDeepStrictEqual } from 'node:util'
import { show } from '../../base/errors.js'
import { claim } from '../claims.js'

/**
 * Checks what arrived: everything that was pushed, each once, and nothing else.
 *
 * @param push - what is called, for the sentence: `MyOutlet.push`
 * @param batches - what was pushed, as it should arrive
 * @param arrived - what did, in order
 * @param ordered - whether the order in a batch counts
 */
export function claimDelivered(
  push: string,
  batches: readonly (readonly unknown[])[],
  arrived: readonly unknown[],
  ordered: boolean,
): void {
  const { missing, extra, disordered } = compare(batches, arrived)
  const total = batches.reduce((sum, batch) => sum + batch.length, 0)
  claim(
    missing.length === 0,
    `${push} said that it took ${total} records, but ${missing.length} of them did not arrive, like ${show(missing[0])}${extra.length > 0 ? ` (${show(extra[0])} did)` : ''}`,
  )
  claim(extra.length === 0, `${push} let ${show(extra[0])} arrive, which was not taken, or not so often`)
  claim(!ordered || !disordered, `${push} let the records of a batch arrive in another order`)
}

/** Checks that nothing arrived but what was pushed, each at most once: so much is allowed to a push that was refused. */
export function claimNoExtra(push: string, batches: readonly (readonly unknown[])[], arrived: readonly unknown[]) {
  const { extra } = compare(batches, arrived)
  claim(extra.length === 0, `${push} let ${show(extra[0])} arrive, which was not pushed, or not so often`)
}

interface Comparison {
  readonly missing: unknown[]
  readonly extra: unknown[]
  readonly disordered: boolean
}

function compare(batches: readonly (readonly unknown[])[], arrived: readonly unknown[]): Comparison {
  const left = new Map(arrived.entries())
  const missing: unknown[] = []
  let disordered = false
  for (const batch of batches) {
    let last = -1
    for (const item of batch) {
      const at = find(left, item)
      if (at === undefined) {
        missing.push(item)
        continue
      }
      left.delete(at)
      if (at < last) disordered = true
      last = at
    }
  }
  return { missing, extra: [...left.values()], disordered }
}

function find(left: ReadonlyMap<number, unknown>, item: unknown): number | undefined {
  for (const [at, other] of left) if (isDeepStrictEqual(other, item)) return at
  return undefined
}

/** What of `after` was not there before: the rest where it only grew, otherwise what cannot be matched. */
export function newlyArrived(before: readonly unknown[], after: readonly unknown[]): unknown[] {
  if (isDeepStrictEqual(after.slice(0, before.length), before)) return after.slice(before.length)
  return compare([before], after).extra
}

/** What arrived without some of those, as far as they are in it. */
export function without(arrived: readonly unknown[], those: readonly unknown[]): unknown[] {
  return compare([those], arrived).extra
}

/** Freezes a payload and all that it refers to; views of bytes cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const key of Reflect.ownKeys(value)) deepFreeze(Reflect.get(value, key) as unknown)
  return value
}
