import { Buffer } from 'node:buffer'
import { InvalidOptionError, sortOf } from '../base/errors.js'
import { shownPath } from '../base/payload-path.js'
import { numberOf, Rows, textOf } from './rows.js'
import { TABLES } from './schema.js'
import type { Database, Row } from './sqlite.js'

/** Most bytes of a cursor, as JSON. */
export const LONGEST_CURSOR = 64 * 1024

/** How far an inlet has come. */
export interface StoredCursor {
  /** Name and place of the inlet in its link. */
  readonly inlet: string
  /** Version of the cursor's shape, as its inlet declares it. */
  readonly version: number
  /** JSON. */
  readonly value: unknown
  /** Time when it was written, in milliseconds since 1970. */
  readonly at: number
}

/** Cursors of the links of the store. */
export class Cursors {
  readonly #rows: Rows

  constructor(database: Database) {
    this.#rows = new Rows(database, TABLES.cursor)
  }

  /** @throws {@link StoreCorruptError} */
  of(link: string): StoredCursor[] {
    return this.#rows.all('SELECT $ FROM cursor WHERE link = ?', link).map((row) => cursorOf(this.#rows.checked(row)))
  }

  /** @param text - the value, see {@link cursorText} */
  put(link: string, inlet: string, version: number, text: string, at: number): void {
    this.#rows.put([link, inlet, version, text, at])
  }

  delete(link: string, inlet: string): void {
    this.#rows.run('DELETE FROM cursor WHERE link = ? AND inlet = ?', link, inlet)
  }
}

function cursorOf(row: Row): StoredCursor {
  const value: unknown = JSON.parse(textOf(row, 'value'))
  return { inlet: textOf(row, 'inlet'), version: numberOf(row, 'version'), value, at: numberOf(row, 'at') }
}

/**
 * A cursor as JSON.
 *
 * @param inlet - for the error
 * @throws {@link InvalidOptionError} when it would not come back as it is, or is too long
 */
export function cursorText(value: unknown, inlet: string): string {
  checkJson(value, inlet, [])
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes > LONGEST_CURSOR) {
    throw new InvalidOptionError(`cursor of ${inlet}`, `at most ${LONGEST_CURSOR} bytes of JSON`, bytes)
  }
  return text
}

function checkJson(value: unknown, inlet: string, steps: (string | number)[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return
  const isList = Array.isArray(value)
  if ((!isList && (typeof value !== 'object' || !isPlain(value))) || steps.length > 100) {
    const expected = 'JSON (texts, finite numbers, booleans, null, lists and plain objects of them)'
    throw new InvalidOptionError(`${shownPath(steps, 'cursor')} of ${inlet}`, expected, sortOf(value))
  }
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    // JSON leaves it out, as if it were not there
    if (part === undefined && !isList) continue
    steps.push(isList ? Number(name) : name)
    checkJson(part, inlet, steps)
    steps.pop()
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype
}
