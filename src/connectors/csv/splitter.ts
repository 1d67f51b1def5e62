import type { Buffer } from 'node:buffer'
import { TEXT_ENCODINGS, type TextEncoding } from '../files/text-encoding.js'
import type { Cut, Piece, Splitter } from '../files/splitter.js'
import { isHalfMark, startOf } from '../files/text-start.js'
import { unitsOf, type TextUnits } from '../files/text-units.js'
import type { CsvRow } from './types.js'
import type { CsvRules, CsvState } from './csv-state.js'
import { delimiterLine } from './delimiter.js'
import { RowCutter } from './row-cutter.js'
import type { RowDialect } from './row-dialect.js'
import { RowParser } from './row-parser.js'

/** Characters of the first line that may say what the delimiter is. */
const FIRST_LINE = 16

/** Cuts a CSV file into rows, and makes objects of them. Empty lines are not rows. */
export class CsvSplitter implements Splitter<CsvRow, CsvState> {
  readonly noun = 'rows'
  readonly initial: CsvState
  readonly #rules: CsvRules
  #dialect: RowDialect

  constructor(rules: CsvRules) {
    this.#rules = rules
    this.#dialect = dialectOf(rules.encoding, rules.delimiter)
    this.initial = { line: 1, names: rules.header ? null : (rules.columns.rules.names ?? []), inLongLine: false }
  }

  load(): void {
    this.#dialect.parser.load()
  }

  isState(value: unknown): value is CsvState {
    if (typeof value !== 'object' || value === null) return false
    const { line, names, inLongLine, encoding, delimiter } = value as { readonly [key in keyof CsvState]?: unknown }
    return (
      Number.isSafeInteger(line) &&
      (names === null || (Array.isArray(names) && names.every((name) => typeof name === 'string'))) &&
      typeof inLongLine === 'boolean' &&
      (encoding === undefined || TEXT_ENCODINGS.includes(encoding as TextEncoding)) &&
      (delimiter === undefined || (typeof delimiter === 'string' && delimiter.length === 1))
    )
  }

  split(piece: Piece<CsvState>): Cut<CsvRow, CsvState> {
    const { bytes, position, state, last } = piece
    if (position > 0) return this.#cut(piece)
    const none = { records: [], used: 0, state, problem: undefined, damaged: 0, damage: undefined }
    if (!last && isHalfMark(bytes)) return none
    const { units, marked, length, problem } = startOf(bytes, this.#rules.encoding)
    if (problem !== undefined) return { ...none, problem }
    const line = readDelimiterLine(bytes.subarray(length), units, last)
    const used = length + (line?.length ?? 0)
    const begun = { ...state, encoding: marked, delimiter: line?.delimiter, line: line ? 2 : 1 }
    const cut = this.#cut({ ...piece, bytes: bytes.subarray(used), position: used, state: begun })
    // the first line may still say what the delimiter is
    if (line === undefined && cut.used === 0 && !last) return { ...cut, used: 0, state }
    return { ...cut, used: used + cut.used }
  }

  #cut({ bytes, position, state, last, max }: Piece<CsvState>): Cut<CsvRow, CsvState> {
    const { encoding = this.#rules.encoding, delimiter = this.#rules.delimiter } = state
    if (this.#dialect.units.encoding !== encoding || this.#dialect.delimiter !== delimiter) {
      this.#dialect = dialectOf(encoding, delimiter)
    }
    return new RowCutter(this.#rules, this.#dialect, { bytes, position, state, last }).cut(max)
  }
}

function dialectOf(encoding: TextEncoding, delimiter: string): RowDialect {
  return { units: unitsOf(encoding), delimiter, parser: new RowParser(encoding, delimiter) }
}

/** Reads the first line of a file, if it says what the delimiter is. Its length is in bytes. */
function readDelimiterLine(bytes: Buffer, units: TextUnits, last: boolean) {
  const end = Math.min(bytes.length, FIRST_LINE * units.size)
  const text = units.decode(bytes, 0, end)
  const line = delimiterLine(text)
  if (line === undefined || (!last && line.length === text.length && !text.endsWith('\n'))) return undefined
  return { ...line, length: line.length * units.size }
}
