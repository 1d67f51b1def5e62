import { Option, type Command } from 'commander'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { configFlags, configOptions, type ConfigFlags } from '../configured.js'
import { addName, checkCount, examples, noColorOption, valued } from '../arguments.js'

interface SteerArguments extends ConfigFlags {
  /** Path of the socket; left out when the process is to be found. */
  readonly control?: string
  /** Number of the process. */
  readonly pid?: number
  /** Folder of the store of the process. */
  readonly store?: string
  readonly link: readonly string[]
  readonly tag: readonly string[]
  readonly json: boolean
  readonly color: boolean
}

/** The command line of `databay status`, checked. */
export interface StatusArguments extends SteerArguments {
  readonly command: 'status'
  /** Whether only links with trouble are shown. */
  readonly failing: boolean
  /** Whether it is shown again each second. */
  readonly watch: boolean
}

/** The command line of `databay force`, checked. */
export interface ForceArguments extends SteerArguments {
  readonly command: 'force'
  readonly all: boolean
  /** Whether the transfers are waited for. */
  readonly wait: boolean
  readonly quiet: boolean
}

/** The command line of `databay pause` or `databay resume`, checked. */
export interface PauseArguments extends SteerArguments {
  readonly command: 'pause' | 'resume'
  readonly all: boolean
  readonly quiet: boolean
}

const FINDING = `
The process is a databay run of the same user, or an application whose planner has the option control. It is found by itself
when only one runs; else by --pid, by the --store that it uses, or by the path of its socket, --control.
`

const AFTER_STATUS = `${FINDING}
Links that need somebody come first: quarantined, not started, blocked, failing. Then those that are paused, and the others.

Exit code: 0 when all links that are shown are well, 1 when one is quarantined, not started, blocked or failing, or the
process does not answer; 2 for bad arguments, and when there is no process or no such link.
${examples([
  ['databay status', 'what all links are doing, and what is wrong'],
  ['databay status --failing', 'only what is wrong, for scripts: exit code 1'],
  ['databay status --link orders --json', 'one link, for programs'],
  ['databay status --watch', 'the same again each second, until Ctrl-C'],
])}`

const AFTER_FORCE = `${FINDING}
Makes one transfer of each link now, whenever it is due, also when it is paused. A link that transfers already, as often at
once as it may, is skipped. With --no-wait, the command ends when the transfers have begun. They go on when it is ended.

Exit code: 0 when all transfers were made, 1 when one failed or was skipped; 2 for bad arguments, and when there is no process
or no such link: then nothing is done.
${examples([
  ['databay force --link orders', 'a transfer of one link'],
  ['databay force --tag daily --no-wait', 'transfers of all links with a tag, without waiting'],
  ['databay force --all --json', 'transfers of all links, with their reports as JSON'],
])}`

function afterPause(command: 'pause' | 'resume'): string {
  const text =
    command === 'pause'
      ? `Pauses links, or the planner as a whole when none are named. Transfers that run may end. What comes due meanwhile is
left out, and blocked links are not tried again. It lasts until resume, or the end of the process.`
      : `Resumes links, or the planner as a whole when none are named. Links that were paused by themselves stay paused when the
planner is resumed, unless --all says otherwise. Due times are those from before.`
  const lines =
    command === 'pause'
      ? ([
          ['databay pause --link orders', 'no transfers of one link, until it is resumed'],
          ['databay pause', 'no transfers at all'],
        ] as const)
      : ([
          ['databay resume --link orders', 'transfers of one link as before'],
          ['databay resume --all', 'transfers of all links, also of those that were paused by themselves'],
        ] as const)
  return `${FINDING}
${text}

Exit code: 0 when it is done, or was so before; 1 when the process could not; 2 for bad arguments, and when there is no process
or no such link: then nothing is done.
${examples(lines)}`
}

type Flags = Partial<StatusArguments & Omit<ForceArguments, 'command'>>

type Take = (read: StatusArguments | ForceArguments | PauseArguments) => void

/** Adds the commands that steer a running process to the program. */
export function addSteer(program: Command, take: Take): void {
  addStatus(program, take)
  addForce(program, take)
  addPause(program, 'pause', 'pause links of a running process, or all of it', take)
  addPause(program, 'resume', 'resume links of a running process, or all of it', take)
}

function addStatus(program: Command, take: Take): void {
  common(program.command('status').description('what the links of a running process are doing, and what is wrong'))
    .option('--failing', 'only links with which something is wrong')
    .addOption(new Option('--watch', 'show it again each second').conflicts('json'))
    .addHelpText('after', AFTER_STATUS)
    .action((flags: Flags) => {
      const { failing = false, watch = false } = flags
      take({ command: 'status', ...read(flags), failing, watch })
    })
}

function addForce(program: Command, take: Take): void {
  common(program.command('force').description('make a transfer of links of a running process now'))
    .option('--all', 'all links')
    .option('--no-wait', 'do not wait for the transfers')
    .option('--quiet', 'only what went wrong')
    .addHelpText('after', AFTER_FORCE)
    .action((flags: Flags) => {
      const { link = [], tag = [], all = false, wait = true, quiet = false } = flags
      if (!all && link.length + tag.length === 0)
        throw new InvalidOptionError(
          'force',
          '--link, --tag or --all, for the links that are to transfer',
          'none of them',
        )
      checkAll(flags)
      take({ command: 'force', ...read(flags), all, wait, quiet })
    })
}

function addPause(program: Command, command: 'pause' | 'resume', description: string, take: Take): void {
  common(program.command(command).description(description))
    .option(
      '--all',
      command === 'pause' ? 'all links, as without --link and --tag' : 'links that were paused by themselves, too',
    )
    .option('--quiet', 'only what went wrong')
    .addHelpText('after', afterPause(command))
    .action((flags: Flags) => {
      checkAll(flags)
      const { all = false, quiet = false } = flags
      take({ command, ...read(flags), all, quiet })
    })
}

function checkAll({ all = false, link = [], tag = [] }: Flags): void {
  const [named] = [...link, ...tag]
  if (all && named !== undefined) throw new InvalidOptionError('--all', 'no --link and no --tag beside it', named)
}

function common(command: Command): Command {
  for (const option of configOptions()) command.addOption(option)
  return command
    .addOption(new Option('--link <id>', 'the link with this id; can be given several times').argParser(addName))
    .addOption(new Option('--tag <tag>', 'links with this tag; can be given several times').argParser(addName))
    .addOption(valued('--control <path>', 'socket of the process', checkPath).conflicts(['pid', 'store']))
    .addOption(valued('--pid <n>', 'number of the process', checkCount).conflicts('store'))
    .addOption(valued('--store <folder>', 'store that the process uses', checkPath))
    .option('--json', 'one JSON document on standard output')
    .addOption(noColorOption())
}

function read(flags: Flags): SteerArguments {
  const { control, pid, store, link = [], tag = [], json = false, color = true } = flags
  return {
    ...configFlags(flags),
    ...(control !== undefined && { control }),
    ...(pid !== undefined && { pid }),
    ...(store !== undefined && { store }),
    ...{ link, tag, json, color },
  }
}
