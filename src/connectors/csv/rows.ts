import { show } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { lazy } from '../../base/libraries.js'
import { PART_LENGTH } from '../files/encode.js'
import { checkAllInFields, refusal, serialized, type Serialize } from '../serialize.js'
import { cellText } from './cell.js'
import { USUAL_DELIMITERS } from './delimiter.js'
import { withGuard, withoutGuard } from './formulas.js'

const csvStringify = lazy<typeof import('csv-stringify/sync')>('csv-stringify/sync')

/** Loads the library that makes text of rows. */
export function loadStringify(): void {
  csvStringify()
}

/** Format in which payloads become rows. */
export interface CsvFormat {
  readonly delimiter: string
  readonly guardFormulas: boolean
  readonly ignoreExtraColumns: boolean
  readonly allowMissingColumns: boolean
  readonly serialize?: Serialize | undefined
}

/**
 * Kinds of objects that hold something, but have no keys for it. Where cells may be missing, they would be empty rows.
 */
const WITHOUT_KEYS = new Set(['Map', 'Set', 'Date', 'RegExp', 'Error', 'ArrayBuffer'])

const OTHER_DELIMITER = [new RegExp(`[${USUAL_DELIMITERS.join('')}]`)]

/** Text of the header, with its line end. */
export function headerText(columns: readonly string[], format: CsvFormat): string {
  // one name alone is quoted where it could be taken for several names with another delimiter
  return toText([guarded(columns, format)], format, columns.length === 1 ? OTHER_DELIMITER : [])
}

/** Names of columns as they are in a header: guarded like other cells. */
export function guarded(columns: readonly string[], format: CsvFormat): string[] {
  return format.guardFormulas ? columns.map(withGuard) : [...columns]
}

/**
 * Columns of a new file: the keys of its first payload.
 *
 * @throws {@link InvalidPayloadError} when it has none
 */
export function columnsOf(payload: unknown, format: CsvFormat): string[] {
  const columns = entriesOf(payload, format).map(([key]) => key)
  if (columns.length === 0) throw new InvalidPayloadError('CsvOutlet: the first payload of a file has no keys')
  return columns
}

/**
 * Text of payloads as rows: a value is in the column of its name, and a column without a value is empty. The text comes
 * in parts of whole rows, as the text of a whole batch may be longer than a string can be.
 *
 * @throws {@link InvalidPayloadError} on a payload that is no object, on an unknown or a missing key, and on a value
 * that does not fit into a cell
 */
export function rowsText(payloads: readonly unknown[], columns: readonly string[], format: CsvFormat): string[] {
  const positions = new Map<string, number>()
  columns.forEach((name, position) => {
    // the guard in front of a name is not part of the name
    if (format.guardFormulas) positions.set(withoutGuard(name), position)
    positions.set(name, position)
  })
  const rows = payloads.map((payload) => {
    const row = new Array<string>(columns.length).fill('')
    let found = 0
    for (const [key, value] of entriesOf(payload, format)) {
      const position = positions.get(key)
      if (position !== undefined) {
        row[position] = toCell(key, value, format)
        found++
      } else if (!format.ignoreExtraColumns) {
        throw new InvalidPayloadError(
          `CsvOutlet: the key ${show(key)} is no column of the file, which has ${show(columns)}`,
        )
      }
    }
    if (found < columns.length && !format.allowMissingColumns)
      throw missingColumn(payload as object, columns, positions)
    return row
  })
  return inParts(rows).map((part) => toText(part, format))
}

/** Lists of rows, each with about {@link PART_LENGTH} characters or less, or one row. */
function inParts(rows: readonly (readonly string[])[]): (readonly string[])[][] {
  const parts: (readonly string[])[][] = []
  let length = Infinity
  for (const row of rows) {
    const more = row.reduce((sum, cell) => sum + cell.length, 0)
    if (length + more >= PART_LENGTH) {
      parts.push([])
      length = 0
    }
    parts.at(-1)?.push(row)
    length += more
  }
  return parts
}

function missingColumn(payload: object, columns: readonly string[], positions: ReadonlyMap<string, number>): Error {
  const there = new Set(Object.keys(payload).map((key) => positions.get(key)))
  const missing = columns.find((_, position) => !there.has(position))
  return new InvalidPayloadError(`CsvOutlet: a payload has no key ${show(missing)}, which is a column of the file`)
}

/**
 * Keys and values of a payload.
 *
 * @throws {@link InvalidPayloadError} unless the payload is an object with keys, and no array
 */
function entriesOf(given: unknown, { serialize }: CsvFormat): [string, unknown][] {
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

function toCell(key: string, value: unknown, { guardFormulas, serialize }: CsvFormat): string {
  if (typeof value === 'string' && serialize === undefined) return guardFormulas ? withGuard(value) : value
  try {
    const written = serialized(serialize, value, [key])
    const text = cellText(key, written)
    return guardFormulas && typeof written === 'string' ? withGuard(text) : text
  } catch (thrown) {
    throw refusal('CsvOutlet', 'a payload cannot be a row', { [key]: value }, thrown)
  }
}

function toText(
  rows: readonly (readonly string[])[],
  { delimiter }: CsvFormat,
  quoted: readonly RegExp[] = [],
): string {
  return csvStringify().stringify([...rows], {
    delimiter,
    // a row with one empty cell alone would be an empty line, which readers skip
    quoted_empty: rows[0]?.length === 1,
    // a carriage return may end a line, the mark is at the start of a file, and NULs before a line are left out
    quoted_match: [/\r/, /^[\uFEFF\0]/, ...quoted],
  })
}
