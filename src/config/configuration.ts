import path from 'node:path'
import { ConfigError, InvalidOptionError } from '../base/errors.js'
import { hintAt } from '../base/suggestion.js'
import type { LinkOverride } from '../core/link-overrides.js'
import type { WorkerPlannerOptions } from '../planners/worker-planner-options.js'
import { checkConfig, PLANNER_KEYS, type CheckedProfile } from './check-config.js'
import { plannerOf, variableOf, type Environment } from './environment.js'
import { shownPath } from './find-config.js'
import { loadConfig } from './load-config.js'
import { modulesOf } from './modules.js'

/** Where a value comes from. */
export type OriginKind = 'flag' | 'environment' | 'profile' | 'file' | 'default'

/** Where a value comes from, and its name there: `--threads`, `DATABAY_THREADS`, `profiles.production.threads`, `threads`. */
export interface Origin {
  readonly from: OriginKind
  readonly name: string
}

/** Link modules, options of the planner, and settings of links, as all places together say. */
export interface Configuration {
  /** URLs of the link modules that the configuration file names. */
  readonly modules: readonly string[]
  /** Options of the planner, as far as any place says them. */
  readonly planner: WorkerPlannerOptions
  readonly links: readonly LinkOverride[]
  /** Path of the configuration file; left out when there is none. */
  readonly file?: string
  /** Name of the profile; left out when none was chosen. */
  readonly profile?: string
  /** Where link modules, and each option of the planner, come from. */
  readonly origins: ReadonlyMap<string, Origin>
}

/** What a configuration is made of. */
export interface ConfigurationParts {
  /** Path of the configuration file. */
  readonly file: string | undefined
  /** Name of the profile, and what names it. */
  readonly profile: { readonly name: string; readonly option: string } | undefined
  readonly environment: Environment
  /** Options of the planner that were given as flags of a command, and the flags. */
  readonly flags: WorkerPlannerOptions
  readonly nameOfFlag: (option: string) => string
  /** Whether the link modules of the configuration are needed: otherwise they are not looked for. */
  readonly needsModules: boolean
}

/**
 * Reads the configuration. A flag goes before the environment, that before the profile, and that before the file.
 *
 * @throws {@link ConfigError} about the file
 * @throws {@link InvalidOptionError} about all else
 */
export async function readConfiguration(parts: ConfigurationParts): Promise<Configuration> {
  const { file, profile, environment, flags, nameOfFlag, needsModules } = parts
  const profiles = file === undefined ? noFile(profile) : await profilesOf(file, profile)
  const origins = new Map<string, Origin>(Object.keys(PLANNER_KEYS).map((name) => [name, DEFAULT]))
  const planner: { [option: string]: unknown } = {}
  const take = (options: object, from: OriginKind, nameOf: (option: string) => string) => {
    for (const [option, value] of Object.entries(options)) {
      if (value === undefined) continue
      planner[option] = value
      origins.set(option, { from, name: nameOf(option) })
    }
  }
  for (const { prefix, planner: options } of profiles) {
    take(options, prefix === '' ? 'file' : 'profile', (option) => `${prefix}${option}`)
  }
  take(plannerOf(environment), 'environment', variableOf)
  take(flags, 'flag', nameOfFlag)
  const naming = profiles.findLast(({ modules }) => modules !== undefined)
  if (naming !== undefined) {
    const { prefix } = naming
    origins.set('modules', { from: prefix === '' ? 'file' : 'profile', name: `${prefix}modules` })
  }
  return {
    modules: file === undefined || naming === undefined || !needsModules ? [] : modulesIn(file, naming),
    planner,
    links: profiles.flatMap(({ links }) => links),
    ...(file === undefined ? {} : { file }),
    ...(profile === undefined ? {} : { profile: profile.name }),
    origins,
  }
}

const DEFAULT: Origin = { from: 'default', name: '' }

/** What the file says, and after it what the chosen profile says. */
async function profilesOf(file: string, chosen: ConfigurationParts['profile']): Promise<CheckedProfile[]> {
  const shown = shownPath(file)
  const config = await loadConfig(file, { profile: chosen?.name })
  const { common, profiles } = checkConfig(shown, path.dirname(file), config)
  if (chosen === undefined) return [common]
  const profile = profiles.get(chosen.name)
  if (profile !== undefined) return [common, profile]
  const known = [...profiles.keys()]
  const expected = `a profile of ${shown} (${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`})`
  throw new InvalidOptionError(chosen.option, expected, chosen.name, { hint: hintAt(chosen.name, known) })
}

function noFile(profile: ConfigurationParts['profile']): [] {
  if (profile === undefined) return []
  const hint = 'name it with --config, or write a databay.config.js in this folder'
  throw new InvalidOptionError(profile.option, 'a configuration file that has this profile', profile.name, { hint })
}

function modulesIn(file: string, { prefix, modules }: CheckedProfile): string[] {
  try {
    return modulesOf(`${prefix}modules`, modules, path.dirname(file))
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    throw new ConfigError(shownPath(file), error.message, { cause: error })
  }
}
