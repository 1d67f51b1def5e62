import { InvalidOptionError } from '../base/errors.js'
import { hintAt } from '../base/suggestion.js'

/** Number of known names that an error shows. */
const SHOWN = 10

/** What a selection looks at of a link. */
interface Selectable {
  readonly id?: string | undefined
  readonly tags: readonly string[]
}

/** Selection of some links of link modules, by their ids and tags: each that has one of them. */
export class LinkSelection {
  readonly #ids: readonly string[]
  readonly #tags: readonly string[]

  constructor(ids: readonly string[], tags: readonly string[]) {
    this.#ids = ids
    this.#tags = tags
  }

  /** Whether a link is selected. Without ids and tags, all are. */
  has({ id, tags }: Selectable): boolean {
    if (this.#ids.length === 0 && this.#tags.length === 0) return true
    return (id !== undefined && this.#ids.includes(id)) || tags.some((tag) => this.#tags.includes(tag))
  }

  /**
   * Checks that each id and tag is one of a link.
   *
   * @throws {@link InvalidOptionError} that names the argument of the command, `--link` or `--tag`
   */
  check(links: readonly Selectable[]): void {
    checkKnown('--link', 'the id of a link', this.#ids, new Set(links.flatMap(({ id }) => id ?? [])))
    checkKnown('--tag', 'the tag of a link', this.#tags, new Set(links.flatMap(({ tags }) => tags)))
  }
}

function checkKnown(option: string, what: string, wanted: readonly string[], known: ReadonlySet<string>): void {
  const unknown = wanted.find((name) => !known.has(name))
  if (unknown === undefined) return
  const shown = [...known].slice(0, SHOWN).join(', ')
  const more = known.size > SHOWN ? `, and ${known.size - SHOWN} more` : ''
  const names = known.size === 0 ? 'there is none' : `there are ${shown}${more}`
  throw new InvalidOptionError(option, `${what} (${names})`, unknown, { hint: hintAt(unknown, [...known]) })
}
