import type { Update } from '../core/update.js'

/** A pull whose records are not delivered yet, as far as that is known. */
interface OpenPull<P> {
  readonly update: Update
  /** Where it began. */
  readonly start: P
  readonly records: number
  state: 'running' | 'delivered' | 'failed'
}

/** Where to go back to. */
export interface WayBack<P> {
  readonly start: P
  /** Where the pulls began whose records are read again, as they were not delivered, or were running still. */
  readonly starts: readonly P[]
  /** How many records that are. */
  readonly records: number
}

/**
 * Keeps where pulls began until what they gave is delivered, so that an inlet can go back and read it again.
 *
 * ```
 *              | delivered | running -| failed --| delivered |
 *   position   0           10         20         30          40  <- where the inlet is
 *                          ^          ^
 *                          |          + the next pull goes back to here, and all that follows comes again
 *                          + what is stored: all before it is delivered
 * ```
 *
 * @typeParam P - a position
 */
export class OpenPulls<P> {
  readonly #pulls: OpenPull<P>[] = []

  /** A pull has ended that gave records. Pulls are added in the order of their positions. */
  add(update: Update, start: P, records: number): void {
    if (records > 0) this.#pulls.push({ update, start, records, state: 'running' })
  }

  /** The transfer of a pull has ended. */
  end(update: Update, delivered: boolean): void {
    for (const pull of this.#pulls) {
      if (pull.update === update && pull.state === 'running') pull.state = delivered ? 'delivered' : 'failed'
    }
    while (this.#pulls[0]?.state === 'delivered') this.#pulls.shift()
  }

  /** Where the earliest pull began that is not delivered; `undefined` when there is none. */
  get earliest(): { readonly start: P } | undefined {
    return this.#pulls[0]
  }

  /** Where all pulls began that are kept. */
  get starts(): readonly P[] {
    return this.#pulls.map(({ start }) => start)
  }

  /** Where to go back to, when a transfer failed. What is read again from there is forgotten. */
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
