/**
 * Memory that all threads share, for a run without end: what is written there is there whatever becomes of the thread, and
 * it does not grow. Each link has a line of its own:
 *
 *   order    what it is to do in its next transfer; taken by whoever reads it
 *   head     how many entries were written
 *   clashes  how often two wrote at the same time, which only transfers that overlap can do
 *   entries  a ring of the latest ones: kind, and two numbers
 */
export class Board {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array
  readonly #entries: Float64Array

  constructor(links: number, memory?: SharedArrayBuffer) {
    const cells = links * CELLS * Int32Array.BYTES_PER_ELEMENT
    const start = Math.ceil(cells / 8) * 8
    const size = links * RING * FIELDS
    this.memory = memory ?? new SharedArrayBuffer(start + size * Float64Array.BYTES_PER_ELEMENT)
    this.#cells = new Int32Array(this.memory, 0, links * CELLS)
    this.#entries = new Float64Array(this.memory, start, size)
  }

  /** Tells a link what to do in its next transfer. */
  give(link: number, order: number): void {
    Atomics.store(this.#cells, link * CELLS + ORDER, order)
  }

  /** What it is to do, 0 when nothing; it is told once. */
  take(link: number): number {
    return Atomics.exchange(this.#cells, link * CELLS + ORDER, 0)
  }

  /** How often two wrote at the same time. */
  clashes(link: number): number {
    return Atomics.load(this.#cells, link * CELLS + CLASHES)
  }

  /** How many entries a link has written. */
  head(link: number): number {
    return Atomics.load(this.#cells, link * CELLS + HEAD)
  }

  /** Writes an entry. Half of one is none: it counts when all of it is there. */
  write(link: number, { kind, first, second }: BoardEntry): void {
    const head = this.head(link)
    const at = (link * RING + (head % RING)) * FIELDS
    this.#entries.set([KINDS.indexOf(kind), first, second], at)
    const before = Atomics.compareExchange(this.#cells, link * CELLS + HEAD, head, head + 1)
    if (before !== head) Atomics.add(this.#cells, link * CELLS + CLASHES, 1)
  }

  /** @throws when the entry is not in the ring any more */
  read(link: number, entry: number): BoardEntry {
    const at = (link * RING + (entry % RING)) * FIELDS
    const [kind = 0, first = 0, second = 0] = this.#entries.subarray(at, at + FIELDS)
    if (this.head(link) - entry > RING) throw new Error(`the board was not read in time: entry ${entry} is gone`)
    return { kind: KINDS[kind] ?? 'foreign', first, second }
  }
}

/**
 * What an outlet writes down of a push: that it `begins` and `ends` (the number of its transfer), which records it `takes`
 * (the number of the first, and how many follow each other), and of records that were never issued, how many.
 */
export interface BoardEntry {
  readonly kind: (typeof KINDS)[number]
  readonly first: number
  readonly second: number
}

const KINDS = ['begins', 'takes', 'ends', 'foreign'] as const
const [ORDER, HEAD, CLASHES, CELLS] = [0, 1, 2, 3]
/** How many entries a link has at most that were not read. */
const RING = 128
const FIELDS = 3
