import type { Update } from '../core/update.js'

/** Pull whose records are not delivered yet, as far as that is known. */
interface OpenPull<P> {
  readonly update: Update
  /** Position at which the pull began. */
  readonly start: P
  readonly records: number
  state: 'running' | 'delivered' | 'failed'
}

/** Way back to records that are to be read again. */
export interface WayBack<P> {
  readonly start: P
  /** Positions at which the pulls began whose records are read again: they failed, or are still running. */
  readonly starts: readonly P[]
  /** Number of these records. */
  readonly records: number
}

/**
 * Positions at which pulls began, kept until their records are delivered, so that an inlet can go back and read them
 * again.
 *
 * ```
 *              | delivered | running -| failed --| delivered |
 *   position   0           10         20         30          40  <- where the inlet is
 *                          ^          ^
 *                          |          + the next pull goes back to here, and all that follows comes again
 *                          + what is stored: all before it is delivered
 * ```
 *
 * @typeParam P - type of a position
 */
export class OpenPulls<P> {
  readonly #pulls: OpenPull<P>[] = []

  /** Adds a pull that has ended. Pulls are added in the order of their positions. */
  add(update: Update, start: P, records: number): void {
    if (records > 0) this.#pulls.push({ update, start, records, state: 'running' })
  }

  /** Notes how the transfer of a pull has ended. */
  end(update: Update, delivered: boolean): void {
    for (const pull of this.#pulls) {
      if (pull.update === update && pull.state === 'running') pull.state = delivered ? 'delivered' : 'failed'
    }
    while (this.#pulls[0]?.state === 'delivered') this.#pulls.shift()
  }

  /** Earliest pull that is not delivered; `undefined` when there is none. */
  get earliest(): { readonly start: P } | undefined {
    return this.#pulls[0]
  }

  /** Positions at which the pulls began that are kept. */
  get starts(): readonly P[] {
    return this.#pulls.map(({ start }) => start)
  }

  /** Gives the way back after a failed transfer, and forgets the pulls that will be read again. */
  takeBack(): WayBack<P> | undefined {
    const failed = this.#pulls.findIndex(({ state }) => state === 'failed')
    if (failed === -1) return undefined
    const again = this.#pulls.splice(failed).filter(({ state }) => state !== 'delivered')
    const [first] = again
    const records = again.reduce((sum, pull) => sum + pull.records, 0)
    return first && { start: first.start, starts: again.map(({ start }) => start), records }
  }

  clear(): void {
    this.#pulls.length = 0
  }
}
