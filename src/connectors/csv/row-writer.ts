import { show } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { CellWriter } from './cell-writer.js'
import type { CsvFormat } from './csv-format.js'
import { withoutGuard } from './formulas.js'
import { entriesOf } from './row-entries.js'

/** Payloads of one kind: plain objects with the same keys in the same order. */
interface RowShape {
  readonly keys: readonly string[]
  /** Column of each key; `undefined` for one whose value is left out. */
  readonly positions: readonly (number | undefined)[]
  /** Cells of the row that is being written. Those without a key are blank. */
  readonly row: string[]
}

/** Writes payloads as rows. What is found out about the keys of one holds for all that have the same keys. */
export class RowWriter {
  readonly #columns: readonly string[]
  readonly #format: CsvFormat
  readonly #cells: CellWriter
  /** Columns by key. */
  readonly #positions = new Map<string, number>()
  /** Kind of the payload that was looked at last. */
  #shape: RowShape | undefined

  constructor(columns: readonly string[], format: CsvFormat) {
    this.#columns = columns
    this.#format = format
    this.#cells = new CellWriter(format, columns.length)
    columns.forEach((name, position) => {
      // the guard in front of a name is not part of the name
      if (format.guardFormulas) this.#positions.set(withoutGuard(name), position)
      this.#positions.set(name, position)
    })
  }

  /**
   * Text of a payload as a row, with its line end.
   *
   * @throws {@link InvalidPayloadError}
   */
  text(payload: unknown): string {
    const row = this.#ofSameKind(payload) ?? this.#ofAnyKind(payload)
    return `${row.join(this.#format.delimiter)}\n`
  }

  /** Cells of a payload of the kind that is known; `undefined` when it is of another, or has a value that is no cell. */
  #ofSameKind(payload: unknown): string[] | undefined {
    const shape = this.#shape
    if (shape === undefined || typeof payload !== 'object' || payload === null) return undefined
    if (Object.getPrototypeOf(payload) !== Object.prototype) return undefined
    if (Object.getOwnPropertySymbols(payload).length > 0) return undefined
    const { keys, positions, row } = shape
    let index = 0
    try {
      for (const key in payload) {
        if (key !== keys[index]) return undefined
        const position = positions[index++]
        if (position === undefined) continue
        row[position] = this.#cells.write(key, (payload as { readonly [key: string]: unknown })[key])
      }
    } catch {
      return undefined
    }
    return index === keys.length ? row : undefined
  }

  #ofAnyKind(payload: unknown): string[] {
    const { ignoreExtraColumns, allowMissingColumns, serialize } = this.#format
    const columns = this.#columns
    const entries = entriesOf(payload, this.#format)
    const row = columns.map(() => this.#cells.blank)
    let found = 0
    for (const [key, value] of entries) {
      const position = this.#positions.get(key)
      if (position !== undefined) {
        row[position] = this.#cells.write(key, value)
        found++
      } else if (!ignoreExtraColumns) {
        throw new InvalidPayloadError(
          `CsvOutlet: the key ${show(key)} is no column of the file, which has ${show(columns)}`,
        )
      }
    }
    if (found < columns.length && !allowMissingColumns) {
      throw missingColumn(payload as object, columns, this.#positions)
    }
    // what `serialize` makes of a payload may have other keys each time
    if (serialize === undefined) {
      const keys = entries.map(([key]) => key)
      this.#shape = { keys, positions: keys.map((key) => this.#positions.get(key)), row }
    }
    return row
  }
}

function missingColumn(payload: object, columns: readonly string[], positions: ReadonlyMap<string, number>): Error {
  const there = new Set(Object.keys(payload).map((key) => positions.get(key)))
  const missing = columns.find((_, position) => !there.has(position))
  return new InvalidPayloadError(`CsvOutlet: a payload has no key ${show(missing)}, which is a column of the file`)
}
