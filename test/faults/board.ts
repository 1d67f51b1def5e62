/**
 * Memory that all threads share, for runs of any length: an entry survives the loss of its thread, and the memory does not
 * grow. Each link has a line of its own:
 *
 *   order    what the link has to do in its next transfer; reading it takes it away
 *   head     number of entries so far
 *   clashes  number of times that two transfers wrote at once, which only transfers that overlap can do
 *   entries  a ring of the latest entries: kind, and two numbers
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

  /** Gives a link the order for its next transfer. */
  give(link: number, order: number): void {
    Atomics.store(this.#cells, link * CELLS + ORDER, order)
  }

  /** Takes the order of a link away; 0 for none. */
  take(link: number): number {
    return Atomics.exchange(this.#cells, link * CELLS + ORDER, 0)
  }

  /** Number of times that two transfers of a link wrote at once. */
  clashes(link: number): number {
    return Atomics.load(this.#cells, link * CELLS + CLASHES)
  }

  /** Number of entries that a link has written. */
  head(link: number): number {
    return Atomics.load(this.#cells, link * CELLS + HEAD)
  }

  /** Writes an entry. It counts only when it is complete. */
  write(link: number, { kind, first, second }: BoardEntry): void {
    const head = this.head(link)
    const at = (link * RING + (head % RING)) * FIELDS
    this.#entries.set([KINDS.indexOf(kind), first, second], at)
    const before = Atomics.compareExchange(this.#cells, link * CELLS + HEAD, head, head + 1)
    if (before !== head) Atomics.add(this.#cells, link * CELLS + CLASHES, 1)
  }

  /** Reads an entry. Throws when it is not in the ring any more. */
  read(link: number, entry: number): BoardEntry {
    const at = (link * RING + (entry % RING)) * FIELDS
    const [kind = 0, first = 0, second = 0] = this.#entries.subarray(at, at + FIELDS)
    if (this.head(link) - entry > RING) throw new Error(`the board was not read in time: entry ${entry} is gone`)
    return { kind: KINDS[kind] ?? 'foreign', first, second }
  }
}

/**
 * Entry of an outlet about a push: that it `begins` or `ends` (the number of its transfer), which records it `takes` (the
 * number of the first, and how many in a row), or how many records were never issued (`foreign`).
 */
export interface BoardEntry {
  readonly kind: (typeof KINDS)[number]
  readonly first: number
  readonly second: number
}

const KINDS = ['begins', 'takes', 'ends', 'foreign'] as const
const [ORDER, HEAD, CLASHES, CELLS] = [0, 1, 2, 3]
/** Number of entries of a link that are kept. */
const RING = 128
const FIELDS = 3
