import { extendedJson, isTagged } from '../../base/bson.js'
import type { Steps } from '../../base/payload-path.js'
import { serialized, type Serialize } from '../serialize.js'
import type { Mongo } from './driver.js'

/**
 * Payload with what `serialize` gives in the place of its parts, and with values of BSON in the place of plain data that
 * stands for them. Parts that stay as they are are shared with the payload.
 */
export function prepared(mongo: Mongo, payload: unknown, serialize: Serialize | undefined): unknown {
  const prepare = (given: unknown, steps: Steps): unknown => {
    const value = serialized(serialize, given, steps)
    if (typeof value !== 'object' || value === null) return value
    if (isTagged(value)) return mongo.BSON.EJSON.deserialize(extendedJson(value) ?? {}, { relaxed: false }) as unknown
    if (Array.isArray(value)) return value.map((part: unknown, at) => prepare(part, [...steps, at]))
    if (value instanceof Map) {
      return new Map(
        [...(value as Map<unknown, unknown>)].map(([name, part]) => [name, prepare(part, [...steps, String(name)])]),
      )
    }
    // instances of classes are for the driver
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, prepare(part, [...steps, name])]))
  }
  return prepare(payload, [])
}
