import { createHash } from 'node:crypto'
import { DatabaseError } from '../../errors.js'

/**
 * Position up to which rows were read, in the order of the cursor column and of the keys, and which rows were read at its value:
 *
 * ```
 * value   1   2   3   3   3   4        read: up to the second 3
 * key     a   a   b   d   f   a        next: values of 3 that were not read, wherever their keys are, and all that are greater
 *         ------------+
 * ```
 *
 * So of rows with the same value none is lost and none comes twice, whenever they are added. Where very many have the same value,
 * it is only known up to which key they were read.
 */
export interface Position {
  /**
   * Values of the cursor column, and of the keys, of the row that was read last: as the server writes them, so that nothing of
   * them is lost. Those of the keys are missing at a start, and where there are no keys.
   */
  readonly values: readonly string[]
  /** Marks of the rows with this value that were read. */
  readonly seen: readonly string[]
}

/** Most marks that are kept of rows that have keys. */
export const MOST_SEEN = 1000

/** Text of a position; `''` for none. */
export function positionText(position: Position | undefined): string {
  if (position === undefined) return ''
  const { values, seen } = position
  return JSON.stringify(seen.length === 0 ? { values } : { values, seen })
}

/**
 * Reads the text of a position.
 *
 * @returns `undefined` for none
 * @throws {@link DatabaseError} on anything else
 */
export function positionOf(text: unknown): Position | undefined {
  if (text === '') return undefined
  try {
    const { values, seen = [] } = JSON.parse(String(text)) as Partial<Position>
    const areTexts = [values, seen].every((list) => Array.isArray(list) && list.every((one) => typeof one === 'string'))
    if (values !== undefined && values.length > 0 && areTexts) return { values, seen }
  } catch {
    // it is told below
  }
  throw new DatabaseError('PostgresInlet: the kept cursor is none of a PostgresInlet')
}

/** Mark of a row: short, and another for each row with the same value. */
export function markOf(keys: readonly string[]): string {
  return createHash('md5').update(JSON.stringify(keys)).digest('hex').slice(0, 16)
}

/** Whether two texts stand for the same value: decimals may have zeros at their ends. */
export function isSame(a: string, b: string): boolean {
  return a === b || (plain(a) === plain(b) && DECIMAL.test(a) && DECIMAL.test(b))
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

function plain(text: string): string {
  const shorter = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return shorter === '-0' ? '0' : shorter
}
