import { InvalidPayloadError } from '../../core/partial-push.js'
import { checkAllInFields, refusal, serialized, type Serialize } from '../serialize.js'
import type { CsvFormat } from './csv-format.js'

/**
 * Kinds of objects that hold something, but have no keys for it. Where cells may be missing, they would be empty rows.
 */
const WITHOUT_KEYS = new Set(['Map', 'Set', 'Date', 'RegExp', 'Error', 'ArrayBuffer'])

/**
 * Keys and values of a payload.
 *
 * @throws {@link InvalidPayloadError} unless the payload is an object with keys, and no array
 */
export function entriesOf(given: unknown, { serialize }: CsvFormat): [string, unknown][] {
  const payload = serializedRow(given, serialize)
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    const kind = payload === null ? 'null' : Array.isArray(payload) ? 'an array' : `of type ${typeof payload}`
    throw new InvalidPayloadError(`CsvOutlet: a payload is ${kind}: expected an object`)
  }
  const kind = Object.prototype.toString.call(payload).slice(8, -1)
  if (WITHOUT_KEYS.has(kind)) throw new InvalidPayloadError(`CsvOutlet: a payload is a ${kind}: expected an object`)
  try {
    checkAllInFields([], payload)
    return Object.entries(payload)
  } catch (thrown) {
    throw refusal('CsvOutlet', 'a payload cannot be a row', payload, thrown)
  }
}

function serializedRow(given: unknown, serialize: Serialize | undefined): unknown {
  try {
    return serialized(serialize, given, [])
  } catch (thrown) {
    throw refusal('CsvOutlet', 'a payload cannot be a row', given, thrown)
  }
}
