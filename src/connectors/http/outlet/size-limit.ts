/** Time for which a limit is remembered, in milliseconds: a server may get another one. */
const MEMORY = 600_000

/** Size of requests with several records that a server takes, as far as it has refused larger ones (413). */
export class SizeLimit {
  readonly #now: () => number
  #most = Infinity
  #until = 0
  /** Most bytes of a request that was taken since the limit is remembered. */
  #taken = 0

  /** @param now - time in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Most bytes of the body of a request with several records. */
  get most(): number {
    return this.#most < Infinity && this.#now() < this.#until ? this.#most : Infinity
  }

  /** Notes that a request was too large, and the most bytes of those that are sent in its place. */
  refused(next: number): void {
    const { most } = this
    if (most === Infinity) this.#taken = 0
    this.#most = Math.min(most, Math.max(this.#taken, next))
    // a record that is refused for itself keeps no limit alive
    if (this.#most < most) this.#until = this.#now() + MEMORY
  }

  /** Notes that a request was taken. A larger one may have been refused for one of its records alone. */
  taken(size: number): void {
    this.#taken = Math.max(this.#taken, size)
    if (size > this.#most) this.#most = size
  }
}
