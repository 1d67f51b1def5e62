import { inspect, types } from 'node:util'
import { scrub } from '../../base/scrub.js'

/** Most characters of a value, and of a whole record. */
const LONGEST_VALUE = 120
const LONGEST_RECORD = 300
/** Most names of an object whose values are left out. */
const MOST_NAMES = 30
const DEEP = 4

/** A record's payload as text, shortened. */
export function recordText(value: unknown, redact: boolean): string {
  return shortened(text(value, redact), LONGEST_RECORD)
}

/** A value of a record as text, shortened. */
export function valueText(value: unknown, redact: boolean): string {
  return shortened(text(value, redact), LONGEST_VALUE)
}

/** A value as text that is long enough to compare it with another one. */
export function fullText(value: unknown): string {
  return inspect(value, { depth: 10, breakLength: Infinity, compact: true, maxStringLength: 2000, maxArrayLength: 200 })
}

function text(value: unknown, redact: boolean): string {
  const shown = redact
    ? kindOf(value, 0)
    : inspect(value, { depth: DEEP, breakLength: Infinity, compact: true, maxArrayLength: 10, maxStringLength: 200 })
  return scrub(shown)
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`
}

/** What a value is, without the value: `{ id: number, name: string of 12 }`. */
function kindOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return `string of ${value.length}`
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  if (Array.isArray(value)) {
    const of = value.length === 0 || depth >= DEEP ? '' : `: ${kindOf(value[0], depth + 1)}`
    return `list of ${value.length}${of}`
  }
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (types.isDate(value) || types.isMap(value) || types.isSet(value)) return value.constructor.name
  const names = Object.keys(value)
  if (depth >= DEEP) return `object of ${names.length}`
  const parts = names
    .slice(0, MOST_NAMES)
    .map((name) => `${name}: ${kindOf((value as { [name: string]: unknown })[name], depth + 1)}`)
  if (names.length > MOST_NAMES) parts.push(`${names.length - MOST_NAMES} more`)
  return `{ ${parts.join(', ')} }`
}
