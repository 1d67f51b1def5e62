import { types } from 'node:util'
import { copy as copyAnything } from 'fast-copy'
import { sortOf, toError, UncloneableRecordError } from '../../base/errors.js'
import { hiddenStateOf } from '../../base/hidden-state.js'
import { shownPath, unreadablePart } from '../../base/payload-path.js'
import type { Record } from '../record.js'
import { CopySite, type CopyObject } from './copy-site.js'

/** Up to so many objects in a payload are compared one by one; a set takes longer to make than that. */
const FEW = 16

/** The objects that were met in the payload that is being copied. A list that is there already: to make one takes as long as to copy. */
const few: object[] = []
let met = 0
let many: Set<object> | undefined

/**
 * Copies a payload. The copy shares nothing with the original, so that changes of one do not show in the other.
 *
 * Objects and lists as literals make them, which most payloads are, are copied here: five times as fast as fast-copy, and
 * half as fast as code that was written for them, and so are dates, maps, sets and typed arrays. A payload with anything
 * else in it is left to fast-copy, which keeps prototypes and references: instances of classes, and parts that are there
 * twice or contain themselves.
 * Only what symbols name in a plain object is shared, as to look for it takes half as long again; a structured clone drops it.
 *
 * @param site - place whose payloads are mostly alike
 * @throws {@link UncopyablePart} on an instance of a class with private fields, and the like
 * @throws whatever a getter in it throws
 */
export function copyPayload(payload: unknown, site?: CopySite): unknown {
  if (!isObject(payload)) return payload
  met = 0
  many = undefined
  // where all objects are polluted, what a loop finds in one need not be its own
  for (const name in Object.prototype) if (name) return copyOther(payload)
  return copyPlain(payload, site) ?? copyOther(payload)
}

/** Sites of the payloads that outlets are given. */
const sites = new WeakMap<object, CopySite>()

/** A part of a payload of which a copy would be broken. */
class UncopyablePart extends Error {}

/**
 * Copies of records that their outlet may change without another noticing. Metadata is frozen, so it is shared.
 *
 * @param outlet - the outlet that gets them
 * @throws {@link UncloneableRecordError} naming the record, and the part of its payload that cannot be copied or read
 */
export function copyRecords(records: readonly Record[], outlet: object): Record[] {
  let site = sites.get(outlet)
  if (site === undefined) sites.set(outlet, (site = new CopySite(copyObject)))
  site.note(records.length)
  return records.map((record, at) => {
    const { payload } = record
    if (!isObject(payload)) return record
    try {
      return record.with({ payload: copyPayload(payload, site) })
    } catch (cause) {
      throw uncopyable(record, at, toError(cause))
    }
  })
}

function uncopyable({ payload, metadata }: Record, at: number, cause: Error): UncloneableRecordError {
  const inlet = metadata['__inlet__']
  const name = `record ${at}${typeof inlet === 'string' ? ` of ${inlet}` : ''}`
  const advice = 'put plain data in it, or turn copies off by the option copyRecords: false of the link'
  const why = `${name} cannot be copied for its outlet: ${whyNot(payload, cause)}: ${advice}`
  return new UncloneableRecordError(why, { cause })
}

function whyNot(payload: unknown, cause: Error): string {
  if (cause instanceof UncopyablePart) return cause.message
  if (cause instanceof RangeError && cause.message.includes('call stack')) return 'its payload is nested too deeply'
  const steps = unreadablePart(payload)
  return steps === undefined ? cause.message : `${shownPath(steps)} cannot be read: ${cause.message}`
}

/** Kinds of objects of the engine that fast-copy copies, or shares as nobody can change them. */
const COPIED =
  /^(?:Array|Arguments|ArrayBuffer|SharedArrayBuffer|DataView|.*Array|AsyncGenerator|Blob|Boolean|Date|Error|Generator|Map|Number|Promise|RegExp|Set|String|WeakMap|WeakSet)$/

function copyOther(payload: object): unknown {
  if (!isSurelyCopyable(payload, 0)) checkCopyable(payload, [], new Set())
  return copyAnything(payload)
}

/** Whether all in a payload can be copied, and it is not nested deeply: a quick look, which most pass. */
function isSurelyCopyable(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return true
  if (depth > 32) return false
  // to loop over a list by names is slow
  if (prototype === Array.prototype)
    return (value as readonly unknown[]).every((part) => !isObject(part) || isSurelyCopyable(part, depth + 1))
  if (prototype === Map.prototype) {
    for (const part of (value as ReadonlyMap<unknown, unknown>).values())
      if (isObject(part) && !isSurelyCopyable(part, depth + 1)) return false
  } else if (prototype !== Object.prototype && hiddenStateOf(prototype as object | null) !== undefined) return false
  for (const name in value) {
    const part = (value as { readonly [name: string]: unknown })[name]
    if (isObject(part) && !isSurelyCopyable(part, depth + 1)) return false
  }
  return true
}

/** @param steps - to the value; as they were when this returns */
function checkCopyable(value: object, steps: (string | number)[], seen: Set<object>): void {
  if (seen.has(value)) return
  seen.add(value)
  const hidden = hiddenStateOf(Object.getPrototypeOf(value) as object | null)
  if (
    hidden === 'private' ||
    (hidden === 'native' && !COPIED.test(Object.prototype.toString.call(value).slice(8, -1)))
  ) {
    throw new UncopyablePart(`${shownPath(steps)} is ${sortOf(value)}, of which a copy would be broken`)
  }
  if (ArrayBuffer.isView(value)) return
  const parts =
    value instanceof Map ? [...value.values()].entries() : value instanceof Set ? [...value].entries() : undefined
  for (const [name, part] of parts ?? Object.entries(value)) {
    if (!isObject(part)) continue
    steps.push(Array.isArray(value) ? Number(name) : name)
    checkCopyable(part, steps, seen)
    steps.pop()
  }
}

/** `undefined` when there is something in it that is not plain, or is there twice. */
function copyPlain(value: object, site: CopySite | undefined): object | undefined {
  if (!isNew(value)) return undefined
  if (Array.isArray(value)) return copyList(value, site)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype) return copyBuiltIn(value, prototype, site)
  return site === undefined ? copyObject(value, copyPlain) : site.copy(value, copyPlain, site)
}

// the methods of all typed arrays, which a Buffer overrides by ones that share its bytes
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array

/** Copies dates, maps, sets and typed arrays as fast-copy does; `undefined` for all other objects, and for subclasses. */
function copyBuiltIn(value: object, prototype: unknown, site: CopySite | undefined): object | undefined {
  if (prototype === Date.prototype) {
    return types.isDate(value) ? new Date(Date.prototype.getTime.call(value)) : undefined
  }
  if (prototype === Map.prototype && types.isMap(value)) {
    const copied = new Map<unknown, unknown>()
    for (const [key, part] of value as ReadonlyMap<unknown, unknown>) {
      const inner = isObject(part) ? copyPlain(part, site) : part
      if (isObject(part) && inner === undefined) return undefined
      copied.set(key, inner)
    }
    return copied
  }
  if (prototype === Set.prototype && types.isSet(value)) {
    const copied = new Set()
    for (const part of value as ReadonlySet<unknown>) {
      const inner = isObject(part) ? copyPlain(part, site) : part
      if (isObject(part) && inner === undefined) return undefined
      copied.add(inner)
    }
    return copied
  }
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the value
  return types.isTypedArray(value) ? Reflect.apply(typedArray.slice, value, [0]) : undefined
}

/** Names nothing outside of itself but what the language has: {@link CopySite} makes functions of its text. */
const copyObject: CopyObject = (value, copyPart, site) => {
  const copied: { [name: string]: unknown } = { ...value }
  for (const name in copied) {
    const part = copied[name]
    if (typeof part !== 'object' || part === null) continue
    const inner = copyPart(part, site?.at(name))
    if (inner === undefined) return undefined
    copied[name] = inner
  }
  return copied
}

function copyList(list: readonly unknown[], site: CopySite | undefined): unknown[] | undefined {
  if (Object.getPrototypeOf(list) !== Array.prototype) return undefined
  const copied = list.slice()
  for (let at = 0; at < copied.length; at++) {
    const part = copied[at]
    if (!isObject(part)) continue
    const inner = copyPlain(part, site)
    if (inner === undefined) return undefined
    copied[at] = inner
  }
  return copied
}

/** Whether it was not met before; from now on it was. */
function isNew(part: object): boolean {
  if (many !== undefined) {
    if (many.has(part)) return false
    many.add(part)
    return true
  }
  for (let at = 0; at < met; at++) if (few[at] === part) return false
  few[met++] = part
  if (met === FEW) many = new Set(few)
  return true
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
