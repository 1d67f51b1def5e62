import type { Buffer } from 'node:buffer'
import { unitAt, type TextUnits } from './text-units.js'

export const NEWLINE = 0x0a
export const RETURN = 0x0d

/**
 * Place behind a line end that begins at a carriage return: a newline may follow, even after more carriage returns, as
 * CR CR LF comes of text that was converted twice. Otherwise each carriage return is a line end.
 *
 * @returns `undefined` when the bytes end before it shows
 */
export function afterReturn(bytes: Buffer, at: number, units: TextUnits): number | undefined {
  const { size } = units
  const end = bytes.length - (bytes.length % size)
  let next = at + size
  while (next < end && unitAt(bytes, next, units) === RETURN) next += size
  if (next >= end) return undefined
  return unitAt(bytes, next, units) === NEWLINE ? next + size : at + size
}

/** Place behind the newline that belongs to a carriage return before these bytes; `at` when there is none. */
export function withoutNewline(bytes: Buffer, at: number, units: TextUnits): number {
  const { size } = units
  let next = at
  while (next + size <= bytes.length && unitAt(bytes, next, units) === RETURN) next += size
  return next + size <= bytes.length && unitAt(bytes, next, units) === NEWLINE ? next + size : at
}

/**
 * Whether the lines of a file end in carriage returns alone: there are some, and no newline.
 *
 * @param last - whether nothing follows the bytes, so that one carriage return is enough
 * @returns `undefined` when it does not show yet
 */
export function endsInReturns(bytes: Buffer, units: TextUnits, last: boolean): boolean | undefined {
  if (findUnit(bytes, NEWLINE, 0, units) !== Infinity) return false
  const first = findUnit(bytes, RETURN, 0, units)
  const enough = last ? first : findUnit(bytes, RETURN, first + units.size, units)
  return enough === Infinity ? undefined : true
}

/** Finds the first unit like this, from a place on; `Infinity` when there is none. */
function findUnit(bytes: Buffer, unit: number, from: number, units: TextUnits): number {
  if (units.size === 1) {
    const at = from < bytes.length ? bytes.indexOf(unit, from) : -1
    return at === -1 ? Infinity : at
  }
  for (let at = from; at + 1 < bytes.length; at += 2) if (unitAt(bytes, at, units) === unit) return at
  return Infinity
}

/** Finder of the line ends in some bytes, from the first to the last. */
export class LineEnds {
  readonly #bytes: Buffer
  readonly #units: TextUnits
  readonly #returns: boolean
  /** Next newline and carriage return, as far as they were looked for. */
  #newline = -1
  #return = -1
  /** Start of the line end that was found last. */
  start = 0
  /** Place behind that line end; `undefined` when it does not show yet, as the bytes end with a carriage return. */
  next: number | undefined = 0

  /** @param returns - whether a carriage return alone is a line end */
  constructor(bytes: Buffer, units: TextUnits, returns: boolean) {
    this.#bytes = bytes
    this.#units = units
    this.#returns = returns
    if (!returns) this.#return = Infinity
  }

  /** Finds the first line end from a place on. Returns whether there is one. */
  find(from: number): boolean {
    const units = this.#units
    const { size } = units
    if (this.#newline < from) this.#newline = findUnit(this.#bytes, NEWLINE, from, units)
    if (this.#return < from) this.#return = findUnit(this.#bytes, RETURN, from, units)
    const newline = this.#newline
    const cr = this.#return
    if (newline < cr) {
      this.start = this.#returns ? newline : withoutReturns(this.#bytes, from, newline, units)
      this.next = newline + size
      return true
    }
    if (cr === Infinity) return false
    this.start = cr
    this.next = newline === cr + size ? newline + size : afterReturn(this.#bytes, cr, units)
    return true
  }

  /** Whether the line end that was found last is a carriage return alone, as far as that shows. */
  get isReturn(): boolean {
    return this.start === this.#return && (this.next === undefined || this.next === this.start + this.#units.size)
  }
}

/** End of a line without the carriage returns before its newline. */
export function withoutReturns(bytes: Buffer, start: number, newline: number, units: TextUnits): number {
  const { size } = units
  let at = newline
  while (at - size >= start && unitAt(bytes, at - size, units) === RETURN) at -= size
  return at
}
