import type { Record, StatefulProcessor } from 'databay'
import type { Feature } from './feed.js'

/**
 * Processor: keeps the events that no earlier poll has shown.
 *
 * A feed is a window over the most recent events, so each poll repeats most of the one before. Three things can happen to
 * an event while it is in the window, and none of them makes it a new event:
 * - it is repeated as it was;
 * - it is revised (same id, later `updated`): **the first version seen wins**, as rows of a CSV file are not taken back;
 * - another network's id becomes its main one: it is known by any of its `ids`.
 *
 * Memory is bounded: only the latest ids are kept. As long as `capacity` is above the number of ids in a window, an
 * event is never forgotten while the feed still shows it.
 */
export class NewEvents implements StatefulProcessor<Feature, Feature> {
  /** Ids, in the order in which they were last seen. */
  readonly #seen = new Set<string>()
  readonly #capacity: number

  /** @param capacity - number of ids to remember */
  constructor(capacity = 50_000) {
    this.#capacity = capacity
  }

  process(records: Record<Feature>[]): Record<Feature>[] {
    const fresh = records.filter((record) => this.#isNew(idsOf(record.payload)))
    this.#forget()
    return fresh
  }

  #isNew(ids: readonly string[]): boolean {
    const known = ids.some((id) => this.#seen.has(id))
    for (const id of ids) {
      this.#seen.delete(id) // moves it to the end
      this.#seen.add(id)
    }
    return !known
  }

  #forget(): void {
    let excess = this.#seen.size - this.#capacity
    for (const id of this.#seen) {
      if (excess-- <= 0) return
      this.#seen.delete(id)
    }
  }
}

function idsOf({ id, properties }: Feature): string[] {
  const others = typeof properties.ids === 'string' ? properties.ids.split(',') : []
  return [...new Set([id, ...others])].filter((one) => one !== '')
}
