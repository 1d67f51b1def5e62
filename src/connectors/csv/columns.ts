import { InvalidOptionError, show } from '../../base/errors.js'
import type { Option } from '../../base/options.js'
import type { BigIntegers } from '../big-integers.js'
import { withoutGuard } from './formulas.js'
import { CSV_READERS, expectedFor, type CsvType, type CsvValue } from './types.js'

/** Row of a CSV file: values by name of their column. */
export interface CsvRow {
  readonly [column: string]: CsvValue
}

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

/** Makes objects of cells. Where cells do not fit, the result is a text that says why, and never shows a value. */
export class CsvColumns {
  readonly rules: ColumnRules

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

  /** Object of a row; a text when the row does not fit. */
  toObject(names: readonly string[], row: readonly string[]): CsvRow | string {
    const short = row.length < names.length && this.rules.fillShortRows
    if (row.length !== names.length && !short) return `: the row has ${counted(row.length)} instead of ${names.length}`
    const { types, bigIntegers, guardFormulas } = this.rules
    const entries: [string, CsvValue][] = []
    for (const [index, name] of names.entries()) {
      const type = types.get(name) ?? 'string'
      const cell = row[index]
      const text = cell !== undefined && guardFormulas ? withoutGuard(cell) : cell
      const value = text === undefined ? null : CSV_READERS[type].read(text, bigIntegers)
      if (value === undefined) return `, column ${show(name)}: expected ${expectedFor(type, text ?? '')}`
      entries.push([name, value])
    }
    // makes an own property of each name, also of `__proto__`
    return Object.fromEntries(entries)
  }
}

function counted(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`
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
