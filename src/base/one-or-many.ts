/** One of something, or several. */
export type OneOrMany<T> = T | readonly T[]

/** A list of its own, from one of something, several, or none. */
export function toArray<T>(value: OneOrMany<T> | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? [...(value as readonly T[])] : [value as T]
}
