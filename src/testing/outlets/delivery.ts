import { isDeepStrictEqual } from 'node:util'
import { show } from '../../base/errors.js'
import { claim } from '../claims.js'

/**
 * Claims that everything arrived that was pushed, each record once, and nothing else.
 *
 * @param push - name of the call, for the sentence: `MyOutlet.push`
 * @param batches - pushed batches, as they should arrive
 * @param arrived - records that arrived, in order
 * @param ordered - whether the order within a batch counts
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

/**
 * Claims that nothing arrived but pushed records, each at most once: a push that failed may have delivered some of
 * them.
 */
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

/** New elements of `after`: the rest where the list only grew, otherwise the elements without a match in `before`. */
export function newlyArrived(before: readonly unknown[], after: readonly unknown[]): unknown[] {
  if (isDeepStrictEqual(after.slice(0, before.length), before)) return after.slice(before.length)
  return compare([before], after).extra
}

/** Records that arrived, without the given ones. */
export function without(arrived: readonly unknown[], given: readonly unknown[]): unknown[] {
  return compare([given], arrived).extra
}

/** Freezes a payload with all that it refers to. Views of bytes cannot be frozen, and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const key of Reflect.ownKeys(value)) deepFreeze(Reflect.get(value, key) as unknown)
  return value
}
