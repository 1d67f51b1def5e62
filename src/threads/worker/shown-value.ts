import { createHash } from 'node:crypto'
import { inspect, types, type InspectOptions } from 'node:util'
import { scrub } from '../../base/scrub.js'

/** Most characters of a value, and of a whole record. */
const LONGEST_VALUE = 120
const LONGEST_RECORD = 300
/** Most names of an object whose values are left out. */
const MOST_NAMES = 30
const DEEP = 4
/** Most items of a list that are compared, and the length from which on a text is kept as a digest. */
const MOST_ITEMS = 10_000
const LONGEST_FULL = 1000

/** A record's payload as text, shortened. */
export function recordText(value: unknown, redact: boolean): string {
  return shortened(text(value, redact), LONGEST_RECORD)
}

/** A value of a record as text, shortened. */
export function valueText(value: unknown, redact: boolean): string {
  return shortened(text(value, redact), LONGEST_VALUE)
}

/** A value as text that is the same for values that are alike, and another one for others: a digest of what is long. */
export function fullText(value: unknown): string {
  if (ArrayBuffer.isView(value)) return digestOf(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  const full = inspected(value, { depth: 100, maxStringLength: Infinity, maxArrayLength: MOST_ITEMS })
  return full.length <= LONGEST_FULL ? full : digestOf(full)
}

function digestOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64')
}

function text(value: unknown, redact: boolean): string {
  return scrub(redact ? kindText(value) : inspected(value, { depth: DEEP, maxArrayLength: 10, maxStringLength: 200 }))
}

/** A value as Node shows it, also one that has code of its own for that which throws. */
function inspected(value: unknown, options: InspectOptions): string {
  const look = { ...options, breakLength: Infinity, compact: true }
  try {
    return inspect(value, look)
  } catch {
    return inspect(value, { ...look, customInspect: false })
  }
}

function kindText(value: unknown): string {
  try {
    return kindOf(value, 0)
  } catch {
    return 'object that cannot be read'
  }
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
