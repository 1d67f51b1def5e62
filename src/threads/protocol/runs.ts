/**
 * Transfers of one message as numbers: the number of the first run, and for each run its link, transfer number, time, and
 * flags. Runs are counted on from the first. A structured clone copies many numbers best as one block, and
 * few as a plain list.
 */
export type PackedRuns = Float64Array | readonly number[]

const FIELDS = 4

/** Flags of a run: whether it only drains buffers, and whether it tries again what a blocked link has in hand. */
const DRAIN = 1
const RETRY = 2

/** Most runs that are sent as a plain list: a block costs some microseconds more, however long it is. */
const FEW = 16

/** Gathers runs for one message. */
export class RunPacker {
  #numbers: number[] = []
  #size = 0

  /** Number of runs. */
  get size(): number {
    return this.#size
  }

  /** Adds a run. Its number follows that of the one before. */
  add(run: number, link: number, transferNumber: number, scheduledAt: number, drain: boolean, retry = false): void {
    const flags = (drain ? DRAIN : 0) | (retry ? RETRY : 0)
    if (this.#size++ === 0) this.#numbers = [run, link, transferNumber, scheduledAt, flags]
    else this.#numbers.push(link, transferNumber, scheduledAt, flags)
  }

  /** Gives the runs, and begins with none. */
  take(): PackedRuns {
    const numbers = this.#numbers
    const isFew = this.#size <= FEW
    this.#numbers = []
    this.#size = 0
    return isFew ? numbers : new Float64Array(numbers)
  }
}

/** Unpacks runs: calls `take` with each. */
export function unpackRuns(
  packed: PackedRuns,
  take: (
    run: number,
    link: number,
    transferNumber: number,
    scheduledAt: number,
    drain: boolean,
    retry: boolean,
  ) => void,
): void {
  for (let at = 1, run = packed[0] as number; at < packed.length; at += FIELDS, run++) {
    const [link, transferNumber, scheduledAt] = [packed[at], packed[at + 1], packed[at + 2]] as [number, number, number]
    const flags = packed[at + 3] as number
    take(run, link, transferNumber, scheduledAt, (flags & DRAIN) !== 0, (flags & RETRY) !== 0)
  }
}
