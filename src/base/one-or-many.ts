/** One of something, or several. */
export type OneOrMany<T> = T | readonly T[]

const NONE: readonly never[] = Object.freeze([])

/** A list that stays as it is, from one of something, several, or none. Where nothing is given, it is the same for all. */
export function toFrozen<T>(value: OneOrMany<T> | undefined, check: (value: OneOrMany<T>) => T[]): readonly T[] {
  return value === undefined ? NONE : Object.freeze(check(value))
}

/** A list of its own, from one of something, several, or none. */
export function toArray<T>(value: OneOrMany<T> | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T]
}
