import { InvalidOptionError, show } from '../../base/errors.js'
import type { Option } from '../../base/options.js'
import { withoutGuard } from './formulas.js'
import { counted, RowReader, type ColumnRules } from './row-reader.js'

/** Columns of CSV files: what a header makes of them. */
export class CsvColumns {
  readonly rules: ColumnRules
  #reader: RowReader | undefined

  constructor(rules: ColumnRules) {
    this.rules = rules
  }

  /** Names of the columns, given the cells of the header; a text when they do not fit. */
  named(cells: readonly string[]): readonly string[] | string {
    const header = this.rules.guardFormulas ? cells.map(withoutGuard) : cells
    const names = this.rules.names ?? header
    if (names.length !== header.length) {
      return `: the header has ${counted(header.length)}, but there are ${names.length} in the option columns`
    }
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) return `: the header has the name ${show(twice)} twice`
    const missing = [...this.rules.types.keys()].find((name) => !names.includes(name))
    if (missing !== undefined) return `: the header has no column ${show(missing)}, which the option types names`
    return [...names]
  }

  /** Maker of objects for a header with these names. It is kept for as long as the names are the same list. */
  reader(names: readonly string[]): RowReader {
    if (this.#reader?.names !== names) this.#reader = new RowReader(names, this.rules)
    return this.#reader
  }
}

/**
 * The option `columns` of inlets and outlets: names of columns, in order.
 *
 * @param shown - default as the docs show it
 */
export function columnNames(shown: string): Option<readonly string[], readonly string[] | undefined> {
  return {
    byDefault: shown,
    read: (name, columns) => {
      if (columns === undefined) return undefined
      const names: readonly unknown[] = Array.isArray(columns) ? columns : []
      if (names.length === 0 || !names.every(isName) || new Set(names).size !== names.length) {
        throw new InvalidOptionError(name, 'a list of different names', columns)
      }
      return Object.freeze([...names])
    },
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
