import TinyQueue from 'tinyqueue'

interface Deadline {
  readonly time: number
  /** Whether its run has ended: it leaves the queue when it comes to the head. */
  over: boolean
}

/** Deadlines of runs, and the earliest of them. */
export class Deadlines {
  readonly #deadlines = new Map<number, Deadline>()
  #queue = new TinyQueue<Deadline>([], inOrder)

  /** Number of deadlines. */
  get size(): number {
    return this.#deadlines.size
  }

  /** The earliest deadline; `Infinity` when there is none. */
  get earliest(): number {
    return this.#queue.peek()?.time ?? Infinity
  }

  /** Adds the deadline of a run. */
  add(run: number, time: number): void {
    const deadline = { time, over: false }
    this.#deadlines.set(run, deadline)
    this.#queue.push(deadline)
  }

  /** Deletes the deadline of a run, if it has one. */
  delete(run: number): void {
    const deadline = this.#deadlines.get(run)
    if (deadline === undefined) return
    this.#deadlines.delete(run)
    deadline.over = true
    while (this.#queue.peek()?.over === true) this.#queue.pop()
    // one that is far off may keep many behind it that are over
    if (this.#queue.length > 2 * this.#deadlines.size + 64) {
      this.#queue = new TinyQueue([...this.#deadlines.values()], inOrder)
    }
  }
}

function inOrder(a: Deadline, b: Deadline): number {
  return a.time - b.time
}
