import { extendedJson } from '../base/bson.js'
import { show, sortOf } from '../base/errors.js'
import { fieldAt, type FieldPath } from '../base/field-path.js'
import { pathText } from '../base/payload-path.js'
import { InvalidPayloadError } from './partial-push.js'

/** Key that tells records apart. Lists are equal when their elements are; types of BSON, such as `ObjectId`, by value. */
export type DistinctKey =
  string | number | bigint | boolean | Date | { readonly _bsontype: string } | readonly (DistinctKey | null)[]

/** A key as it is remembered: keys that are equal have the same. */
export type KnownKey = string | number | bigint | boolean

/** First character of what stands for a key that is no text, number or the like. */
const MARK = '\0'

/**
 * A key as it is remembered.
 *
 * @throws {@link InvalidPayloadError} when the value is none
 */
export function knownKey(key: unknown): KnownKey {
  const known = keyOf(key)
  if (known !== undefined) return known
  const got = typeof key === 'object' && key !== null ? sortOf(key) : show(key)
  throw new InvalidPayloadError(`expected a text, a number, a date, an id, or a list of these as its key, got ${got}`)
}

/**
 * The key that fields of a payload make.
 *
 * @throws {@link InvalidPayloadError} when a field is missing, or is no key
 */
export function fieldsKey(payload: unknown, paths: readonly FieldPath[]): KnownKey {
  const values = paths.map((path) => {
    const value = fieldAt(payload, path)
    if (value === undefined || (value === null && paths.length === 1)) {
      throw new InvalidPayloadError(`it has no ${pathText(path)}, which the option by names`)
    }
    return value
  })
  return knownKey(values.length === 1 ? values[0] : values)
}

function keyOf(key: unknown): KnownKey | undefined {
  switch (typeof key) {
    case 'string':
      return key.startsWith(MARK) ? MARK + key : key
    case 'number':
      return Number.isNaN(key) ? undefined : key
    case 'bigint':
      return Number.isSafeInteger(Number(key)) ? Number(key) : key
    case 'boolean':
      return key
    case 'object':
      return key === null ? undefined : objectKey(key)
    default:
      return undefined
  }
}

function objectKey(key: object): string | undefined {
  if (Array.isArray(key)) return listKey(key)
  if (key instanceof Date) return Number.isNaN(key.getTime()) ? undefined : `${MARK}d${key.getTime()}`
  const json = extendedJson(key)
  return json && `${MARK}b${JSON.stringify(json)}`
}

function listKey(list: readonly unknown[]): string | undefined {
  const parts: string[] = []
  for (const element of list) {
    const part = element === null ? 'null' : keyOf(element)
    if (part === undefined) return undefined
    parts.push(element !== null && typeof part === 'string' ? JSON.stringify(part) : String(part))
  }
  return `${MARK}l${parts.join(',')}`
}
