import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { DeadLetters, type DeadLetterFilter, type StoredDeadLetter } from '../../store/dead-letters.js'
import { LinkRows } from '../../store/link-rows.js'
import type { Database } from '../../store/sqlite.js'
import { timeOf } from '../past.js'
import type { Selection } from './arguments.js'

/** Letters that are read, or changed, at once: others can write in between. */
export const SLICE = 500

/** The dead letters that a command is about. */
export class Selected {
  readonly letters: DeadLetters
  readonly #database: Database
  readonly #selection: Selection
  readonly #filter: DeadLetterFilter
  /** Ids that were asked for, and that no letter had at the beginning. */
  readonly missing: readonly number[]
  /** Ids of letters that are not what was written. */
  readonly damaged: number[] = []

  constructor(database: Database, selection: Selection) {
    const { id, link, outlet, stage, code, since, before } = selection
    const now = Date.now()
    this.#database = database
    this.#selection = selection
    this.#filter = {
      ...{ ids: id, link, outlet, stage, code },
      ...(since === undefined ? {} : { since: timeOf(since, now) }),
      ...(before === undefined ? {} : { before: timeOf(before, now) }),
    }
    this.letters = new DeadLetters(database)
    this.missing = id.filter((one) => this.letters.count({ ids: [one] }) === 0)
  }

  /** Number of letters, without the limit. */
  count(more: DeadLetterFilter = {}): number {
    return this.letters.count({ ...this.#filter, ...more })
  }

  /** The last letters. */
  last(limit: number): StoredDeadLetter[] {
    return this.letters.list({ ...this.#filter, newest: true, limit }, this.#noteDamaged)
  }

  /** All letters up to the limit, the oldest first, slice by slice. */
  slices(): Generator<StoredDeadLetter[]> {
    return this.#walk(this.#filter, this.#selection.limit ?? Infinity)
  }

  /** Letters that failed together, whether they are selected or not, slice by slice. */
  group(link: string, group: string): Generator<StoredDeadLetter[]> {
    return this.#walk({ link, group }, Infinity)
  }

  *#walk(filter: DeadLetterFilter, most: number): Generator<StoredDeadLetter[]> {
    let after = 0
    let left = most
    while (left > 0) {
      let last = 0
      const slice = this.letters.list({ ...filter, after, limit: Math.min(SLICE, left) }, (id) => {
        this.#noteDamaged(id)
        last = id
      })
      last = Math.max(last, slice.at(-1)?.id ?? 0)
      if (last === 0) return
      yield slice
      after = last
      left -= slice.length
    }
  }

  /** What could not be found or read, in words. */
  problems(): string[] {
    return [
      ...this.missing.map((id) => `there is no dead letter ${id}`),
      ...this.damaged.map((id) => `dead letter ${id} is damaged: it is left out`),
    ]
  }

  /**
   * Checks names of which no letter was found.
   *
   * @throws {@link InvalidOptionError} when the store has no link of that name, or another name was probably meant
   */
  checkNames(): void {
    const { link, outlet, code } = this.#selection
    const links = [
      ...new Set([...this.letters.known('link'), ...new LinkRows(this.#database).all().map(({ id }) => id)]),
    ]
    for (const name of link) {
      if (links.includes(name)) continue
      throw new InvalidOptionError('--link', 'the name of a link that is in the store', name, {
        hint: hintAt(name, links),
      })
    }
    checkNear('--outlet', outlet, 'the name of an outlet with dead letters', this.letters.known('outlet'))
    checkNear('--code', code, 'a code that dead letters have', this.letters.known('code'))
  }

  readonly #noteDamaged = (id: number): void => {
    if (!this.damaged.includes(id)) this.damaged.push(id)
  }
}

function checkNear(option: string, names: readonly string[], expected: string, known: readonly string[]): void {
  for (const name of names) {
    const hint = known.includes(name) ? undefined : hintAt(name, known)
    if (hint !== undefined) throw new InvalidOptionError(option, expected, name, { hint })
  }
}
