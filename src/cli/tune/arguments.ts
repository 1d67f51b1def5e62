import type { Command } from 'commander'
import { LONGEST_TIMER } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { LogLevel } from '../../base/log.js'
import { checkThreads } from '../../planners/most-threads.js'
import { WORKER_PLANNER_OPTIONS } from '../../planners/worker-planner-options.js'
import { checkCount, examples, logLevelOption, noColorOption, valued } from '../arguments.js'
import { addConfigOptions, type ConfigArguments } from '../configured.js'

/** The command line of `databay tune`, checked. */
export interface TuneArguments extends Omit<ConfigArguments, 'planner'> {
  readonly command: 'tune'
  /** Thread counts to try; left out when it is to be found out which are of use. */
  readonly threads?: readonly number[]
  /** Numbers of transfers at once in a thread to try. */
  readonly transfersPerThread?: readonly number[]
  /** Time for which each setting is measured in all, in seconds. */
  readonly seconds: number
  /** Whether outlets are given the records of their links. */
  readonly push: boolean
  readonly json: boolean
  readonly color: boolean
  readonly logLevel: LogLevel
}

const DEFAULTS = { seconds: 5, push: false, json: false, color: true, logLevel: 'silent' } as const

const AFTER_HELP = `
Has each link transfer again as soon as it has ended, whatever its interval, with one number of threads after the other,
in rounds: so what the rest of the machine does meanwhile hits all alike. Prints what each setting comes to, and
recommends the smallest that gets done as much as the best: within 5 %, or up to 15 % where rounds differ much. Each link
counts alike.

Inlets are really pulled, as fast as they answer: mind servers that they ask. They are told that nothing was delivered, so
those that keep a position (FileInlet, CsvInlet, MongoInlet, and HttpInlet with conditional) stay where they are, unless
they are told not to deliver again (redeliver: false). Inlets that consume what they read, such as from a queue,
lose it. Outlets are neither started nor given anything, but their processors run; with --push they are as in a run, and
positions move on.

Nothing that is found out is kept. A first SIGINT (Ctrl-C), SIGTERM or SIGHUP ends it in order, without a result; one more
than a second later ends it at once.

Exit code: 0 when there is a recommendation, 1 when a link failed or nothing was transferred, 2 for bad arguments, 128 and
the signal's number when it was told to end.

The result goes to standard output, everything else to standard error. With --json, standard output has one JSON document:
the result, or the error.
${examples([
  ['databay tune links.js', 'recommend a number of threads'],
  ['databay tune links.js --threads 1,2,4 --seconds 20', 'compare these, with more time'],
])}`

/** Adds the command `tune` to the program. */
export function addTune(program: Command, onTune: (tune: TuneArguments) => void): void {
  addConfigOptions(
    program.command('tune').description('find out how many worker threads suit the links of link modules'),
  )
    .addOption(
      valued(
        '--threads <list>',
        'thread counts to try, such as 1,2,4 (default: up to two per core)',
        checkThreadCounts,
      ),
    )
    .addOption(
      valued(
        '--transfers-per-thread <list>',
        `how many transfers may run at once in a thread (default: ${WORKER_PLANNER_OPTIONS.transfersPerThread.byDefault})`,
        checkCounts,
      ),
    )
    .addOption(
      valued('--seconds <s>', `how long each setting is measured in all (default: ${DEFAULTS.seconds})`, checkSeconds),
    )
    .option('--push', 'really push to the outlets')
    .addOption(logLevelOption(DEFAULTS.logLevel))
    .option('--json', 'the result as one JSON document')
    .addOption(noColorOption())
    .addHelpText('after', AFTER_HELP)
    .action((modules: string[], flags: Partial<TuneArguments>) => {
      onTune({ ...DEFAULTS, ...flags, command: 'tune', modules })
    })
}

/** Reads a list such as `1,2,4`: each number once. */
function checkCounts(option: string, text: string): readonly number[] {
  const counts = text.split(',').map((one) => {
    try {
      return checkCount(option, one.trim())
    } catch (cause) {
      throw new InvalidOptionError(option, 'integers of at least 1, with commas between', text, { cause })
    }
  })
  if (new Set(counts).size < counts.length) throw new InvalidOptionError(option, 'each number once', text)
  return counts
}

function checkThreadCounts(option: string, text: string): readonly number[] {
  return checkCounts(option, text).map((threads) => checkThreads(option, threads))
}

function checkSeconds(option: string, text: string): number {
  const value = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0)) {
    throw new InvalidOptionError(option, 'a number of seconds above 0', text)
  }
  if (value * 1000 > LONGEST_TIMER) throw new InvalidOptionError(option, 'at most 24 days', text)
  return value
}
