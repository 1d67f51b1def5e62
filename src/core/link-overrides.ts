import { ConfigError, InvalidOptionError } from '../base/errors.js'
import { hintAt } from '../base/suggestion.js'
import type { DeadLetterOptions } from './delivery-options.js'
import { resolveLink, type GivenSettings, type ResolvedSettings } from './link-options.js'

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

/** What a configuration looks at of a link. */
export interface Overridable {
  readonly id?: string | undefined
  readonly tags: readonly string[]
}

/** Number of known names that an error shows. */
const SHOWN = 10

/** What a pattern begins with that is about tags. */
const TAG = 'tag:'

/** The overrides of a configuration. A later one goes before an earlier one, setting by setting. */
export class LinkOverrides {
  readonly #overrides: readonly { readonly fits: (link: Overridable) => boolean; readonly override: LinkOverride }[]

  constructor(overrides: readonly LinkOverride[] = []) {
    this.#overrides = overrides.map((override) => ({ fits: linkMatcher(override.pattern), override }))
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#overrides.length === 0
  }

  /** The overrides whose pattern a link fits, in their order. */
  of(link: Overridable): LinkOverride[] {
    return this.#overrides.flatMap(({ fits, override }) => (fits(link) ? [override] : []))
  }

  /** The override that turns a link off; `undefined` for one that runs. */
  disabling(link: Overridable): LinkOverride | undefined {
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
  check(links: readonly Overridable[]): void {
    for (const { fits, override } of this.#overrides) {
      if (override.optional !== true && !links.some(fits)) throw unknownPattern(override, links)
    }
  }

  /**
   * Settings of a link with its overrides.
   *
   * @param given - options that the link was made with
   * @returns `undefined` when there are none for it
   * @throws {@link ConfigError} when the result does not hold
   */
  resolve(link: Overridable & { readonly name: string }, given: GivenSettings): ResolvedSettings | undefined {
    const overrides = this.of(link)
    if (overrides.length === 0) return undefined
    const options = overrides.reduce(overridden, given)
    return this.blaming(link, () => resolveLink(options).settings)
  }

  /** Does what may throw an {@link InvalidOptionError} for the settings of a link, and has the error name its override. */
  blaming<T>(link: Overridable & { readonly name: string }, act: () => T): T {
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

/** Whether a link fits a pattern: its id, or `tag:` and one of its tags, where a `*` stands for any characters. */
export function linkMatcher(pattern: string): (link: Overridable) => boolean {
  if (pattern.startsWith(TAG)) {
    const fits = fitter(pattern.slice(TAG.length))
    return ({ tags }) => tags.some(fits)
  }
  const fits = fitter(pattern)
  return ({ id }) => id !== undefined && fits(id)
}

function fitter(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`, 's')
  return (name) => expression.test(name)
}

function unknownPattern({ pattern, file, place }: LinkOverride, links: readonly Overridable[]): ConfigError {
  const ids = new Set(links.flatMap(({ id }) => id ?? []))
  const tags = new Set(links.flatMap((link) => link.tags.map((tag) => `${TAG}${tag}`)))
  const known = [...(pattern.startsWith(TAG) ? tags : ids)]
  const names = known.length === 0 ? 'there is none' : `there are ${shown(known)}`
  const what = pattern.startsWith(TAG) ? 'the tag of a link' : 'the id of a link'
  const hint = tags.has(`${TAG}${pattern}`)
    ? `did you mean ${TAG}${pattern}?`
    : (hintAt(
        pattern,
        [...ids, ...tags].map((name) => asPattern(name, pattern)),
      ) ?? '')
  const end = hint === '' ? '' : `: ${hint}`
  return new ConfigError(file, `${place}: expected ${what}, no link fits it (${names})${end}`)
}

function shown(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : ''
  return `${names.slice(0, SHOWN).join(', ')}${more}`
}

/** A name with a `*` where a pattern has its first: `orders_*` of `orders_eu` for `ordres_*`. */
function asPattern(name: string, pattern: string): string {
  const at = pattern.indexOf('*')
  return at === -1 ? name : `${name.slice(0, at)}${pattern.slice(at)}`
}
