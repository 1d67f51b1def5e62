import { isFormOf } from './bson-forms.js'

/*
 * What is known of the types of BSON, without its package: they are told by their tag, whatever copy of the package they
 * are of.
 */

/** Value of a type of BSON. */
interface BsonValue {
  readonly _bsontype: string
  toExtendedJSON(options: { readonly relaxed: boolean }): unknown
}

/** MongoDB's extended JSON of a value, in the canonical form, such as `{ $numberLong: '5' }`. */
export interface ExtendedJson {
  readonly [name: string]: unknown
}

/**
 * MongoDB's extended JSON of a value whose class is a type of BSON, or that {@link tagged} made of one; `undefined` for
 * any other value.
 */
export function extendedJson(value: object): ExtendedJson | undefined {
  // most objects end here
  if (!('_bsontype' in value)) return undefined
  if (isBson(value)) return value.toExtendedJSON({ relaxed: false }) as ExtendedJson
  return taggedForm(value)
}

/**
 * Plain data that stands for a value of a type of BSON where its class would be lost, as on the way to another thread:
 * its extended JSON, with the tag. `undefined` for any other value.
 */
export function tagged(value: object): ExtendedJson | undefined {
  if (!('_bsontype' in value) || !isBson(value)) return undefined
  return { _bsontype: value._bsontype, ...(value.toExtendedJSON({ relaxed: false }) as object) }
}

/** Whether the class of a value is a type of BSON. A field `_bsontype` in data from elsewhere says nothing. */
function isBson(value: { readonly _bsontype: unknown }): value is BsonValue {
  return !Object.hasOwn(value, '_bsontype') && 'toExtendedJSON' in value && typeof value.toExtendedJSON === 'function'
}

/** Extended JSON in what {@link tagged} makes; `undefined` for any other value. */
export function taggedForm(value: object): ExtendedJson | undefined {
  if (!Object.hasOwn(value, '_bsontype') || Object.keys(value)[0] !== '_bsontype') return undefined
  const { _bsontype: type, ...form } = value as { readonly _bsontype: unknown }
  return isFormOf(type, form) ? form : undefined
}
