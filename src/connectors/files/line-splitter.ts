import type { Buffer } from 'node:buffer'
import { guessUtf16 } from '../unicode.js'
import { endsInReturns, LineEnds, NEWLINE, RETURN, withoutNewline, withoutReturns } from './line-ends.js'
import { endOfNuls } from './nul-run.js'
import type { Cut, Piece, Splitter } from './splitter.js'
import { TEXT_ENCODINGS, type TextEncoding } from './text-encoding.js'
import { isHalfMark, startOf } from './text-start.js'
import { characterBoundary, unitsOf, type TextUnits } from './text-units.js'

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

/** State between two lines. */
export interface LineState {
  /** Whether the rest of a line that was too long comes next. */
  readonly inLongLine: boolean
  /** Whether a run of NULs goes on. */
  readonly inNuls?: boolean | undefined
  /** Whether lines end in carriage returns alone; `undefined` before it shows. */
  readonly returns?: boolean | undefined
  /** Whether the line before ended in a carriage return, so that a newline that comes next belongs to it. */
  readonly afterReturn?: boolean | undefined
  /** Whether the line before was the last one, and had no line end: one that comes next belongs to it. */
  readonly unended?: boolean | undefined
  /** Encoding that the byte order mark of the file tells; `undefined` without a mark. */
  readonly encoding?: TextEncoding | undefined
}

/**
 * Cuts a file into lines, without their line ends: LF or CRLF; and CR in a file that has no LF where its first line ends.
 * Only whole lines are decoded.
 * @internal
 */
export class LineSplitter implements Splitter<string, LineState> {
  readonly noun = 'lines'
  readonly initial: LineState = { inLongLine: false }
  readonly #encoding: TextEncoding
  readonly #limit: LineLimit

  constructor(encoding: TextEncoding, limit: LineLimit) {
    this.#encoding = encoding
    this.#limit = limit
  }

  isState(value: unknown): value is LineState {
    if (typeof value !== 'object' || value === null) return false
    const { inLongLine, encoding } = value as { readonly [key in keyof LineState]?: unknown }
    return typeof inLongLine === 'boolean' && (encoding === undefined || TEXT_ENCODINGS.includes(encoding as 'utf-8'))
  }

  split({ bytes, position, state, last, max }: Piece<LineState>): Cut<string, LineState> {
    const none = { records: [], used: 0, state, problem: undefined, damaged: 0, damage: undefined }
    if (position > 0) return this.#split(bytes, position, state, last, max, unitsOf(state.encoding ?? this.#encoding))
    if (!last && isHalfMark(bytes)) return none
    const { length, units, marked, problem } = startOf(bytes, this.#encoding)
    if (problem !== undefined) return { ...none, problem }
    const cut = this.#split(bytes.subarray(length), length, { ...state, encoding: marked }, last, max, units)
    return { ...cut, used: cut.used + length }
  }

  #split(
    bytes: Buffer,
    position: number,
    state: LineState,
    last: boolean,
    max: number,
    units: TextUnits,
  ): Cut<string, LineState> {
    const { size } = units
    const { maxLength, longLines } = this.#limit
    const records: string[] = []
    const returns = state.returns ?? endsInReturns(bytes, units, last)
    const ends = new LineEnds(bytes, units, returns === true)
    let { inLongLine, inNuls = false, afterReturn = false, unended = false } = state
    // one look at all whole lines is cheaper than one at each
    const whole = size === 1 ? bytes.lastIndexOf(NEWLINE) + 1 : 0
    const fits = units.fits(bytes, 0, whole)
    const hasNul = size === 2 || inNuls || bytes.includes(0)
    let at = afterReturn ? withoutNewline(bytes, 0, units) : 0
    afterReturn &&= at === 0
    let damaged = 0
    let damage: string | undefined
    let problem: string | undefined
    const note = (what: string) => {
      damaged++
      damage ??= what
    }
    const isSimple = size === 1 && fits && !hasNul && !inLongLine && !afterReturn && !unended && returns === false
    if (isSimple && !bytes.includes(RETURN)) at = simpleLines(bytes, at, max, maxLength, units, records)
    while (records.length < max) {
      if (unended && at < bytes.length) {
        const isEnd = ends.find(at) && ends.start === at
        const next = isEnd ? (ends.next ?? (last ? at + size : undefined)) : at
        if (next === undefined) break
        unended = false
        afterReturn = isEnd && ends.isReturn
        at = next
      }
      if (hasNul && !inLongLine) {
        const text = endOfNuls(bytes, at, units)
        const isOpen = text + size > bytes.length && !last
        // what precedes the run is settled, and the run is not
        if (isOpen && at > 0 && text > at) break
        inNuls ||= text > at
        at = text
        if (inNuls && !isOpen) {
          note(`NULs before byte ${position + at} are left out`)
          inNuls = false
        }
      }
      const found = ends.find(at)
      const { start } = ends
      // a carriage return at the end may be half a line end, and is the end of what precedes it in any case
      let next = found ? (ends.next ?? (last || start > at ? start + size : undefined)) : undefined
      if (inLongLine) {
        inLongLine = next === undefined
        at = next ?? (found ? start : bytes.length - (bytes.length % size))
        afterReturn = next !== undefined && ends.isReturn
        if (next === undefined) break
        continue
      }
      const end = found ? start : bytes.length
      // at the end, a carriage return may be the first half of a line end, and a byte half of a character
      const length = (found ? end : withoutReturns(bytes, at, end - ((end - at) % size), units)) - at
      if (length > maxLength) {
        const what = `the line at byte ${position + at} is longer than maxLineLength, which is ${maxLength} bytes`
        if (longLines === 'error') {
          problem = what
          break
        }
        note(what)
        if (longLines === 'truncate') {
          records.push(units.decode(bytes, at, characterBoundary(bytes, at, at + maxLength, units)))
        }
        inLongLine = true
        continue
      }
      if (next === undefined) {
        if (!last || at >= bytes.length) break
        next = bytes.length
        unended = true
      }
      const guess = hasNul && size === 1 ? guessUtf16(bytes.subarray(at, end), false) : undefined
      if (guess === undefined) {
        records.push(units.decode(bytes, at, end))
        if (!(fits && end <= whole) && !units.fits(bytes, at, end)) {
          note(`the line at byte ${position + at} has bytes that are not ${units.encoding}`)
        }
      } else {
        const what = `the line at byte ${position + at} has NULs as if it were ${guess} rather than ${units.encoding}`
        if (longLines === 'error') {
          problem = what
          break
        }
        note(what)
      }
      at = next
      afterReturn = found && ends.isReturn
    }
    const after: LineState = { inLongLine, inNuls, returns, afterReturn, unended, encoding: state.encoding }
    return { records, used: at, state: after, problem, damaged, damage, unsettled: inNuls }
  }
}

/**
 * Cuts whole lines of valid text that end in newlines alone, as most do, up to one that is too long.
 *
 * @returns place behind them
 */
function simpleLines(
  bytes: Buffer,
  start: number,
  max: number,
  maxLength: number,
  { decode }: TextUnits,
  records: string[],
): number {
  let at = start
  while (records.length < max) {
    const end = bytes.indexOf(NEWLINE, at)
    if (end === -1 || end - at > maxLength) break
    records.push(decode(bytes, at, end))
    at = end + 1
  }
  return at
}
