import { types } from 'node:util'
import { sortOf } from '../../../base/errors.js'
import type { Steps } from '../../../base/payload-path.js'
import { isPlain, partText } from '../../json-text.js'
import { checkFieldsBeside, loss, noForm, serialized, type Serialize } from '../../serialize.js'
import { digitsOf } from './field-text.js'
import type { PostgresJsonStrings } from './outlet-options.js'
import type { Column } from './table-description.js'
import { bytesOf, dateText, hexText, isBytes, isIsoDate, MOST_DIMENSIONS, numberText } from './value-text.js'

/** Settings by which lines of COPY are made. */
export interface LineSettings {
  readonly serialize?: Serialize | undefined
  readonly jsonStrings: PostgresJsonStrings
}

/** Characters that have another meaning in a line of COPY. */
const SPECIAL = /[\\\n\r\t]/
const EVERY_SPECIAL = /[\\\n\r\t]/g
const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replaceAll(EVERY_SPECIAL, (character) => ESCAPES[character] ?? character) : text
}

/** Null of a line of COPY. */
const NULL = '\\N'

/**
 * Makes the line of a row, with its end.
 *
 * @param row - fields, to which `serialize` was applied
 * @throws {@link LossError} on a part that would be lost, or become another value
 */
export function copyLine(columns: readonly Column[], row: object, settings: LineSettings): string {
  let line = ''
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at] as Column
    const value = (row as { readonly [name: string]: unknown })[column.name]
    if (at > 0) line += '\t'
    line += field(column, value, settings)
  }
  return `${line}\n`
}

/** Text of a value in a line. */
function field(column: Column, value: unknown, settings: LineSettings): string {
  // most values are one of these
  if (!column.isList && column.kind !== 'json') {
    if (typeof value === 'string') return escaped(value)
    if (typeof value === 'number' && Number.isFinite(value) && column.kind !== 'bytes') return numberText(value)
  }
  if (value === null) return NULL
  const text = column.isList
    ? listText(column, value, [column.name], settings)
    : scalarText(column, value, [column.name], settings)
  return escaped(text)
}

/** Text of a value that is no list, and not null. */
function scalarText(column: Column, value: unknown, steps: Steps, { serialize, jsonStrings }: LineSettings): string {
  if (column.kind === 'json') {
    if (typeof value === 'string' && jsonStrings === 'text') return value
    if (serialize === undefined && isPlain(value, steps.length)) return JSON.stringify(value)
    if (typeof value !== 'object' || value === null || !isBytes(value)) return jsonOf(value, steps, serialize)
    throw loss(steps, `is bytes, for a column of the type ${column.type}`)
  }
  if (column.kind === 'bytes' && typeof value !== 'string' && typeof value !== 'object') {
    throw loss(steps, `is ${sortOf(value)}, for a column of the type ${column.type}`)
  }
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      if (!Number.isFinite(value) && column.kind !== 'number') throw noForm(steps, value)
      return numberText(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : objectText(column, value, steps, serialize)
    default:
      throw noForm(steps, value)
  }
}

function objectText(column: Column, value: object, steps: Steps, serialize: Serialize | undefined): string {
  if (types.isDate(value) && column.kind !== 'bytes')
    return isIsoDate(value) ? value.toISOString() : dateText(steps, value)
  const bytes = bytesOf(value)
  if (bytes !== undefined && column.kind === 'bytes') return hexText(bytes)
  if (bytes !== undefined) throw loss(steps, `is bytes, for a column of the type ${column.type}`)
  if (column.kind === 'bytes') throw loss(steps, `is ${sortOf(value)}, for a column of the type ${column.type}`)
  const digits = digitsOf(value)
  if (digits !== undefined) return digits
  const json = jsonOf(value, steps, serialize)
  // what gives a string, as a toJSON() may, is that string
  return json.startsWith('"') ? (JSON.parse(json) as string) : json
}

function jsonOf(value: unknown, steps: Steps, serialize: Serialize | undefined): string {
  const text = partText(steps, value, serialize)
  if (text === undefined) throw noForm(steps, value)
  return text
}

/** Text of a value for a column of lists. */
function listText(column: Column, value: unknown, steps: Steps, settings: LineSettings): string {
  if (!Array.isArray(value)) return scalarText(column, value, steps, settings)
  const list: readonly unknown[] = value
  if (steps.length > MOST_DIMENSIONS) throw loss(steps, 'is nested too deeply')
  const parts: string[] = []
  for (const [at, given] of list.entries()) {
    const inner = [...steps, at]
    const part = serialized(settings.serialize, given, inner)
    if (part === undefined) throw loss(inner, at in list ? 'is undefined' : 'is missing from a list')
    if (part === null) parts.push('NULL')
    else if (Array.isArray(part)) parts.push(listText(column, part, inner, settings))
    else parts.push(`"${scalarText(column, part, inner, settings).replaceAll(/[\\"]/g, String.raw`\$&`)}"`)
  }
  checkFieldsBeside(steps, list)
  return `{${parts.join(',')}}`
}
