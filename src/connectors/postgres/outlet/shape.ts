import { sortOf } from '../../../base/errors.js'
import { hintAt } from '../../../base/suggestion.js'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import { shownTable } from '../identifiers.js'
import type { PostgresOutletSettings } from './outlet-options.js'
import type { SpecialValue } from './field-text.js'
import type { Column, TableDescription } from './table-description.js'

/** What is written of rows that have the same fields. */
export interface Shape {
  readonly columns: readonly Column[]
  /** Fields for which there is no column, and which are dropped. */
  readonly extra: readonly string[]
  /** Fields of columns that the server fills by itself: they are left out. */
  readonly filled: readonly string[]
  /** Whether values are given to columns that the server would fill by itself, and refuses otherwise. */
  readonly isOverriding: boolean
}

/** Settings by which a shape is made. */
export type ShapeSettings = Pick<PostgresOutletSettings, 'columns' | 'keys' | 'extraColumns'>

/**
 * Finds out what is written of rows with these fields.
 *
 * @throws {@link InvalidPayloadError} when they are refused, for a field without a column
 */
export function shapeOf(description: TableDescription, names: readonly string[], settings: ShapeSettings): Shape {
  const columns: Column[] = []
  const extra: string[] = []
  const filled: string[] = []
  let isOverriding = false
  for (const name of names) {
    const column = settings.columns?.has(name) === false ? undefined : description.columns.get(name)
    if (column === undefined) extra.push(name)
    else if (column.filled === undefined) columns.push(column)
    else if (
      column.filled === 'identity' &&
      (settings.keys?.includes(name) === true || settings.columns !== undefined)
    ) {
      columns.push(column)
      isOverriding = true
    } else filled.push(name)
  }
  const table = shownTable(description.table)
  const [first] = extra
  if (first !== undefined && settings.extraColumns === 'refuse') {
    const known = [...description.columns.keys()].filter((name) => settings.columns?.has(name) !== false)
    const hint = hintAt(first, known) ?? 'see the option extraColumns'
    const more = extra.length === 1 ? '' : ` (and ${extra.length - 1} more)`
    throw new InvalidPayloadError(
      `PostgresOutlet: ${table} has no column for the field ${shownName(first)}${more}: ${hint}`,
    )
  }
  if (columns.length === 0) {
    throw new InvalidPayloadError(`PostgresOutlet: a record has no field for a column of ${table}`)
  }
  return { columns, extra, filled, isOverriding }
}

/** Longest name of a field that is shown. */
const LONGEST = 60

/** Name of a field for logs and errors. */
export function shownName(name: string): string {
  return JSON.stringify(name.length > LONGEST ? `${name.slice(0, LONGEST)}\u2026` : name)
}

/**
 * Checks that the columns of a row can take its values of special kinds.
 *
 * @throws {@link InvalidPayloadError}
 */
export function checkSpecial({ columns }: Pick<Shape, 'columns'>, special: readonly SpecialValue[]): void {
  for (const { column: name, kind } of special) {
    const column = columns.find((one) => one.name === name)
    if (column === undefined || column.kind === kind || column.kind === 'composite') continue
    const what = kind === 'bytes' ? 'is bytes' : 'is no finite number'
    throw new InvalidPayloadError(
      `PostgresOutlet: payload.${name} ${what}, for a column of the type ${column.type}: use the option serialize`,
    )
  }
}

/** Row as JSON has it. */
export interface JsonRow {
  readonly [name: string]: unknown
}

/**
 * Checks that columns of bytes are given bytes, or their text, and nothing else of which they would keep the text.
 *
 * @param row - row as JSON has it, in which bytes are text
 * @throws {@link InvalidPayloadError}
 */
export function checkBytes({ columns }: Pick<Shape, 'columns'>, row: JsonRow): void {
  for (const { name, kind, isList, type } of columns) {
    const value = row[name]
    if (kind !== 'bytes' || value === undefined || isText(value)) continue
    if (isList && Array.isArray(value) && value.flat(Infinity).every(isText)) continue
    throw new InvalidPayloadError(
      `PostgresOutlet: payload.${name} is ${sortOf(value)}, for a column of the type ${type}: expected a Uint8Array`,
    )
  }
}

function isText(value: unknown): boolean {
  return value === null || typeof value === 'string'
}
