import type { CountsSoFar } from '../../core/report.js'

/*
 * Counts of a transfer that streams, in memory that its thread shares with the main thread: should the thread be lost in a
 * round, what the rounds before it did is known. Of two sets of counts one is whole while the other is written:
 *
 *   which set is whole | counts of the link, of its first outlet, its second, ... | the same again
 */
const COUNTS = [
  'startedAt',
  'busy',
  'pulled',
  'filtered',
  'added',
  'dropped',
  'buffered',
  'grouped',
  'batches',
  'rounds',
] as const satisfies (keyof CountsSoFar)[]

const OUTLET_COUNTS = [
  'pushed',
  'filtered',
  'added',
  'dropped',
  'batches',
  'buffered',
] as const satisfies (keyof CountsSoFar['outlets'][number])[]

/** What a thread tells of the counts of a transfer. */
export interface SharedCounts {
  readonly memory: SharedArrayBuffer
  /** The outlets of the link, as they name themselves. */
  readonly outlets: readonly string[]
}

/** Makes memory for the counts of a transfer. */
export function sharedCounts(outlets: readonly string[]): SharedCounts {
  const numbers = 1 + 2 * sizeOf(outlets)
  return { memory: new SharedArrayBuffer(numbers * Float64Array.BYTES_PER_ELEMENT), outlets }
}

/** Writes counts, so that they replace those before at once. */
export function writeCounts({ memory, outlets }: SharedCounts, counts: CountsSoFar): void {
  const numbers = new Float64Array(memory)
  const set = numbers[0] === 0 ? 1 : 0
  let at = 1 + set * sizeOf(outlets)
  for (const name of COUNTS) numbers[at++] = counts[name]
  for (const outlet of counts.outlets) for (const name of OUTLET_COUNTS) numbers[at++] = outlet[name]
  numbers[0] = set
}

/** Reads the counts that were written last. */
export function readCounts({ memory, outlets }: SharedCounts): CountsSoFar {
  const numbers = new Float64Array(memory)
  let at = 1 + (numbers[0] ?? 0) * sizeOf(outlets)
  const read = <K extends string>(names: readonly K[]) =>
    Object.fromEntries(names.map((name) => [name, numbers[at++] ?? 0])) as { readonly [_ in K]: number }
  return { ...read(COUNTS), outlets: outlets.map((outlet) => ({ outlet, ...read(OUTLET_COUNTS) })) }
}

function sizeOf(outlets: readonly string[]): number {
  return COUNTS.length + outlets.length * OUTLET_COUNTS.length
}
