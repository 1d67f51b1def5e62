import { Option, type Command } from 'commander'
import { InvalidOptionError } from '../base/errors.js'
import type { LinkOverride } from '../core/link-overrides.js'
import { readConfiguration, type Configuration } from '../config/configuration.js'
import { checkProfileName, CONFIG_VARIABLE, misspelt, PROFILE_VARIABLE } from '../config/environment.js'
import { readEnvFiles } from '../config/env-files.js'
import { findConfig, namedConfig } from '../config/find-config.js'
import type { WorkerPlannerOptions } from '../planners/worker-planner-options.js'
import { addModule, addName, valued } from './arguments.js'
import type { ProcessContext } from './process-context.js'

/** Values of the options that {@link addConfigOptions} adds. */
export interface ConfigFlags {
  /** Path of the configuration file. */
  readonly config?: string
  /** Name of the profile. */
  readonly profile?: string
  /** Files with variables of the environment. */
  readonly envFile?: readonly string[]
}

/** Arguments of a command, as far as a configuration is made of them. */
export interface ConfigArguments extends ConfigFlags {
  /** URLs of the link modules that were given; none when those of the configuration are meant. */
  readonly modules: readonly string[]
  /** Options of the planner that were given as flags. */
  readonly planner?: WorkerPlannerOptions
}

/** Configuration of a command, as flags, environment, profile and configuration file together say. */
export interface Configured extends Omit<Configuration, 'links'> {
  /** URLs of the link modules: those that were given, else those of the configuration. */
  readonly modules: readonly string[]
  /** Settings that the configuration gives links. Planners take them as the internal option `overrides`. */
  readonly links: readonly LinkOverride[]
}

/** Adds link modules, which need not be given, and the options about a configuration to a command. */
export function addConfigOptions(command: Command): Command {
  command.argument(
    '[link-module...]',
    'paths or file: URLs of link modules (default: those of the configuration)',
    addModule,
  )
  for (const option of configOptions()) command.addOption(option)
  return command
}

/** Makes the options `--config`, `--profile` and `--env-file`. */
export function configOptions(): Option[] {
  return [
    new Option('--config <file>', 'configuration file (default: databay.config.{ts,js,mjs} in this folder)'),
    valued('--profile <name>', 'profile of the configuration', checkProfileName),
    new Option(
      '--env-file <file>',
      'set variables of the environment from a file; can be given several times',
    ).argParser(addName),
  ]
}

/** The options about a configuration among all flags of a command. */
export function configFlags({ config, profile, envFile }: ConfigFlags): ConfigFlags {
  return {
    ...(config === undefined ? {} : { config }),
    ...(profile === undefined ? {} : { profile }),
    ...(envFile === undefined ? {} : { envFile }),
  }
}

/**
 * Link modules, options of the planner and settings of links that a command goes by. Variables of `--env-file` are in the
 * environment of the process from here on, so that the configuration and threads see them.
 *
 * @throws {@link InvalidOptionError} about an argument or the environment, and when no link module is named anywhere
 * @throws {@link ConfigError} about the configuration file
 */
export async function configured(args: ConfigArguments, context: ProcessContext): Promise<Configured> {
  const configuration = await configurationOf(args, context, args.modules.length === 0)
  const { file, links } = configuration
  if (args.modules.length > 0) {
    return { ...configuration, modules: args.modules, links: optional(links) }
  }
  if (configuration.modules.length > 0) return configuration
  const expected = 'link modules, as in databay run links.js, or a configuration that names them'
  const hint =
    file === undefined
      ? 'there is no databay.config.js in this folder; databay create writes a project'
      : `${file} has no modules`
  throw new InvalidOptionError('<link-module>', expected, 'none', { hint })
}

/** Settings of links, some of which may be in modules that are not there. */
export function optional(links: readonly LinkOverride[]): LinkOverride[] {
  return links.map((one) => ({ ...one, optional: true }))
}

/**
 * Configuration of a command, whether it has link modules or not. Throws as {@link configured} does.
 *
 * @param needsModules - whether its link modules are needed: otherwise they are not looked for
 */
export async function configurationOf(
  args: Omit<ConfigArguments, 'modules'>,
  context: Pick<ProcessContext, 'env' | 'stderr'>,
  needsModules: boolean,
): Promise<Configuration> {
  const added = readEnvFiles('--env-file', args.envFile ?? [], context.env)
  Object.assign(process.env, added)
  const environment = { ...context.env, ...added }
  for (const { name, hint } of misspelt(environment)) {
    context.stderr.write(`databay: ${name} is no setting of databay: ${hint}\n`)
  }
  const file = args.config ?? (environment[CONFIG_VARIABLE] || undefined)
  const profile = args.profile ?? (environment[PROFILE_VARIABLE] || undefined)
  return readConfiguration({
    file:
      file === undefined
        ? findConfig(process.cwd())
        : namedConfig(args.config === undefined ? CONFIG_VARIABLE : '--config', file),
    profile:
      profile === undefined
        ? undefined
        : { name: profile, option: args.profile === undefined ? PROFILE_VARIABLE : '--profile' },
    environment,
    flags: args.planner ?? {},
    nameOfFlag,
    needsModules,
  })
}

/** Flags that are not named as their option. */
const FLAGS: { readonly [option: string]: string } = {
  ignoreExceptions: '--stop-on-error',
  immediateTransfer: '--no-immediate-transfer',
}

function nameOfFlag(option: string): string {
  return FLAGS[option] ?? `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
