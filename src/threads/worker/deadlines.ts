import TinyQueue from 'tinyqueue'

interface Deadline {
  readonly time: number
  /** What it is of has ended; it leaves the queue when it comes to its head. */
  over: boolean
}

/** The times at which what runs should have ended, and the earliest of them. */
export class Deadlines {
  readonly #deadlines = new Map<number, Deadline>()
  #queue = new TinyQueue<Deadline>([], inOrder)

  /** How many there are. */
  get size(): number {
    return this.#deadlines.size
  }

  /** `Infinity` when there is none. */
  get earliest(): number {
    return this.#queue.peek()?.time ?? Infinity
  }

  add(run: number, time: number): void {
    const deadline = { time, over: false }
    this.#deadlines.set(run, deadline)
    this.#queue.push(deadline)
  }

  delete(run: number): void {
    const deadline = this.#deadlines.get(run)
    if (deadline === undefined) return
    this.#deadlines.delete(run)
    deadline.over = true
    while (this.#queue.peek()?.over === true) this.#queue.pop()
    // one that takes long may keep many that are over behind it
    if (this.#queue.length > 2 * this.#deadlines.size + 64) {
      this.#queue = new TinyQueue([...this.#deadlines.values()], inOrder)
    }
  }
}

function inOrder(a: Deadline, b: Deadline): number {
  return a.time - b.time
}
