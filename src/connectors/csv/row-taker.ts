import { toError } from '../../base/errors.js'
import { CellWriter } from './cell-writer.js'
import type { CsvFormat } from './csv-format.js'
import { withoutGuard } from './formulas.js'
import { entriesOf } from './row-entries.js'

/** Text of a cell; a function for one that may be left out, which gives it or throws. */
export type Cell = string | (() => string)

/** What a payload has for its row. It shares nothing with the payload, which may change while the row waits to be written. */
export interface TakenRow {
  /** Keys of the payload: the same list for payloads of one kind. */
  readonly keys: readonly string[]
  /** Cells of the keys, those without a value empty: as one text, which takes less memory, if none may be left out. */
  readonly cells: string | readonly Cell[]
  /** Reason why the payload is no row. */
  readonly error?: Error
}

/** Takes the cells of payloads, before it is known which columns their file has. */
export class RowTaker {
  readonly #format: CsvFormat
  readonly #cells: CellWriter
  /** Names of the columns, if they are known, without guards: other keys may be left out, whatever they hold. */
  readonly #columns: ReadonlySet<string> | undefined
  /** Keys of the payload that was looked at last. */
  #keys: readonly string[] | undefined
  /** Cells of the payload that was looked at last, which the next one writes over. */
  #row: Cell[] = []

  /** @param columns - names of the columns, if they are known */
  constructor(format: CsvFormat, columns: readonly string[] | undefined) {
    this.#format = format
    this.#cells = new CellWriter(format)
    if (columns !== undefined) this.#columns = new Set(columns.map(withoutGuard))
  }

  /** Cells of a payload. Never throws: what is wrong with a payload is told when its turn comes. */
  take(payload: unknown): TakenRow {
    return this.#ofSameKind(payload) ?? this.#ofAnyKind(payload)
  }

  /** Cells of a payload of the kind that is known; `undefined` when it is of another, or has a value that is no cell. */
  #ofSameKind(payload: unknown): TakenRow | undefined {
    const keys = this.#keys
    if (keys === undefined || typeof payload !== 'object' || payload === null) return undefined
    if (Object.getPrototypeOf(payload) !== Object.prototype) return undefined
    if (Object.getOwnPropertySymbols(payload).length > 0) return undefined
    const row = this.#row
    let at = 0
    let isText = true
    try {
      for (const key in payload) {
        if (key !== keys[at]) return undefined
        const cell = this.#cell(key, (payload as { readonly [key: string]: unknown })[key])
        isText &&= typeof cell === 'string'
        row[at++] = cell
      }
    } catch {
      return undefined
    }
    if (at !== keys.length) return undefined
    return { keys, cells: isText ? row.join(this.#format.delimiter) : [...row] }
  }

  #ofAnyKind(payload: unknown): TakenRow {
    try {
      const entries = entriesOf(payload, this.#format)
      const keys = entries.map(([key]) => key)
      const cells = entries.map(([key, value]): Cell => {
        try {
          return this.#cell(key, value)
        } catch (thrown) {
          return refusing(toError(thrown))
        }
      })
      // what `serialize` makes of a payload may have other keys each time
      if (this.#format.serialize === undefined) {
        this.#keys = keys
        this.#row = [...cells]
      }
      return { keys, cells }
    } catch (thrown) {
      return { keys: [], cells: [], error: toError(thrown) }
    }
  }

  /** @throws {@link InvalidPayloadError} on a value that a cell cannot hold */
  #cell(key: string, value: unknown): Cell {
    if (!this.#format.ignoreExtraColumns || typeof value !== 'object' || value === null) {
      return this.#cells.write(key, value)
    }
    if (this.#columns?.has(withoutGuard(key)) === true) return this.#cells.write(key, value)
    // mostly it is left out: to find out that it is no cell takes long
    return () => this.#cells.write(key, value)
  }
}

function refusing(error: Error): () => never {
  return () => {
    throw error
  }
}
