import type { Record } from '../core/record.js'

/** A dead letter that is being replayed. */
export interface LetterOrigin {
  readonly id: number
  /** Number of times that its record was tried before. */
  readonly attempts: number
  /** Whether its record was refused again, so that it stays a dead letter. */
  isRefused: boolean
}

/** The dead letters that records come from which are being replayed. */
export class LetterOrigins {
  readonly #letters = new WeakMap<Record, LetterOrigin>()

  /** Letter that a record comes from; `undefined` for one that was pulled, or made by a processor. */
  of(record: Record): LetterOrigin | undefined {
    return this.#letters.get(record)
  }

  /** Notes where a record comes from. */
  set(record: Record, origin: LetterOrigin): void {
    this.#letters.set(record, origin)
  }
}
