import { inspect } from 'node:util'
import { isSecret } from '../../base/secret.js'
import { PLANNER_KEYS } from '../../config/check-config.js'
import type { Configuration, Origin } from '../../config/configuration.js'
import { shownPath } from '../../config/find-config.js'
import { LinkOverrides } from '../../core/link-overrides.js'
import type { Matchable } from '../../core/link-pattern.js'

/** A value of the configuration, and where it comes from. */
export interface EffectiveValue extends Origin {
  /** What was given, as JSON has it; of a default, what the docs say; `null` when there is none. */
  readonly value: unknown
}

/** The effective configuration, as `databay config` tells it. */
export interface EffectiveConfig {
  readonly file: string | null
  readonly profile: string | null
  readonly modules: EffectiveValue & { readonly value: readonly string[] }
  readonly options: { readonly [option: string]: EffectiveValue }
  /** Settings that links are given, in their order, and the links that they are for. */
  readonly links: readonly {
    readonly pattern: string
    readonly settings: unknown
    readonly from: string
    readonly links: readonly string[]
  }[]
}

/**
 * What there is to tell of a configuration.
 *
 * @param areGiven - whether the link modules are arguments of the command
 * @param exported - links of the modules
 */
export function effective(
  { file, profile, planner, links, origins }: Configuration,
  modules: readonly string[],
  areGiven: boolean,
  exported: readonly (Matchable & { readonly name: string })[],
): EffectiveConfig {
  const nowhere: Origin = { from: 'default', name: '' }
  const ofModules: Origin = areGiven ? { from: 'flag', name: '<link-module>' } : (origins.get('modules') ?? nowhere)
  const given = planner as { readonly [option: string]: unknown }
  const options = Object.entries(PLANNER_KEYS).map(([option, { byDefault }]) => {
    const origin = origins.get(option) ?? nowhere
    const value = origin.from === 'default' ? defaultOf(option, byDefault) : plain(given[option])
    return [option, { value, ...origin }] as const
  })
  return {
    file: file === undefined ? null : shownPath(file),
    profile: profile ?? null,
    modules: { value: modules, ...ofModules },
    options: Object.fromEntries(options),
    links: links.map((override) => {
      const overrides = new LinkOverrides([override])
      const fitting = exported.filter((link) => overrides.of(link).length > 0).map(({ name }) => name)
      return { pattern: override.pattern, settings: plain(override.settings), from: override.place, links: fitting }
    }),
  }
}

/** Default of an option in a run, as the docs have it; `null` when it has none. */
function defaultOf(option: string, byDefault = 'undefined'): unknown {
  if (option === 'ignoreExceptions') return true
  const [value = ''] = byDefault.split(' - ')
  if (value === 'undefined') return null
  return /^(true|false|\d+)$/.test(value) ? (JSON.parse(value) as unknown) : value.replaceAll("'", '')
}

/** A value as JSON has it. A secret has no value there, and a URL no credentials. */
function plain(value: unknown): unknown {
  if (isSecret(value)) return String(value)
  if (value instanceof URL) return `${value.protocol}//${value.host}${value.pathname}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
  }
  if (typeof value === 'function') return inspect(value)
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
