import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { sortOf } from '../base/errors.js'
import { fieldBeside } from '../base/hidden-state.js'
import type { Steps } from '../base/payload-path.js'

/** What to do with an object: take another value for it; `undefined`: leave it to the walk. */
export type Look = (value: object) => unknown

/** A part of a value that would not come back from the disk as it was. */
export interface Refusal {
  readonly steps: Steps
  readonly what: string
}

/** Thrown where a walk meets a part that is refused. */
export class RefusedPart extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.what)
    this.refusal = refusal
  }
}

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/

/** Prototypes of objects that hold all that they have in a way that the disk keeps. */
const known = new WeakMap<object, boolean>()

/**
 * A walk through a value, its lists, plain objects, maps and sets, which replaces some of its objects. What has nothing
 * replaced in it stays the same object, and what is there twice stays one.
 */
export class Rewriting {
  readonly #look: Look
  readonly #refuses: boolean
  readonly #steps: (string | number)[] = []
  readonly #met = new Map<object, unknown>()

  /** @param refuses - whether parts are refused that would not come back as they were */
  constructor(look: Look, refuses: boolean) {
    this.#look = look
    this.#refuses = refuses
  }

  /** @throws {@link RefusedPart} */
  of(value: unknown): unknown {
    if (this.#refuses && (typeof value === 'function' || typeof value === 'symbol')) this.#refuse(`is ${sortOf(value)}`)
    if (typeof value !== 'object' || value === null) return value
    // a part that contains itself stays as it is
    if (this.#met.has(value)) return this.#met.get(value)
    const replaced = this.#look(value)
    this.#met.set(value, replaced ?? value)
    if (this.#refuses && replaced === undefined) this.#check(value)
    const rewritten = this.#parts(replaced ?? value)
    this.#met.set(value, rewritten)
    return rewritten
  }

  #parts(value: object): unknown {
    if (Array.isArray(value)) return this.#fields(value, value.keys())
    if (types.isMap(value)) {
      const entries = Array.from(value, (entry, at) => {
        return [this.#at(at, entry[0]), this.#at(at, entry[1])] as const
      })
      return sameEntries(entries, value) ? value : new Map(entries)
    }
    if (types.isSet(value)) {
      const members = Array.from(value, (one, at) => this.#at(at, one))
      return members.every((one) => value.has(one)) ? value : new Set(members)
    }
    return isPlain(value) ? this.#fields(value, Object.keys(value)) : value
  }

  #fields(value: object, names: Iterable<string | number>): object {
    let copy: { [name: string]: unknown } | undefined
    for (const name of names) {
      const part = (value as { readonly [name: string]: unknown })[name]
      const rewritten = this.#at(name, part)
      if (Object.is(rewritten, part)) continue
      copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as { [name: string]: unknown }
      Object.defineProperty(copy, name, { value: rewritten, enumerable: true, writable: true, configurable: true })
    }
    return copy ?? value
  }

  #at(step: string | number, part: unknown): unknown {
    this.#steps.push(step)
    const rewritten = this.of(part)
    this.#steps.pop()
    return rewritten
  }

  #check(value: object): void {
    if (types.isProxy(value)) this.#refuse('is a Proxy')
    if (types.isNativeError(value)) this.#refuse('is an Error, whose fields would be lost')
    if (!isKept(value)) this.#refuse(`is ${sortOf(value)}, whose class would be lost`)
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse('has a symbol for a key')
    if (ArrayBuffer.isView(value) || Array.isArray(value) || isPlain(value)) return
    const field = types.isBoxedPrimitive(value) ? undefined : fieldBeside(value)
    if (field !== undefined) this.#refuse(`is ${sortOf(value)} with a field ${field}, which would be lost`)
  }

  #refuse(what: string): never {
    throw new RefusedPart({ steps: [...this.#steps], what })
  }
}

/** Whether there are only plain data, dates and bytes in a value, and it is not nested deeply: a quick look, which most pass. */
export function isSurelyPlain(value: unknown): boolean {
  try {
    return isPrimitive(value) || (typeof value === 'object' && isPlainDeep(value as object, 0))
  } catch {
    return false // a getter in it throws
  }
}

function isPlainDeep(value: object, depth: number): boolean {
  if (depth > 32) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) {
    if ('_bsontype' in value || Object.getOwnPropertySymbols(value).length > 0) return false
    for (const name in value) {
      const part = (value as { readonly [name: string]: unknown })[name]
      if (!isPrimitive(part) && !(typeof part === 'object' && isPlainDeep(part as object, depth + 1))) return false
    }
    return true
  }
  if (prototype === Array.prototype) {
    return (value as readonly unknown[]).every((part) => {
      return isPrimitive(part) || (typeof part === 'object' && isPlainDeep(part as object, depth + 1))
    })
  }
  if (prototype === Date.prototype) return Object.keys(value).length === 0
  return prototype === Buffer.prototype || prototype === Uint8Array.prototype
}

function isPrimitive(value: unknown): boolean {
  if (value === null) return true
  const type = typeof value
  return type !== 'object' && type !== 'function' && type !== 'symbol'
}

/** Whether an object is a plain one, of this or another realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** Whether a value of the class of an object comes back from the disk: of those of the engine that a serializer knows. */
function isKept(value: object): boolean {
  if (types.isBoxedPrimitive(value)) return !(value instanceof Symbol)
  const isOfEngine =
    Array.isArray(value) ||
    isPlain(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  const prototype = Object.getPrototypeOf(value) as object | null
  if (!isOfEngine || prototype === null) return isOfEngine
  let isNative = known.get(prototype)
  if (isNative === undefined) {
    isNative = prototype === Buffer.prototype || isMadeByEngine(prototype)
    known.set(prototype, isNative)
  }
  return isNative
}

/** Whether the class of a prototype is of the engine, rather than one that extends it. */
function isMadeByEngine(prototype: object): boolean {
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof made === 'function' && NATIVE.test(Function.prototype.toString.call(made))
}

function sameEntries(entries: readonly (readonly [unknown, unknown])[], map: ReadonlyMap<unknown, unknown>): boolean {
  return entries.every(([key, value]) => map.has(key) && map.get(key) === value)
}
