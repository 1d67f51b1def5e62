import { parseLine } from '../../http/format.js'
import { LineSplitter, type LineLimit, type LineState } from '../../files/line-splitter.js'
import type { Cut, Piece, Splitter } from '../../files/splitter.js'
import type { TextEncoding } from '../../files/text-encoding.js'
import { loadLosslessJson } from '../../parse-json.js'
import { toError } from '../../../base/errors.js'
import type { BigIntegers } from '../../big-integers.js'

/** State between two lines of JSON. */
export interface JsonState extends LineState {
  /** Number of the line that comes next, from 1. */
  readonly line: number
}

/** Rules by which lines of JSON are read. */
export interface JsonRules {
  readonly encoding: TextEncoding
  readonly limit: LineLimit
  readonly bigIntegers: BigIntegers
}

/** Cuts text into lines and parses each as JSON. Blank lines are no records. */
export class JsonSplitter implements Splitter<unknown, JsonState> {
  readonly noun = 'lines'
  readonly initial: JsonState
  readonly #lines: LineSplitter
  readonly #rules: JsonRules

  constructor(rules: JsonRules) {
    this.#rules = rules
    this.#lines = new LineSplitter(rules.encoding, rules.limit)
    this.initial = { ...this.#lines.initial, line: 1 }
  }

  load(): void {
    loadLosslessJson()
  }

  isState(value: unknown): value is JsonState {
    return this.#lines.isState(value) && Number.isSafeInteger((value as Partial<JsonState>).line)
  }

  split(piece: Piece<JsonState>): Cut<unknown, JsonState> {
    const { state } = piece
    const cut = this.#lines.split(piece)
    const records: unknown[] = []
    let { damaged, damage } = cut
    for (const [index, text] of cut.records.entries()) {
      if (text.trim() === '') continue
      try {
        records.push(parseLine(text, state.line + index, this.#rules.bigIntegers, 'it'))
      } catch (thrown) {
        const { message } = toError(thrown)
        if (this.#rules.limit.longLines === 'error') return this.#before(piece, index, records, message)
        damaged++
        damage ??= message
      }
    }
    return { ...cut, records, damaged, damage, state: { ...cut.state, line: state.line + cut.records.length } }
  }

  /** Cuts only the lines before one that cannot be parsed. */
  #before(piece: Piece<JsonState>, lines: number, records: unknown[], problem: string): Cut<unknown, JsonState> {
    const cut = this.#lines.split({ ...piece, max: lines })
    return { ...cut, records, problem, state: { ...cut.state, line: piece.state.line + lines } }
  }
}
