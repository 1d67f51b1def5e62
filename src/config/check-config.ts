import path from 'node:path'
import { checkObject } from '../base/check.js'
import { toMilliseconds } from '../base/duration.js'
import { ConfigError, InvalidOptionError, show, sortOf, toError } from '../base/errors.js'
import type { AnySpec } from '../base/options.js'
import { isSecret } from '../base/secret.js'
import { hintAt } from '../base/suggestion.js'
import { checkCron } from '../core/cron.js'
import { LINK_OPTIONS, LINK_SETTINGS } from '../core/link-options.js'
import type { LinkOverride, LinkOverrideSettings } from '../core/link-overrides.js'
import { isLinkPattern, LINK_PATTERN } from '../core/link-pattern.js'
import { PLANNER_OPTIONS } from '../planners/planner-options.js'
import { WORKER_PLANNER_OPTIONS } from '../planners/worker-planner-options.js'

/** Options of planners, which a configuration may have too. */
export const PLANNER_KEYS: AnySpec = { ...PLANNER_OPTIONS, ...WORKER_PLANNER_OPTIONS }

/** Keys of a configuration beside the options of planners. */
const OWN_KEYS = ['modules', 'links']

/** What a configuration file, or one of its profiles, says: checked. */
export interface CheckedProfile {
  /** Where in the file it is, for the beginning of names: `profiles.production.`. */
  readonly prefix: string
  readonly modules: unknown
  /** Options of the planner, as they were given. Paths are absolute. */
  readonly planner: { readonly [name: string]: unknown }
  readonly links: readonly LinkOverride[]
}

/** A configuration file, checked. */
export interface CheckedConfig {
  readonly common: CheckedProfile
  readonly profiles: ReadonlyMap<string, CheckedProfile>
}

/**
 * Checks what a configuration file exports.
 *
 * @param file - path of the file, for errors
 * @param folder - what relative paths are relative to
 * @throws {@link ConfigError} naming the key, what was expected and what came
 */
export function checkConfig(file: string, folder: string, config: object): CheckedConfig {
  try {
    const { profiles, ...rest } = config as { readonly [key: string]: unknown }
    const common = checkProfile(file, folder, '', rest)
    if (profiles !== undefined) checkFields('profiles', profiles)
    const named = Object.entries((profiles ?? {}) as { readonly [name: string]: unknown })
    const checked = named.map(([name, profile]) => {
      checkFields(`profiles.${name}`, profile)
      return [name, checkProfile(file, folder, `profiles.${name}.`, profile as object)] as const
    })
    return { common, profiles: new Map(checked) }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    if (error instanceof InvalidOptionError) throw new ConfigError(file, error.message, { cause: error })
    // a getter may throw anything
    throw new ConfigError(file, `cannot be read: ${toError(error).message}`, { cause: error })
  }
}

/** An object whose fields are what it says. A map, a date or a secret has none, and would pass for an empty object. */
function checkFields(place: string, value: unknown): void {
  checkObject(place, value)
  if (!hasFields(value as object)) throw new InvalidOptionError(place, 'an object with fields', sortOf(value))
}

/** Whether an object says what it has by its fields: a map, a date or a secret does not. */
export function hasFields(value: object): boolean {
  const tag = Object.prototype.toString.call(value)
  return (tag === '[object Object]' || tag === '[object Module]') && !isSecret(value)
}

function checkProfile(file: string, folder: string, prefix: string, profile: object): CheckedProfile {
  const planner: { [name: string]: unknown } = {}
  const { modules, links, ...options } = profile as { readonly [key: string]: unknown }
  for (const [name, value] of Object.entries(options)) {
    const option = Object.hasOwn(PLANNER_KEYS, name) ? PLANNER_KEYS[name] : undefined
    if (option === undefined) throw new ConfigError(file, `${prefix}${name}: ${unknownKey(name, prefix)}`)
    if (value === undefined) continue
    option.read(`${prefix}${name}`, value as never)
    planner[name] = option.isPath === true ? fromFolder(folder, value) : value
  }
  return { prefix, modules, planner, links: checkLinks(file, `${prefix}links`, links) }
}

/** A path from the folder of the file; a URL stays. */
function fromFolder(folder: string, value: unknown): unknown {
  return typeof value !== 'string' || /^[a-z][a-z0-9+.-]+:/i.test(value) ? value : path.resolve(folder, value)
}

function unknownKey(name: string, prefix: string): string {
  if (name === 'profiles') return 'a profile has no profiles of its own'
  if (isSetting(name)) return `it is a setting of links, as in links: { '*': { ${name}: ... } }`
  const known = [...OWN_KEYS, ...Object.keys(PLANNER_KEYS), ...(prefix === '' ? ['profiles'] : [])]
  return `there is no such key: ${hintAt(name, known) ?? `there are ${known.join(', ')}`}`
}

function isSetting(name: string): boolean {
  return name === 'enabled' || LINK_SETTINGS.some((known) => known === name)
}

function checkLinks(file: string, place: string, links: unknown): LinkOverride[] {
  if (links === undefined) return []
  checkFields(place, links)
  return Object.entries(links as { readonly [pattern: string]: unknown }).map(([pattern, settings]) => {
    const where = `${place}['${pattern}']`
    checkPattern(file, where, pattern)
    checkFields(where, settings)
    return { pattern, settings: checkSettings(file, where, settings as LinkOverrideSettings), file, place: where }
  })
}

function checkPattern(file: string, where: string, pattern: string): void {
  if (isLinkPattern(pattern)) return
  throw new ConfigError(file, `${where}: expected ${LINK_PATTERN}, got ${show(pattern)}`)
}

/** Checks the settings that links are given, one by one. What they come to together with those of a link, is seen there. */
function checkSettings(file: string, where: string, settings: LinkOverrideSettings): LinkOverrideSettings {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const { enabled, interval, cron, timeZone, jitter, deadLetters } = given as LinkOverrideSettings
  for (const name of Object.keys(given)) {
    if (!isSetting(name)) throw new ConfigError(file, `${where}.${name}: ${unknownSetting(name)}`)
    if (name === 'enabled') continue
    const option = (LINK_OPTIONS as AnySpec)[name]
    option?.read(`${where}.${name}`, given[name] as never)
  }
  const nested = (name: string) => `${where}.${name}`
  if (enabled !== undefined && typeof enabled !== 'boolean') {
    throw new InvalidOptionError(nested('enabled'), 'a boolean', enabled)
  }
  if (interval !== undefined && cron !== undefined) {
    throw new InvalidOptionError(nested('interval'), 'either interval or cron', 'both')
  }
  if (interval !== undefined) toMilliseconds(nested('interval'), interval)
  if (jitter !== undefined && jitter !== 0) toMilliseconds(nested('jitter'), jitter)
  if (cron !== undefined || timeZone !== undefined) checkTimes(file, where, cron ?? '* * * * *', timeZone)
  if (typeof deadLetters === 'object' && 'redact' in deadLetters) {
    const hint = 'threads are given plain data: it stays an option of the link'
    throw new InvalidOptionError(nested('deadLetters.redact'), 'no function', 'one', { hint })
  }
  return given
}

/** Checks a cron expression, and has its error name where it is. */
function checkTimes(file: string, where: string, cron: string, timeZone: string | undefined): void {
  try {
    checkCron(cron, timeZone)
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    throw new ConfigError(file, `${where}.${error.message}`, { cause: error })
  }
}

function unknownSetting(name: string): string {
  if (Object.hasOwn(PLANNER_KEYS, name)) return 'it is an option of the planner: put it beside links'
  if (Object.hasOwn(LINK_OPTIONS, name)) return 'it is part of the link: change it in the link module'
  const known = ['enabled', ...LINK_SETTINGS]
  return `there is no such setting: ${hintAt(name, known) ?? `there are ${known.join(', ')}`}`
}
