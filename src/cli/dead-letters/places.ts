import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { stagesOf, type LinkStage } from '../../store/link-stages.js'
import type { Database } from '../../store/sqlite.js'

/** Places of links at which records may fail, as the store has them. */
export class Places {
  readonly #database: Database
  readonly #known = new Map<string, readonly LinkStage[] | undefined>()

  constructor(database: Database) {
    this.#database = database
  }

  /** `undefined` when the store does not say. */
  of(link: string): readonly LinkStage[] | undefined {
    if (!this.#known.has(link)) this.#known.set(link, stagesOf(this.#database, link))
    return this.#known.get(link)
  }

  /** @throws {@link InvalidOptionError} when the link has no such place */
  at(link: string, place: string): LinkStage {
    const stages = this.of(link) ?? []
    const stage = stages.find((one) => one.place === place)
    if (stage !== undefined) return stage
    const known = stages.map((one) => one.place)
    const expected = `a place of ${link} (${known.length === 0 ? 'the store knows none' : known.join(', ')})`
    throw new InvalidOptionError('--at', expected, place, { hint: hintAt(place, known) })
  }
}
