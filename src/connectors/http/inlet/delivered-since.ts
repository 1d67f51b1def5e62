import type { Update } from '../../../core/update.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../../open-pulls.js'

/** State of {@link DeliveredSince}: plain data. Without a value, there was none yet. */
export interface SavedSince {
  readonly since?: unknown
  /** Pulls whose records buffers hold. */
  readonly carried?: CarriedPulls<unknown>
}

/** The value of `since` in memory: where the next pull begins. What was not delivered is asked for again. */
export class DeliveredSince {
  #value: unknown
  readonly #pulls = new OpenPulls<unknown>()

  /** Begins a pull: gives the value to ask with; `undefined` for none. */
  begin(): unknown {
    const back = this.#pulls.takeBack()
    if (back !== undefined) this.#value = back.start
    return this.#value
  }

  /**
   * Takes note of a page.
   *
   * @param start - value from which on it is asked for again when it is not delivered
   * @param value - value to go on with
   */
  add(update: Update, start: unknown, records: number, value: unknown): void {
    this.#pulls.add(update, start, records)
    this.#value = value
  }

  /** Notes what came of a pull. */
  ended(update: Update, delivered: boolean, lists: number | undefined): void {
    this.#pulls.end(update, delivered, lists)
  }

  /** What another inlet needs to go on; `undefined` when there is nothing. */
  save(): SavedSince | undefined {
    const { position, carried } = this.#pulls.handOff(this.#value)
    if (position === undefined && carried === undefined) return undefined
    return { since: position, ...(carried !== undefined && { carried }) }
  }

  /** Goes on with what another inlet has saved, as far as it can be used. */
  restore(saved: unknown): void {
    this.#pulls.clear()
    this.#value = sinceOf(saved)
    const carried = typeof saved === 'object' && saved !== null && 'carried' in saved ? saved.carried : undefined
    if (isCarriedPulls(carried)) this.#pulls.takeOver(carried)
  }
}

/** The value in what was kept, which may be anything; `undefined` when there is none. */
export function sinceOf(kept: unknown): unknown {
  return typeof kept === 'object' && kept !== null && 'since' in kept ? kept.since : undefined
}
