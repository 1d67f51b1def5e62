import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { extendedJson } from '../../base/bson.js'
import { pathText } from '../../base/payload-path.js'

const LEAST_LONG = -(2n ** 63n)
const END_OF_LONG = 2n ** 63n

/**
 * A value as JSON can say it: values that JSON does not know as MongoDB's extended JSON, such as `{ $date: … }`, and what that does
 * not know either by names of the same kind: `$map`, `$set`, `$array`, `$bigint`, `$ref`.
 */
export function jsonForm(value: unknown): unknown {
  return formOf(value, [], new Map())
}

/** @param above - the objects that the value is a part of, and their paths */
function formOf(value: unknown, steps: (string | number)[], above: Map<object, string>): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $numberDouble: Object.is(value, -0) ? '-0.0' : String(value) }
    case 'bigint':
      return { [value >= LEAST_LONG && value < END_OF_LONG ? '$numberLong' : '$bigint']: String(value) }
    case 'undefined':
      return { $undefined: true }
    case 'object':
      return value === null ? null : objectForm(value, steps, above)
    default:
      // texts and booleans; the store has no functions and symbols
      return value
  }
}

function objectForm(value: object, steps: (string | number)[], above: Map<object, string>): unknown {
  const known = scalarForm(value)
  if (known !== undefined) return known
  const path = above.get(value)
  // it is a part of itself
  if (path !== undefined) return { $ref: path }
  above.set(value, pathText(steps))
  const at = (step: string | number, part: unknown): unknown => {
    steps.push(step)
    const form = formOf(part, steps, above)
    steps.pop()
    return form
  }
  const form = partsForm(value, at)
  above.delete(value)
  return form
}

function partsForm(value: object, at: (step: string | number, part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return Array.from(value as readonly unknown[], (part, index) => at(index, part))
  if (types.isMap(value)) {
    return { $map: Array.from(value, ([key, part], index) => [at(index, key), at(index, part)]) }
  }
  if (types.isSet(value)) return { $set: Array.from(value, (part, index) => at(index, part)) }
  // without a prototype, a field may have any name
  const fields = Object.create(null) as { [name: string]: unknown }
  for (const [name, part] of Object.entries(value)) fields[name] = at(name, part)
  return fields
}

/** Form of an object that has no parts; `undefined` for others. */
function scalarForm(value: object): unknown {
  if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() }
  if (types.isRegExp(value)) return { $regularExpression: { pattern: value.source, options: value.flags } }
  if (types.isBoxedPrimitive(value)) return formOf(value.valueOf(), [], new Map())
  if (types.isUint8Array(value)) return binary(value)
  if (types.isAnyArrayBuffer(value)) return binary(new Uint8Array(value))
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    return { $array: { type: Object.prototype.toString.call(value).slice(8, -1), base64: bytes.toString('base64') } }
  }
  return extendedJson(value)
}

function binary(bytes: Uint8Array): unknown {
  return { $binary: { base64: Buffer.from(bytes).toString('base64'), subType: '00' } }
}
