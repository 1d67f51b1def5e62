/**
 * Transfers of one message as numbers: the number of the first run, and for each run its link, transfer number, time, and
 * whether it is a drain. Runs are counted on from the first. A structured clone copies many numbers best as one block, and
 * few as a plain list.
 */
export type PackedRuns = Float64Array | readonly number[]

const FIELDS = 4

/** Most runs that are sent as a plain list: a block costs some microseconds more, however long it is. */
const FEW = 16

/** Gathers runs for one message. */
export class RunPacker {
  readonly #numbers: Float64Array
  #used = 1

  /** @param most - number of runs that there can be */
  constructor(most: number) {
    this.#numbers = new Float64Array(1 + most * FIELDS)
  }

  /** Number of runs. */
  get size(): number {
    return (this.#used - 1) / FIELDS
  }

  /** Adds a run. Its number follows that of the one before. */
  add(run: number, link: number, transferNumber: number, scheduledAt: number, drain: boolean): void {
    const numbers = this.#numbers
    let at = this.#used
    if (at === 1) numbers[0] = run
    numbers[at++] = link
    numbers[at++] = transferNumber
    numbers[at++] = scheduledAt
    numbers[at++] = drain ? 1 : 0
    this.#used = at
  }

  /** Gives the runs, and begins with none. */
  take(): PackedRuns {
    const used = this.#used
    this.#used = 1
    return used > 1 + FEW * FIELDS ? this.#numbers.slice(0, used) : [...this.#numbers.subarray(0, used)]
  }
}

/** Unpacks runs: calls `take` with each. */
export function unpackRuns(
  packed: PackedRuns,
  take: (run: number, link: number, transferNumber: number, scheduledAt: number, drain: boolean) => void,
): void {
  for (let at = 1, run = packed[0] as number; at < packed.length; at += FIELDS, run++) {
    take(run, packed[at] as number, packed[at + 1] as number, packed[at + 2] as number, packed[at + 3] === 1)
  }
}
