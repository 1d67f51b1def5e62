import { types } from 'node:util'
import { extendedJson } from '../../../base/bson.js'
import type { Steps } from '../../../base/payload-path.js'
import { partText } from '../../json-text.js'
import { checkFieldsBeside, loss, serialized, type Serialize } from '../../serialize.js'
import { dateText, hexText, bytesOf, MOST_DIMENSIONS, numberText } from './value-text.js'

/** Kinds of values that only some columns can take: their text would be something else in others. */
export type SpecialKind = 'bytes' | 'number'

/** Value of a special kind in a row. */
export interface SpecialValue {
  readonly column: string
  readonly kind: SpecialKind
}

/** Row as an object of JSON, from which the server reads it. */
export interface RowText {
  readonly names: readonly string[]
  readonly text: string
  /** Values that only some columns can take, which has to be looked at when the columns are known. */
  readonly special: readonly SpecialValue[]
}

/**
 * Makes the text of a row that is no plain data: of bytes, bigints, dates of any year, numbers that JSON does not have, and of
 * what `serialize` gives. Fields that are undefined are left out.
 *
 * @param row - fields, to which `serialize` was applied
 * @throws {@link LossError} on a part that would be lost, or become another value
 */
export function rowText(row: object, serialize: Serialize | undefined): RowText {
  const names: string[] = []
  const parts: string[] = []
  const special: SpecialValue[] = []
  for (const [name, value] of Object.entries(row)) {
    const text = new FieldText(name, serialize, special).of(value)
    if (text === undefined) continue
    names.push(name)
    parts.push(`${JSON.stringify(name)}:${text}`)
  }
  return { names, text: `{${parts.join(',')}}`, special }
}

/** Makes the text of a field. */
class FieldText {
  readonly #name: string
  readonly #serialize: Serialize | undefined
  readonly #special: SpecialValue[]

  constructor(name: string, serialize: Serialize | undefined, special: SpecialValue[]) {
    this.#name = name
    this.#serialize = serialize
    this.#special = special
  }

  of(value: unknown): string | undefined {
    return this.#text(value, [this.#name])
  }

  #text(value: unknown, steps: Steps): string | undefined {
    if (typeof value === 'number' && !Number.isFinite(value)) return this.#note('number', `"${numberText(value)}"`)
    if (typeof value === 'number') return numberText(value)
    if (typeof value !== 'object' || value === null) return partText(steps, value, this.#serialize)
    const bytes = bytesOf(value)
    if (bytes !== undefined) return this.#note('bytes', JSON.stringify(hexText(bytes)))
    if (types.isDate(value)) return JSON.stringify(dateText(steps, value))
    if (Array.isArray(value)) return this.#list(value, steps)
    const digits = digitsOf(value)
    return digits === undefined ? partText(steps, value, this.#serialize) : JSON.stringify(digits)
  }

  #list(list: readonly unknown[], steps: Steps): string {
    if (steps.length > MOST_DIMENSIONS) throw loss(steps, 'is nested too deeply')
    const parts: string[] = []
    for (const [at, part] of list.entries()) {
      const inner = [...steps, at]
      const text = this.#text(serialized(this.#serialize, part, inner), inner)
      if (text === undefined) throw loss(inner, at in list ? 'is undefined' : 'is missing from a list')
      parts.push(text)
    }
    checkFieldsBeside(steps, list)
    return `[${parts.join(',')}]`
  }

  #note(kind: SpecialKind, text: string): string {
    this.#special.push({ column: this.#name, kind })
    return text
  }
}

/** Digits of a number of BSON that is no number of JavaScript. */
export function digitsOf(value: object): string | undefined {
  const { $numberLong, $numberDecimal } = extendedJson(value) ?? {}
  const digits = $numberLong ?? $numberDecimal
  return typeof digits === 'string' ? digits : undefined
}
