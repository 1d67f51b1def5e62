import type { Buffer } from 'node:buffer'
import { lazy } from '../../base/libraries.js'
import type { TextEncoding } from '../files/text-encoding.js'
import { unitsOf } from '../files/text-units.js'

const csvParse = lazy<typeof import('csv-parse/sync')>('csv-parse/sync')

/** Place of a row in the bytes, without its line end. */
export interface RowPlace {
  readonly start: number
  readonly end: number
}

/** Parser of rows of CSV. */
export class RowParser {
  readonly #encoding: TextEncoding
  readonly #delimiter: string

  constructor(encoding: TextEncoding, delimiter: string) {
    this.#encoding = encoding
    this.#delimiter = delimiter
  }

  /** Loads the library that parses. */
  load(): void {
    csvParse()
  }

  /**
   * Parses rows that follow each other, with only empty lines between them. Gives the cells of each row, or its problem.
   * Once a row is bad, those after it are parsed one by one, as they are wanted.
   */
  *parse(bytes: Buffer, rows: readonly RowPlace[]): Generator<readonly string[] | string, void, void> {
    const all = this.#parseAll(bytes, rows)
    for (const [index, row] of rows.entries()) yield all?.[index] ?? this.#parseOne(bytes, row)
  }

  /** Cells of all rows; `undefined` when one of them is bad. */
  #parseAll(bytes: Buffer, rows: readonly RowPlace[]): string[][] | undefined {
    const first = rows[0]
    if (first === undefined) return []
    try {
      const all = this.#parseText(bytes, first.start, rows.at(-1)?.end ?? first.end)
      return all.length === rows.length ? all : undefined
    } catch {
      return undefined
    }
  }

  #parseOne(bytes: Buffer, { start, end }: RowPlace): readonly string[] | string {
    try {
      const [cells, more] = this.#parseText(bytes, start, end)
      return cells === undefined || more !== undefined ? ': it is no row' : cells
    } catch (error) {
      return `: ${problemOf(error)}`
    }
  }

  #parseText(bytes: Buffer, start: number, end: number): string[][] {
    return csvParse().parse(unitsOf(this.#encoding).decode(bytes, start, end), {
      delimiter: this.#delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      // empty lines between rows
      skip_empty_lines: true,
      // a quote within a cell that does not start with one is text
      relax_quotes: true,
    })
  }
}

/** Problem of a row. The message of the library would show its content. */
function problemOf(error: unknown): string {
  switch (error instanceof csvParse().CsvError ? error.code : undefined) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is not closed'
    default:
      return 'it cannot be parsed'
  }
}
