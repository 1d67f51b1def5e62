import { show } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { blankCell } from './cell-writer.js'
import type { CsvFormat } from './csv-format.js'
import { withoutGuard } from './formulas.js'
import type { Cell, TakenRow } from './row-taker.js'

/** Writes rows into the columns of a file. What is found out about the keys of one holds for all that have the same keys. */
export class RowWriter {
  readonly #columns: readonly string[]
  readonly #format: CsvFormat
  /** Cell without a value. */
  readonly #blank: string
  /** Columns by key. */
  readonly #positions = new Map<string, number>()
  /** Keys of the row that was written last. */
  #keys: readonly string[] | undefined
  /** Whether each of these has its column at its place. */
  #isInOrder = false
  /** Cells of the row that was written last, which the next one writes over. Those without a key are blank. */
  #row: string[] = []
  /** Column of each key; `undefined` for one whose value is left out. */
  #places: readonly (number | undefined)[] = []

  constructor(columns: readonly string[], format: CsvFormat) {
    this.#columns = columns
    this.#format = format
    this.#blank = blankCell(columns.length)
    columns.forEach((name, position) => {
      // the guard in front of a name is not part of the name
      if (format.guardFormulas) this.#positions.set(withoutGuard(name), position)
      this.#positions.set(name, position)
    })
  }

  /**
   * Text of a row, with its line end.
   *
   * @throws {@link InvalidPayloadError}
   */
  text(taken: TakenRow): string {
    const isKnown = taken.keys === this.#keys
    if (isKnown && this.#isInOrder && typeof taken.cells === 'string') return `${taken.cells || this.#blank}\n`
    const row = isKnown ? this.#ofSameKind(taken) : this.#ofAnyKind(taken)
    return `${row.join(this.#format.delimiter)}\n`
  }

  #ofSameKind(taken: TakenRow): string[] {
    const cells = this.#cellsOf(taken)
    const row = this.#row
    const places = this.#places
    for (let at = 0; at < cells.length; at++) {
      const place = places[at]
      const cell = cells[at]
      if (place !== undefined && cell !== undefined) row[place] = this.#text(cell)
    }
    return row
  }

  #ofAnyKind(taken: TakenRow): string[] {
    const { keys, error } = taken
    if (error !== undefined) throw error
    const cells = this.#cellsOf(taken)
    const columns = this.#columns
    const places = keys.map((key) => this.#positions.get(key))
    const row = columns.map(() => this.#blank)
    let found = 0
    for (const [at, place] of places.entries()) {
      const cell = cells[at]
      if (place !== undefined && cell !== undefined) {
        row[place] = this.#text(cell)
        found++
      } else if (!this.#format.ignoreExtraColumns) {
        throw new InvalidPayloadError(
          `CsvOutlet: the key ${show(keys[at])} is no column of the file, which has ${show(columns)}`,
        )
      }
    }
    if (found < columns.length && !this.#format.allowMissingColumns) throw missingColumn(columns, new Set(places))
    this.#keys = keys
    this.#row = row
    this.#places = places
    this.#isInOrder = places.length === columns.length && places.every((place, at) => place === at)
    return row
  }

  #cellsOf({ cells }: TakenRow): readonly Cell[] {
    return typeof cells === 'string' ? split(cells, this.#format.delimiter) : cells
  }

  #text(cell: Cell): string {
    const text = typeof cell === 'string' ? cell : cell()
    return text === '' ? this.#blank : text
  }
}

/** Cells of the text of a row, as they stand there. */
function split(text: string, delimiter: string): string[] {
  const cells: string[] = []
  for (let from = 0; ;) {
    const end = endOfCell(text, from, delimiter)
    cells.push(text.slice(from, end))
    if (end >= text.length) return cells
    from = end + 1
  }
}

function endOfCell(text: string, from: number, delimiter: string): number {
  if (text[from] === '"') {
    let quote = text.indexOf('"', from + 1)
    while (text[quote + 1] === '"') quote = text.indexOf('"', quote + 2)
    return quote + 1
  }
  const end = text.indexOf(delimiter, from)
  return end === -1 ? text.length : end
}

function missingColumn(columns: readonly string[], there: ReadonlySet<number | undefined>): Error {
  const missing = columns.find((_, position) => !there.has(position))
  return new InvalidPayloadError(`CsvOutlet: a payload has no key ${show(missing)}, which is a column of the file`)
}
