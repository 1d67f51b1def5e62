import { show } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { lazy } from '../../base/libraries.js'
import { PART_LENGTH } from '../files/encode.js'

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
}

/** Start of a text that a spreadsheet takes for a formula. */
const FORMULA = /^[=+\-@\t\r]/
const GUARDED = /^'[=+\-@\t\r]/

/**
 * Kinds of objects that hold something, but have no keys for it. Where cells may be missing, they would be empty rows.
 */
const WITHOUT_KEYS = new Set(['Map', 'Set', 'Date', 'RegExp', 'Error', 'ArrayBuffer'])

/** Text of the header, with its line end. */
export function headerText(columns: readonly string[], format: CsvFormat): string {
  return toText([guarded(columns, format)], format)
}

/** Names of columns as they are in a header: guarded like other cells. */
export function guarded(columns: readonly string[], format: CsvFormat): string[] {
  return columns.map((name) => guard(name, format))
}

/**
 * Columns of a new file: the keys of its first payload.
 *
 * @throws {@link InvalidPayloadError} when it has none
 */
export function columnsOf(payload: unknown): string[] {
  const columns = entriesOf(payload).map(([key]) => key)
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
    if (format.guardFormulas && GUARDED.test(name)) positions.set(name.slice(1), position)
    positions.set(name, position)
  })
  const rows = payloads.map((payload) => {
    const row = new Array<string>(columns.length).fill('')
    let found = 0
    for (const [key, value] of entriesOf(payload)) {
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
function entriesOf(payload: unknown): [string, unknown][] {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    const kind = payload === null ? 'null' : Array.isArray(payload) ? 'an array' : `of type ${typeof payload}`
    throw new InvalidPayloadError(`CsvOutlet: a payload is ${kind}: expected an object`)
  }
  const kind = Object.prototype.toString.call(payload).slice(8, -1)
  if (WITHOUT_KEYS.has(kind)) throw new InvalidPayloadError(`CsvOutlet: a payload is a ${kind}: expected an object`)
  return Object.entries(payload)
}

function toCell(key: string, value: unknown, format: CsvFormat): string {
  switch (typeof value) {
    case 'string':
      return guard(value, format)
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'undefined':
      return ''
    default:
      if (value === null) return ''
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString()
      throw new InvalidPayloadError(
        `CsvOutlet: the key ${show(key)} holds a value of type ${typeof value}, which is no cell: expected a flat object`,
      )
  }
}

function guard(text: string, format: CsvFormat): string {
  return format.guardFormulas && FORMULA.test(text) ? `'${text}` : text
}

function toText(rows: readonly (readonly string[])[], { delimiter }: CsvFormat): string {
  // a row with one empty cell alone would be an empty line, which readers skip
  return csvStringify().stringify([...rows], { delimiter, quoted_empty: rows[0]?.length === 1 })
}
