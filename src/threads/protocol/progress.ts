import type { CountsSoFar } from '../../core/report.js'

/*
 * Counts of a transfer that streams, in memory that its thread shares with the main thread: they show while it runs, and
 * should the thread be lost in a round, what the rounds before it did is known. Of two sets of counts one is whole while the
 * other is written: the second one when the number of writes is odd.
 *
 *   number of writes | counts of the link, of its first outlet, its second, ... | the same again
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
  'dead',
  'replayed',
] as const satisfies (keyof CountsSoFar)[]

const OUTLET_COUNTS = [
  'pushed',
  'filtered',
  'added',
  'dropped',
  'batches',
  'buffered',
  'dead',
  'waiting',
  'replayed',
] as const satisfies (keyof CountsSoFar['outlets'][number])[]

/** Counts that are absent when they are 0. */
const ABSENT: ReadonlySet<string> = new Set(['dead', 'waiting', 'replayed'])

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
  const writes = writesOf(memory)
  const written = Atomics.load(writes, 0) + 1
  let at = startOf(written, outlets)
  for (const name of COUNTS) numbers[at++] = counts[name] ?? 0
  for (const outlet of counts.outlets) for (const name of OUTLET_COUNTS) numbers[at++] = outlet[name] ?? 0
  Atomics.store(writes, 0, written)
}

/** Reads the counts that were written last, also while their thread writes others. */
export function readCounts({ memory, outlets }: SharedCounts): CountsSoFar {
  const writes = writesOf(memory)
  for (;;) {
    const written = Atomics.load(writes, 0)
    const numbers = new Float64Array(memory).slice(startOf(written, outlets))
    // the set is written again only after the other one
    if (Atomics.load(writes, 0) === written) return unpacked(numbers, outlets)
  }
}

function unpacked(numbers: Float64Array, outlets: readonly string[]): CountsSoFar {
  let at = 0
  const read = <K extends string>(names: readonly K[]) => {
    const counts = names.map((name) => [name, numbers[at++] ?? 0] as const)
    return Object.fromEntries(counts.filter(([name, count]) => count !== 0 || !ABSENT.has(name))) as {
      readonly [_ in K]: number
    }
  }
  return { ...read(COUNTS), outlets: outlets.map((outlet) => ({ outlet, ...read(OUTLET_COUNTS) })) }
}

/** Number of writes, in memory of which the first eight bytes are kept for it. */
function writesOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, 1)
}

/** Place of the set that is whole after so many writes. */
function startOf(writes: number, outlets: readonly string[]): number {
  return 1 + (writes & 1) * sizeOf(outlets)
}

function sizeOf(outlets: readonly string[]): number {
  return COUNTS.length + outlets.length * OUTLET_COUNTS.length
}
