import { taggedForm } from '../../base/bson.js'
import type { Steps } from '../../base/payload-path.js'
import { loss, serialized, type Serialize } from '../serialize.js'
import type { Mongo } from './driver.js'

/**
 * Payload with what `serialize` gives in the place of its parts, and with values of BSON in the place of plain data that
 * stands for them. Parts that stay as they are are shared with the payload.
 *
 * @throws {@link LossError} on data that the driver would take for a value of BSON
 */
export function prepared(mongo: Mongo, payload: unknown, serialize: Serialize | undefined): unknown {
  const prepare = (given: unknown, steps: Steps): unknown => {
    const value = serialized(serialize, given, steps)
    if (typeof value !== 'object' || value === null) return value
    const form = taggedForm(value)
    if (form !== undefined) return mongo.BSON.EJSON.deserialize(form, { relaxed: false }) as unknown
    if (Object.hasOwn(value, '_bsontype')) {
      throw loss(steps, 'has an invalid _bsontype: its other fields are not those of a value of BSON')
    }
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
