import { types } from 'node:util'
import { extendedJson, type ExtendedJson } from '../base/bson.js'
import { sortOf, toError } from '../base/errors.js'
import { fieldBeside } from '../base/hidden-state.js'
import { shownPath, type Steps } from '../base/payload-path.js'
import {
  checkAllInFields,
  checkFieldsBeside,
  loss,
  LossError,
  noForm,
  refusal,
  serialized,
  type Serialize,
} from './serialize.js'

/** Depth up to which a payload may be plain; it may also refer to itself. */
const PLAIN_DEPTH = 64

/**
 * Text of a payload as JSON from which all of it can be read again. Fields that are undefined are left out. Dates are
 * ISO texts, ObjectIds their hexadecimal digits, bigints digits, other types of BSON extended JSON. An object with a
 * method `toJSON()` is what that gives, and instances of other classes are their fields.
 *
 * @param outlet - name of the outlet, for the error
 * @throws {@link InvalidPayloadError} on a part that would be lost, or become another value
 */
export function jsonText(outlet: string, payload: unknown, serialize?: Serialize): string {
  return toText(outlet, payload, serialize, false)
}

/**
 * Text of a payload for a line: a string as it is, and anything else as by {@link jsonText}.
 *
 * @throws {@link InvalidPayloadError} on a part that would be lost, or become another value
 */
export function lineText(outlet: string, payload: unknown, serialize?: Serialize): string {
  return toText(outlet, payload, serialize, true)
}

function toText(outlet: string, payload: unknown, serialize: Serialize | undefined, stringsAsTheyAre: boolean): string {
  try {
    const value = serialized(serialize, payload, [])
    if (stringsAsTheyAre && typeof value === 'string') return value
    // five times as fast as the writer
    if (serialize === undefined && isPlain(value, 0)) return JSON.stringify(value)
    const text = new JsonWriter(serialize).write(value)
    if (text === undefined) throw noForm([], value)
    return text
  } catch (thrown) {
    const deep = thrown instanceof RangeError && thrown.message.includes('call stack')
    throw refusal(outlet, 'a payload cannot be JSON', payload, deep ? new LossError('it is nested too deeply') : thrown)
  }
}

/**
 * Text of a part of a payload as JSON, by the rules of {@link jsonText}; `undefined` for one that is undefined.
 *
 * @param steps - steps from the payload to the part, for errors and for `serialize`, which was applied to it already
 * @throws {@link LossError} on a part that would be lost, or become another value
 */
export function partText(steps: Steps, value: unknown, serialize?: Serialize): string | undefined {
  return new JsonWriter(serialize, steps).write(value)
}

/**
 * Whether JSON.stringify() writes all of a value as it is.
 *
 * @param depth - number of objects in which it is
 */
export function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (depth > PLAIN_DEPTH) return false
      return Array.isArray(value) ? isPlainList(value, depth) : isPlainObject(value, depth)
    default:
      return false
  }
}

function isPlainObject(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return !Number.isNaN((value as Date).getTime()) && fieldBeside(value) === undefined
  if (prototype !== Object.prototype) return false
  for (const name in value) {
    // it may stand for a value of BSON
    if (name === '_bsontype') return false
    const part = (value as { readonly [name: string]: unknown })[name]
    if (part !== undefined && !isPlain(part, depth + 1)) return false
  }
  return Object.getOwnPropertySymbols(value).length === 0
}

function isPlainList(list: readonly unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(list) !== Array.prototype) return false
  for (let at = 0; at < list.length; at++) if (!isPlain(list[at], depth + 1)) return false
  return Object.keys(list).length === list.length
}

/** Writes payloads that are not plain. */
class JsonWriter {
  readonly #serialize: Serialize | undefined
  /** Steps to the part that is being written. */
  readonly #steps: (string | number)[]
  /** Objects in which that part is. */
  readonly #around: object[] = []

  constructor(serialize: Serialize | undefined, steps: Steps = []) {
    this.#serialize = serialize
    this.#steps = [...steps]
  }

  /** Text of a value to which `serialize` was applied; `undefined` for one that is undefined. */
  write(value: unknown): string | undefined {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'boolean':
      case 'bigint':
        return String(value)
      case 'number':
        return this.#number(value)
      case 'undefined':
        return undefined
      case 'object':
        return value === null ? 'null' : this.#within(value, () => this.#object(value))
      default:
        throw noForm(this.#steps, value)
    }
  }

  #number(value: number): string {
    if (!Number.isFinite(value)) throw noForm(this.#steps, value)
    return Object.is(value, -0) ? '-0' : String(value)
  }

  #within(value: object, write: () => string): string {
    if (this.#around.includes(value)) throw loss(this.#steps, 'is an object that it is part of')
    this.#around.push(value)
    const text = write()
    this.#around.pop()
    return text
  }

  #object(value: object): string {
    const bson = extendedJson(value)
    if (bson !== undefined) return this.#bson(bson)
    if (types.isDate(value)) return this.#date(value)
    const toJson: unknown = 'toJSON' in value ? value.toJSON : undefined
    if (typeof toJson !== 'function') return this.#data(value)
    let given: unknown
    try {
      given = toJson.call(value, String(this.#steps.at(-1) ?? ''))
    } catch (thrown) {
      throw new LossError(`toJSON() failed at ${shownPath(this.#steps)}: ${toError(thrown).message}`, { cause: thrown })
    }
    // as an invalid date gives it, of whatever library
    if (given === undefined || given === null)
      throw loss(this.#steps, `is ${sortOf(value)} whose toJSON() gives ${given}`)
    if (given === value) return this.#data(value)
    if (typeof given !== 'object') return this.write(given) ?? 'null'
    return this.#within(given, () => this.#given(given))
  }

  /** What a toJSON() gave. */
  #given(value: object): string {
    const bson = extendedJson(value)
    if (bson !== undefined) return this.#bson(bson)
    return types.isDate(value) ? this.#date(value) : this.#data(value)
  }

  #date(value: Date): string {
    if (Number.isNaN(value.getTime())) throw noForm(this.#steps, value)
    checkFieldsBeside(this.#steps, value)
    return JSON.stringify(value.toISOString())
  }

  #bson(form: ExtendedJson): string {
    const { $oid, $numberInt, $numberDouble } = form
    if ($oid !== undefined) return JSON.stringify($oid)
    const number = Number($numberInt ?? $numberDouble)
    return Number.isFinite(number) ? this.#number(number) : this.#fields(form)
  }

  /** Text of an object that JSON writes by its fields. */
  #data(value: object): string {
    if (types.isBoxedPrimitive(value)) {
      checkFieldsBeside(this.#steps, value)
      return this.write(value.valueOf()) ?? 'null'
    }
    if (Array.isArray(value)) return this.#list(value)
    checkAllInFields(this.#steps, value)
    return this.#fields(value)
  }

  #fields(value: object): string {
    const parts: string[] = []
    for (const [name, part] of Object.entries(value)) {
      this.#steps.push(name)
      const text = this.write(serialized(this.#serialize, part, this.#steps))
      this.#steps.pop()
      if (text !== undefined) parts.push(`${JSON.stringify(name)}:${text}`)
    }
    return `{${parts.join(',')}}`
  }

  #list(list: readonly unknown[]): string {
    const parts: string[] = []
    for (const [at, part] of list.entries()) {
      this.#steps.push(at)
      const text = this.write(serialized(this.#serialize, part, this.#steps))
      if (text === undefined) throw loss(this.#steps, at in list ? 'is undefined' : 'is missing from a list')
      this.#steps.pop()
      parts.push(text)
    }
    checkFieldsBeside(this.#steps, list)
    return `[${parts.join(',')}]`
  }
}
