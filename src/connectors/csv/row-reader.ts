import { show } from '../../base/errors.js'
import type { BigIntegers } from '../big-integers.js'
import { withoutGuard } from './formulas.js'
import { rowMaker, type RowMaker } from './row-maker.js'
import { CSV_READERS, expectedFor, type CsvRow, type CsvType, type CsvValue } from './types.js'

/** Rules by which cells become objects. */
export interface ColumnRules {
  /** Names that replace those of the header; `undefined` to keep these. */
  readonly names: readonly string[] | undefined
  readonly types: ReadonlyMap<string, CsvType>
  /** Whether a row may have fewer cells than there are columns. */
  readonly fillShortRows: boolean
  readonly bigIntegers: BigIntegers
  /** Whether the guard against formulas is taken off names and cells. */
  readonly guardFormulas: boolean
}

/** Makes objects of the rows of one header. */
export class RowReader {
  readonly names: readonly string[]
  readonly #rules: ColumnRules
  /** Types by column; `undefined` for a column of strings. */
  readonly #types: readonly (CsvType | undefined)[]
  readonly #make: RowMaker
  /** Values of the row that is being made. */
  readonly #values: CsvValue[]

  constructor(names: readonly string[], rules: ColumnRules) {
    this.names = names
    this.#rules = rules
    this.#types = names.map((name) => {
      const type = rules.types.get(name)
      return type === 'string' ? undefined : type
    })
    this.#make = rowMaker(names)
    this.#values = names.map(() => null)
  }

  /** Whether a row may have fewer cells than there are columns. */
  get fillsShortRows(): boolean {
    return this.#rules.fillShortRows
  }

  /**
   * Object of a row; a text that says why when the row does not fit, and never shows a value.
   *
   * @param row - cells; `undefined` for one that is missing
   */
  toObject(row: readonly (string | undefined)[]): CsvRow | string {
    const { names } = this
    const { fillShortRows, bigIntegers, guardFormulas } = this.#rules
    if (row.length !== names.length && !(row.length < names.length && fillShortRows)) {
      return `: the row has ${counted(row.length)} instead of ${names.length}`
    }
    for (let column = 0; column < names.length; column++) {
      const cell = row[column]
      const text = cell !== undefined && guardFormulas ? withoutGuard(cell) : cell
      const type = this.#types[column]
      let value: CsvValue | undefined = text ?? null
      if (type !== undefined && text !== undefined) {
        value = CSV_READERS[type].read(text, bigIntegers)
        if (value === undefined) return `, column ${show(names[column])}: expected ${expectedFor(type, text)}`
      }
      this.#values[column] = value
    }
    return this.#make(this.#values)
  }
}

/** Number of cells in words. */
export function counted(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`
}
