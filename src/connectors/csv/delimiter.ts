import { InvalidOptionError, show } from '../../base/errors.js'
import { custom, type Option } from '../../base/options.js'

/** Characters that are usual between cells. */
export const USUAL_DELIMITERS = [',', ';', '\t', '|']

/** First line of a CSV file that says what is between cells, as Excel writes and reads it: `sep=;`. */
const LINE = /^("?)sep=([\x01-!#-\x7f])\1(?:\r*\n|\r|$)/i

/** What the first line of a CSV file says of the others. */
export interface DelimiterLine {
  readonly delimiter: string
  /** Length of the line in characters, with its line end. */
  readonly length: number
}

/** Reads the line at the start of a text that says what is between cells; `undefined` when there is none. */
export function delimiterLine(text: string): DelimiterLine | undefined {
  const [line, , delimiter] = LINE.exec(text) ?? []
  if (line === undefined || delimiter === undefined || '\r\n'.includes(delimiter)) return undefined
  return { delimiter, length: line.length }
}

/**
 * Says that a row of one cell is plainly one of several cells, with another character between them; `undefined` when it
 * is not.
 */
export function otherDelimiter(row: readonly string[], delimiter: string): string | undefined {
  const [cell] = row
  if (cell === undefined || row.length > 1) return undefined
  const found = USUAL_DELIMITERS.find((one) => one !== delimiter && cell.includes(one))
  return found && `one cell, with ${show(found)} in it rather than ${show(delimiter)}: see the option delimiter`
}

/** The option `delimiter` of outlets. */
export function delimiter(): Option<string, string> {
  return custom((name, given) => {
    if (given === undefined) return ','
    // a line end or a quote could not be told from the others, and readers leave out NULs
    if (typeof given !== 'string' || !/^[^"\r\n\0]$/.test(given)) {
      throw new InvalidOptionError(name, 'one character, but no quote, no line end and no NUL', given)
    }
    return given
  }, "','")
}
