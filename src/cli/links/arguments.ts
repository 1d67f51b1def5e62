import type { Command } from 'commander'
import type { LogLevel } from '../../base/log.js'
import type { LinkSelection } from '../../core/link-selection.js'
import {
  examples,
  logLevelOption,
  noColorOption,
  selectionOf,
  selectionOptions,
  type SelectionFlags,
} from '../arguments.js'
import { addConfigOptions, configFlags, type ConfigArguments, type ConfigFlags } from '../configured.js'

interface LinksArguments extends ConfigArguments {
  readonly selection: LinkSelection
  readonly json: boolean
  readonly color: boolean
  readonly logLevel: LogLevel
}

/** The command line of `databay list`, checked. */
export interface ListArguments extends LinksArguments {
  readonly command: 'list'
}

/** The command line of `databay check`, checked. */
export interface CheckArguments extends LinksArguments {
  readonly command: 'check'
  /** Whether nodes are started and shut down. */
  readonly connect: boolean
  /** Whether only trouble is told. */
  readonly quiet: boolean
}

interface Flags
  extends
    SelectionFlags,
    ConfigFlags,
    Partial<Pick<CheckArguments, 'json' | 'color' | 'logLevel' | 'connect' | 'quiet'>> {}

const AFTER_LIST = `
Loads the modules in a thread: what stands outside of links there, at the top level, runs. No link is started. Due times
count from now, and are in the time zone of the process.

Exit code: 0 when all modules could be loaded, 1 when one could not, 2 for bad arguments.
${examples([
  ['databay list links.js', 'a table of the links'],
  ['databay list links.js --json', 'the same for programs'],
])}`

const AFTER_CHECK = `
Loads the modules in a thread, with all that they import: what stands at their top level runs. So options that are wrong,
names that are misspelt and files that are missing are found. No link is started, nothing is pulled or pushed. With
--connect, the inlets and outlets are started as in a run, and shut down again: what they do then (connect to a server,
open a file) is up to them. Warns of ids that several links have.

Exit code: 0 when nothing is wrong, 1 when something is, 2 for bad arguments.
${examples([
  ['databay check links.js', 'whether it would start'],
  ['databay check links.js --connect', 'whether its servers and files can be reached, too'],
  ['databay check links.js --quiet', 'nothing but trouble, for scripts'],
])}`

/** Adds the command `list` to the program. */
export function addList(program: Command, onList: (list: ListArguments) => void): void {
  common(program.command('list').description('list the links of link modules: schedule, next due time, nodes'))
    .addHelpText('after', AFTER_LIST)
    .action((modules: string[], flags: Flags) => {
      onList({ command: 'list', ...read(modules, flags) })
    })
}

/** Adds the command `check` to the program. */
export function addCheck(program: Command, onCheck: (check: CheckArguments) => void): void {
  common(program.command('check').description('check that link modules load and their links are well, without running'))
    .option('--connect', 'start the inlets and outlets too, and shut them down again')
    .option('--quiet', 'only what is wrong')
    .addHelpText('after', AFTER_CHECK)
    .action((modules: string[], flags: Flags) => {
      const { connect = false, quiet = false } = flags
      onCheck({ command: 'check', ...read(modules, flags), connect, quiet })
    })
}

function common(command: Command): Command {
  addConfigOptions(command)
  for (const option of selectionOptions()) command.addOption(option)
  return command
    .option('--json', 'one JSON document on standard output')
    .addOption(logLevelOption('warn'))
    .addOption(noColorOption())
}

function read(modules: readonly string[], flags: Flags): LinksArguments {
  const { json = false, color = true, logLevel = 'warn' } = flags
  return { modules, ...configFlags(flags), selection: selectionOf(flags), json, color, logLevel }
}
