/** A value of which any property may be read, though a getter or a proxy may throw. */
interface Readable {
  readonly then?: unknown
  readonly next?: unknown
  readonly pipe?: unknown
  readonly getReader?: unknown
  readonly [Symbol.asyncIterator]?: unknown
}

/**
 * Name of a value that stands for data that is still to come, such as `a promise`; `undefined` for data. Such a value in
 * the place of a payload is a forgotten `await`, or a list that was not collected. Never throws.
 */
export function pendingData(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    if (Array.isArray(value)) return undefined
    const { then, next, pipe, getReader, [Symbol.asyncIterator]: asyncIterator } = value as Readable
    if (typeof then === 'function') return 'a promise'
    if (typeof pipe === 'function' || typeof getReader === 'function') return 'a stream'
    if (typeof asyncIterator === 'function') return 'an async iterable'
    if (typeof next === 'function') return Symbol.iterator in value ? 'a generator or iterator' : 'an iterator'
  } catch {
    // a payload that cannot be read is a payload
  }
  return undefined
}

/** What to do about {@link pendingData}, for the end of a message. */
export function adviceFor(pending: string): string {
  return pending === 'a promise' ? 'await it, or all of them by Promise.all()' : 'collect what it yields into a list'
}
