import type { TextEncoding } from './text-encoding.js'
import type { Cut, Piece, Splitter } from './splitter.js'
import { characterBoundary, fits, markLength, unitsOf, withoutReturn, type TextUnits } from './text-units.js'

/** Treatments of lines that are longer than allowed. */
export const LONG_LINES = ['error', 'truncate', 'skip'] as const
/** Treatment of lines that are longer than allowed. */
export type LongLines = (typeof LONG_LINES)[number]

/** Limit of the length of lines. */
export interface LineLimit {
  /** Most bytes of a line, without its line end. */
  readonly maxLength: number
  readonly longLines: LongLines
}

export const LINE_SPLITTER_DEFAULTS: LineLimit = { maxLength: 1_048_576, longLines: 'error' }

/** State between two lines: whether the rest of a line that was too long comes next. */
export interface LineState {
  readonly inLongLine: boolean
}

/** Cuts a file into lines, without their line ends (LF or CRLF). Only whole lines are decoded. */
export class LineSplitter implements Splitter<string, LineState> {
  readonly noun = 'lines'
  readonly initial: LineState = { inLongLine: false }
  readonly #units: TextUnits
  readonly #limit: LineLimit

  constructor(encoding: TextEncoding, limit: LineLimit) {
    this.#units = unitsOf(encoding)
    this.#limit = limit
  }

  isState(value: unknown): value is LineState {
    return typeof value === 'object' && value !== null && 'inLongLine' in value && typeof value.inLongLine === 'boolean'
  }

  split({ bytes, position, state, last, max }: Piece<LineState>): Cut<string, LineState> {
    const { encoding, size } = this.#units
    const { maxLength, longLines } = this.#limit
    const records: string[] = []
    let at = position === 0 ? markLength(bytes, this.#units) : 0
    let { inLongLine } = state
    let damaged = 0
    let damage: string | undefined
    let problem: string | undefined
    const take = (start: number, end: number) => {
      records.push(bytes.toString(encoding, start, end))
      if (fits(bytes, start, end, this.#units)) return
      damaged++
      damage ??= `the line at byte ${position + start} has bytes that are not ${encoding}`
    }
    while (records.length < max) {
      const newline = bytes.indexOf('\n', at, encoding)
      const whole = newline !== -1
      if (inLongLine) {
        inLongLine = !whole
        at = whole ? newline + size : bytes.length - (bytes.length % size)
        if (whole) continue
        break
      }
      const end = withoutReturn(bytes, at, whole ? newline : bytes.length, this.#units)
      if (end - at > maxLength) {
        const what = `the line at byte ${position + at} is longer than maxLineLength, which is ${maxLength} bytes`
        if (longLines === 'error') {
          problem = what
          break
        }
        damaged++
        damage ??= what
        if (longLines === 'truncate') {
          records.push(bytes.toString(encoding, at, characterBoundary(bytes, at, at + maxLength, this.#units)))
        }
        inLongLine = true
      } else if (whole) {
        take(at, end)
        at = newline + size
      } else {
        if (last && at < bytes.length) {
          take(at, bytes.length)
          at = bytes.length
        }
        break
      }
    }
    return { records, used: at, state: { inLongLine }, problem, damaged, damage }
  }
}
