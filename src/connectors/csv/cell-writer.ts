import { types } from 'node:util'
import { refusal, serialized } from '../serialize.js'
import { cellText } from './cell.js'
import type { CsvFormat } from './csv-format.js'
import { withGuard } from './formulas.js'

/** Writes values as cells of rows: guarded against formulas, and in quotes where readers need them. */
export class CellWriter {
  readonly #format: CsvFormat
  /** Texts that need quotes. */
  readonly #quoted: RegExp
  /** Texts that need quotes, or may need the guard. */
  readonly #odd: RegExp

  constructor(format: CsvFormat) {
    const { delimiter, guardFormulas } = format
    this.#format = format
    const unit = `\\u${delimiter.charCodeAt(0).toString(16).padStart(4, '0')}`
    // a carriage return may end a line, the mark is at the start of a file, and NULs before a line are left out
    const quoted = `["\\r\\n${unit}]|^[\\uFEFF\\0]`
    this.#quoted = new RegExp(quoted)
    this.#odd = guardFormulas ? new RegExp(`${quoted}|^['=+\\-@\\t\\uFF1D\\uFF0B\\uFF0D\\uFF20]`) : this.#quoted
  }

  /**
   * Value as a cell.
   *
   * @param key - key of the value, for the error
   * @throws {@link InvalidPayloadError} on a value that a cell cannot hold
   */
  write(key: string, value: unknown): string {
    const { serialize } = this.#format
    if (typeof value === 'string' && serialize === undefined) return this.text(value)
    try {
      const written = serialized(serialize, value, [key])
      const text = cellText(key, written)
      return mayBeFormula(written) ? this.text(text) : this.#inPlace(text)
    } catch (thrown) {
      throw refusal('CsvOutlet', 'a payload cannot be a row', { [key]: value }, thrown)
    }
  }

  /** String as a cell. */
  text(text: string): string {
    // most texts end here
    if (!this.#odd.test(text)) return text
    return this.#inPlace(this.#format.guardFormulas ? withGuard(text) : text)
  }

  /** Text as it has to stand between delimiters. */
  #inPlace(text: string): string {
    return this.#quoted.test(text) ? inQuotes(text) : text
  }
}

/**
 * Cell without a value: a row with one empty cell alone would be an empty line, which readers skip.
 *
 * @param columns - number of cells of a row
 */
export function blankCell(columns: number): string {
  return columns === 1 ? '""' : ''
}

/** Whether the text of a value may be a formula: a string, or what an object has made of itself. */
function mayBeFormula(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && !types.isDate(value))
}

/** Text in quotes. */
export function inQuotes(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
