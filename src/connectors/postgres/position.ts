/**
 * Position up to which rows were read, in the order of the cursor column and of the keys: the values of the row that was read
 * last, as the server writes them, so that nothing of them is lost.
 *
 * Without keys, it is the value of the cursor column, and the rows that were read at it, so that of rows with the same value
 * none is lost, whenever they are added.
 */
export interface Position {
  /** Values of the cursor column, and of the keys. Those of the keys are missing at a start. */
  readonly values: readonly string[]
  /** Digests of the rows with this value that were read, where there are no keys. */
  readonly seen: readonly string[]
}

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
 */
export function positionOf(text: string): Position | undefined {
  if (text === '') return undefined
  const { values, seen = [] } = JSON.parse(text) as { readonly values: string[]; readonly seen?: string[] }
  return { values, seen }
}

/**
 * Position behind a list of rows, without keys.
 *
 * @param values - values of the cursor column, row by row
 * @param digests - digests of the rows
 */
export function advanced(
  before: Position | undefined,
  values: readonly string[],
  digests: readonly string[],
): Position | undefined {
  const last = values.at(-1)
  if (last === undefined) return before
  let from = values.length - 1
  while (from > 0 && isSame(values[from - 1] as string, last)) from--
  const seen = digests.slice(from)
  const first = before?.values[0]
  const isAtBefore = before !== undefined && first !== undefined && from === 0 && isSame(first, last)
  // a position without rows is that of a start, behind which all values are greater
  return { values: [last], seen: isAtBefore ? [...before.seen, ...seen] : seen }
}

/** Whether two texts stand for the same value: decimals may have zeros at their ends. */
function isSame(a: string, b: string): boolean {
  return a === b || (plain(a) === plain(b) && DECIMAL.test(a) && DECIMAL.test(b))
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

function plain(text: string): string {
  const shorter = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return shorter === '-0' ? '0' : shorter
}
