import { ConfigError, InvalidOptionError } from '../base/errors.js'
import type { DeadLetterOptions } from './delivery-options.js'
import { resolveLink, type GivenSettings, type ResolvedSettings } from './link-options.js'
import { linkMatcher, noLinkFits, type Matchable } from './link-pattern.js'

/** Settings that a configuration may give links. */
export interface LinkOverrideSettings extends Omit<GivenSettings, 'deadLetters'> {
  /**
   * Whether the link runs at all.
   * @default true
   */
  readonly enabled?: boolean
  /**
   * When a refused record is given up and kept in the store. The function `redact` of the link stays.
   * @default what the link says
   */
  readonly deadLetters?: false | Omit<DeadLetterOptions, 'redact'>
}

/** Settings that a configuration gives some links in the place of their own: plain data, as threads are given it too. */
export interface LinkOverride {
  /** Id of links, or `tag:` and a tag. A `*` stands for any characters. */
  readonly pattern: string
  readonly settings: LinkOverrideSettings
  /** Path of the configuration file, for errors. */
  readonly file: string
  /** Where in the file it is, for errors: `links['orders_*']`. */
  readonly place: string
  /** Whether no link need fit the pattern: not all link modules of the configuration are there. */
  readonly optional?: boolean
}

/** The overrides of a configuration. A later one goes before an earlier one, setting by setting. */
export class LinkOverrides {
  readonly #overrides: readonly { readonly fits: (link: Matchable) => boolean; readonly override: LinkOverride }[]

  constructor(overrides: readonly LinkOverride[] = []) {
    this.#overrides = overrides.map((override) => ({ fits: linkMatcher(override.pattern), override }))
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#overrides.length === 0
  }

  /** The overrides whose pattern a link fits, in their order. */
  of(link: Matchable): LinkOverride[] {
    return this.#overrides.flatMap(({ fits, override }) => (fits(link) ? [override] : []))
  }

  /** The override that turns a link off; `undefined` for one that runs. */
  disabling(link: Matchable): LinkOverride | undefined {
    if (this.isEmpty) return undefined
    const last = this.of(link).findLast(({ settings }) => settings.enabled !== undefined)
    return last?.settings.enabled === false ? last : undefined
  }

  /**
   * Checks that there is a link for each pattern.
   *
   * @param links - all links of the configuration, those too that are turned off
   * @throws {@link ConfigError} with what was probably meant
   */
  check(links: readonly Matchable[]): void {
    for (const { fits, override } of this.#overrides) {
      if (override.optional === true || links.some(fits)) continue
      const { pattern, file, place } = override
      throw new ConfigError(file, `${place}: ${noLinkFits(pattern, links)}`)
    }
  }

  /**
   * Settings of a link with its overrides.
   *
   * @param given - options that the link was made with
   * @returns `undefined` when there are none for it
   * @throws {@link ConfigError} when the result does not hold
   */
  resolve(link: Matchable & { readonly name: string }, given: GivenSettings): ResolvedSettings | undefined {
    const overrides = this.of(link)
    if (overrides.length === 0) return undefined
    const options = overrides.reduce(overridden, given)
    return this.blaming(link, () => resolveLink(options).settings)
  }

  /** Does what may throw an {@link InvalidOptionError} for the settings of a link, and has the error name its override. */
  blaming<T>(link: Matchable & { readonly name: string }, act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof InvalidOptionError)) throw error
      const overrides = this.of(link)
      const [name = ''] = error.option.split('.')
      const blamed = overrides.findLast(({ settings }) => name in settings) ?? overrides.at(-1)
      if (blamed === undefined) throw error
      throw new ConfigError(blamed.file, `${blamed.place}: link ${link.name}: ${error.message}`, { cause: error })
    }
  }
}

/** Options of a link with those of an override in their place. */
function overridden(given: GivenSettings, { settings }: LinkOverride): GivenSettings {
  const { enabled: _enabled, deadLetters, ...others } = settings
  const options: { -readonly [name in keyof GivenSettings]: GivenSettings[name] } = { ...given }
  // one says when the link is due, in the place of the other
  if (others.interval !== undefined) {
    delete options.cron
    delete options.timeZone
  }
  if (others.cron !== undefined) {
    delete options.interval
    delete options.alignToClock
  }
  if (deadLetters !== undefined) options.deadLetters = withRedact(deadLetters, given.deadLetters)
  return Object.assign(options, others)
}

/** Options of dead letters with the function of a link: what must not lie on a disk still does not. */
function withRedact(
  letters: false | DeadLetterOptions,
  given: false | DeadLetterOptions | undefined,
): false | DeadLetterOptions {
  if (letters === false || given === undefined || given === false || given.redact === undefined) return letters
  return { ...letters, redact: given.redact }
}
