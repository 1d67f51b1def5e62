import { InvalidPayloadError } from '../../core/partial-push.js'
import { PART_LENGTH } from '../files/encode.js'
import { blankCell, CellWriter, inQuotes } from './cell-writer.js'
import type { CsvFormat } from './csv-format.js'
import { USUAL_DELIMITERS } from './delimiter.js'
import { withGuard } from './formulas.js'
import type { TakenRow } from './row-taker.js'
import { RowWriter } from './row-writer.js'

/** Text of the header, with its line end. */
export function headerText(columns: readonly string[], format: CsvFormat): string {
  const cells = new CellWriter(format)
  const names = columns.map((name) => cells.text(name) || blankCell(columns.length))
  const [name] = columns
  // one name alone is quoted where it could be taken for several names with another delimiter
  if (names.length === 1 && name !== undefined && USUAL_DELIMITERS.some((one) => name.includes(one))) {
    return `${inQuotes(format.guardFormulas ? withGuard(name) : name)}\n`
  }
  return `${names.join(format.delimiter)}\n`
}

/**
 * Columns of a new file: the keys of its first payload.
 *
 * @throws {@link InvalidPayloadError} when it has none
 */
export function columnsOf({ keys: columns, error }: TakenRow): readonly string[] {
  if (error !== undefined) throw error
  if (columns.length === 0) throw new InvalidPayloadError('CsvOutlet: the first payload of a file has no keys')
  return columns
}

/**
 * Text of rows: a value is in the column of its name, and a column without a value is empty. The text comes
 * in parts of whole rows, as the text of a whole batch may be longer than a string can be.
 *
 * @throws {@link InvalidPayloadError} on a payload that is no object, on an unknown or a missing key, and on a value
 * that does not fit into a cell
 */
export function rowsText(rows: readonly TakenRow[], columns: readonly string[], format: CsvFormat): string[] {
  const writer = new RowWriter(columns, format)
  const parts: string[] = []
  let text = ''
  for (const taken of rows) {
    const row = writer.text(taken)
    // before the row is added: it may be nearly as long as a string can be
    if (text.length > 0 && text.length + row.length >= PART_LENGTH) {
      parts.push(text)
      text = ''
    }
    text += row
  }
  return text === '' ? parts : [...parts, text]
}
