import type { Command } from 'commander'
import type { LogLevel } from '../../base/log.js'
import { examples, logLevelOption, noColorOption } from '../arguments.js'
import { addConfigOptions, configFlags, type ConfigArguments, type ConfigFlags } from '../configured.js'
import { plannerFlags, readPlannerFlags } from '../run/arguments.js'

/** The command line of `databay config`, checked. */
export interface ConfigCommandArguments extends ConfigArguments {
  readonly command: 'config'
  readonly json: boolean
  readonly color: boolean
  readonly logLevel: LogLevel
}

const AFTER_HELP = `
Shows what databay run would go by, and for each value where it comes from: a flag, a variable of the environment, the profile, the
configuration file, or the default. A flag goes before the environment, that before the profile, that before the file. Takes the
flags of databay run.

Shows the settings that the configuration gives links, and which links these are. For that, the link modules are loaded in a
thread, as databay list does: their top-level code runs, and no link is started. Secrets are shown as ***.

Exit code: 0; 1 when a link module cannot be loaded, 2 when an argument or the configuration is wrong.
${examples([
  ['databay config', 'what databay run would go by in this folder'],
  ['databay config --profile production', 'the same with a profile'],
  ['databay config --json', 'the same for programs'],
])}`

/** Adds the command `config` to the program. */
export function addConfig(program: Command, onConfig: (config: ConfigCommandArguments) => void): void {
  const config = program.command('config').description('show the configuration, and where each value comes from')
  addConfigOptions(config)
  for (const option of plannerFlags()) config.addOption(option)
  config
    .option('--json', 'one JSON document on standard output')
    .addOption(logLevelOption('warn'))
    .addOption(noColorOption())
    .addHelpText('after', AFTER_HELP)
    .action((modules: string[], flags: Flags, command: Command) => {
      const { json = false, color = true, logLevel = 'warn' } = flags
      const planner = readPlannerFlags(command)
      onConfig({ command: 'config', modules, ...configFlags(flags), planner, json, color, logLevel })
    })
}

type Flags = ConfigFlags & Partial<Pick<ConfigCommandArguments, 'json' | 'color' | 'logLevel'>>
