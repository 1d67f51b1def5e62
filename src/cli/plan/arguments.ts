import { Option, type Command } from 'commander'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { LogLevel } from '../../base/log.js'
import type { LinkSelection } from '../../core/link-selection.js'
import {
  checkCount,
  examples,
  logLevelOption,
  noColorOption,
  selectionOf,
  selectionOptions,
  valued,
  type SelectionFlags,
} from '../arguments.js'
import { addConfigOptions, configFlags, type ConfigArguments, type ConfigFlags } from '../configured.js'
import { checkDuration, type GivenDuration } from './durations.js'

/** The command line of `databay plan`, checked. */
export interface PlanArguments extends ConfigArguments {
  readonly command: 'plan'
  readonly selection: LinkSelection
  /** Length of the window, in hours. */
  readonly hours: number
  /** Begin of the window, in milliseconds since 1970; left out for now. */
  readonly from?: number
  readonly duration: readonly GivenDuration[]
  /** Most links in the table. */
  readonly limit: number
  readonly json: boolean
  readonly color: boolean
  readonly logLevel: LogLevel
}

interface Flags
  extends SelectionFlags, ConfigFlags, Partial<Omit<PlanArguments, keyof ConfigArguments | 'command' | 'selection'>> {
  readonly store?: string
  readonly transfersPerThread?: number
}

const HOURS = 24
/** Hours of a year. */
const MOST_HOURS = 8760
const LIMIT = 40

const AFTER_HELP = `
Loads the modules in a thread, as check does: what stands at their top level runs, and nothing else does. Then tells what is
due: of each link, its runs, the first and the last; a curve of the runs; how many links are due in one second; hours without
a run; what changes of the clock do to cron expressions. Intervals count from the begin of the window, as if the links were
started then. Jitter is told as a range, and does not count.

How long runs take is read from the ledger of the store: --store, else DATABAY_STORE, else that of the configuration, else
./.databay where there is one. It is the time that 95 of 100 runs without an error did not exceed. --duration gives it instead.
With it, the plan tells which runs overlap, which are skipped as those before still run, and how many threads are needed at the
worst moment so that no run waits for another: one for each run that computes (it holds its thread for half of its time and at
least 5 ms, or its link has the lane cpu), and for those that wait, together, as many as they hold: at least one, and one for
each --transfers-per-thread of them.

Exit code: 0 when all modules could be loaded, 1 when one could not, 2 for bad arguments.
${examples([
  ['databay plan links.js', 'what is due in the next 24 hours'],
  ['databay plan links.js --hours 168 --from 2026-03-23', 'the week in which the clocks change'],
  ['databay plan links.js --store ./.databay', 'with the durations that were measured'],
  ['databay plan links.js --duration 2s --duration report=5min', 'with durations of your own'],
  ['databay plan links.js --tag nightly --json', 'for programs'],
])}`

/** Adds the command `plan` to the program. */
export function addPlan(program: Command, onPlan: (plan: PlanArguments) => void): void {
  const command = program
    .command('plan')
    .description('tell what is due when: runs, peaks, overlaps, threads, clock changes')
  addConfigOptions(command)
    .addOption(
      valued(
        '--hours <n>',
        `length of the window in hours, up to a year: ${MOST_HOURS} (default: ${HOURS})`,
        checkHours,
      ),
    )
    .addOption(
      valued(
        '--from <time>',
        'begin of the window: an ISO date, in the local time zone unless it says another (default: now)',
        checkFrom,
      ),
    )
  for (const option of selectionOptions()) command.addOption(option)
  command
    .addOption(
      valued(
        '--store <folder>',
        'folder of the store whose ledger has durations (default: DATABAY_STORE, else ./.databay)',
        checkPath,
      ),
    )
    .addOption(
      new Option(
        '--duration <time>',
        'how long runs take: 1.5s, or orders=1.5s for one link; can be given several times',
      ).argParser(addDuration),
    )
    .addOption(
      valued('--transfers-per-thread <n>', 'transfers that may run at once in a thread (default: 1000)', checkCount),
    )
    .addOption(
      valued('--limit <n>', `links in the table, at most: those with the most runs (default: ${LIMIT})`, checkCount),
    )
    .option('--json', 'one JSON document on standard output')
    .addOption(logLevelOption('warn'))
    .addOption(noColorOption())
    .addHelpText('after', AFTER_HELP)
    .action((modules: string[], flags: Flags) => {
      onPlan(read(modules, flags))
    })
}

function read(modules: readonly string[], flags: Flags): PlanArguments {
  const { hours = HOURS, from, store, duration = [], transfersPerThread, limit = LIMIT } = flags
  const { json = false, color = true, logLevel = 'warn' } = flags
  return {
    command: 'plan',
    modules,
    ...configFlags(flags),
    planner: {
      ...(store === undefined ? {} : { store }),
      ...(transfersPerThread === undefined ? {} : { transfersPerThread }),
    },
    selection: selectionOf(flags),
    hours,
    duration,
    limit,
    json,
    color,
    logLevel,
    ...(from === undefined ? {} : { from }),
  }
}

function addDuration(text: string, before: readonly GivenDuration[] | undefined): readonly GivenDuration[] {
  return [...(before ?? []), checkDuration('--duration', text)]
}

function checkHours(option: string, text: string): number {
  const hours = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (hours > 0 && hours <= MOST_HOURS) return hours
  throw new InvalidOptionError(option, `a number of hours above 0, up to ${MOST_HOURS}`, text)
}

function checkFrom(option: string, text: string): number {
  // a date alone would be taken for one in UTC
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text
  const time = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/.test(at) ? Date.parse(at) : Number.NaN
  if (!Number.isNaN(time) && time >= 0) return time
  throw new InvalidOptionError(option, 'a time such as 2026-03-29, 2026-03-29T01:30 or 2026-03-29T01:30:00Z', text)
}
