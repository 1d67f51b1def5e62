import { tagged } from '../base/bson.js'
import { sortOf, UncloneableRecordError } from '../base/errors.js'
import { hiddenStateOf } from '../base/hidden-state.js'
import { shownPath } from '../base/payload-path.js'

/*
 * What a structured clone loses without a word: the class of values of BSON, and private fields.
 */

/** A payload with plain data in the place of values of BSON, whose class a structured clone loses. */
export function withTags(payload: unknown): unknown {
  return cross(payload, [], undefined, new Map())
}

/**
 * A payload as it can cross to another thread, see {@link withTags}.
 *
 * @param name - name of its record, for the error
 * @throws {@link UncloneableRecordError} on an instance of a class with private fields
 */
export function crossing(payload: unknown, name: string): unknown {
  return isSurelyPlain(payload, 0) ? payload : cross(payload, [], name, new Map())
}

/** Whether there are only plain data and dates in a value, and it is not nested deeply: a quick look, which most pass. */
function isSurelyPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return true
  if (depth > 32) return false
  // to loop over a list by names is slow
  if (prototype === Array.prototype)
    return (value as readonly unknown[]).every((part) => isSurelyPlain(part, depth + 1))
  if (prototype !== Object.prototype || '_bsontype' in value) return false
  for (const name in value) {
    if (!isSurelyPlain((value as { readonly [name: string]: unknown })[name], depth + 1)) return false
  }
  return true
}

/** @param steps - to the value; as they were when this returns */
function cross(
  value: unknown,
  steps: (string | number)[],
  name: string | undefined,
  met: Map<object, unknown>,
): unknown {
  if (typeof value !== 'object' || value === null) return value
  // what is there twice stays one
  if (met.has(value)) return met.get(value)
  const tag = tagged(value)
  if (tag !== undefined) return cross(tag, steps, name, met)
  met.set(value, value)
  if (Array.isArray(value)) return crossParts(value, value.entries(), steps, name, met)
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype) return crossParts(value, Object.entries(value), steps, name, met)
  if (name !== undefined && hiddenStateOf(prototype) === 'private') {
    const what = `${shownPath(steps)} is ${sortOf(value)}, whose private fields a clone would lose`
    throw new UncloneableRecordError(`${name} cannot cross to a thread: ${what}: put plain data in it`)
  }
  return value
}

/** The same list or object when none of its parts changes. */
function crossParts(
  value: object,
  parts: Iterable<[string | number, unknown]>,
  steps: (string | number)[],
  name: string | undefined,
  met: Map<object, unknown>,
): object {
  let copy: { [name: string]: unknown } | undefined
  for (const [key, part] of parts) {
    if (typeof part !== 'object' || part === null) continue
    steps.push(key)
    const crossed = cross(part, steps, name, met)
    steps.pop()
    if (crossed === part) continue
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as { [name: string]: unknown }
    Object.defineProperty(copy, key, { value: crossed, enumerable: true, writable: true, configurable: true })
  }
  if (copy !== undefined) met.set(value, copy)
  return copy ?? value
}
