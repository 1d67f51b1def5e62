import { Option, type Command } from 'commander'
import { InvalidOptionError } from '../../base/errors.js'
import { LOG_LEVELS, type LogLevel } from '../../base/log.js'
import { checkCount, checkLogLevel, checkModule } from '../arguments.js'

/** What `databay tune` is told to do, checked. What was left out is `undefined`. */
export interface TuneArguments {
  readonly command: 'tune'
  /** URLs of the link modules. */
  readonly modules: readonly string[]
  readonly threads: readonly number[] | undefined
  readonly transfersPerThread: readonly number[] | undefined
  /** How long each setting is measured in all. */
  readonly seconds: number
  /** Whether outlets are given what their links transfer. */
  readonly push: boolean
  readonly json: boolean
  readonly logLevel: LogLevel
}

const SECONDS = 5

const AFTER_TUNE_HELP = `
Has each link transfer again as soon as it has ended, whatever its interval, with one number of threads after the other,
in rounds: so what the rest of the machine does meanwhile hits all alike. Prints what each setting comes to, and
recommends the smallest that gets done as much as the best: within 5 %, or up to 15 % where rounds differ much. Each link
counts alike.

Inlets are really pulled, as fast as they answer: mind servers that they ask. They are told that nothing was delivered, so
those that keep a position (FileInlet, CsvInlet, MongoInlet, and HttpInlet with conditional) stay where they are, unless
they are told not to deliver again (redeliver: false). Inlets that consume what they read, such as from a queue,
lose it. Outlets are neither started nor given anything, but their processors run; with --push they are as in a run, and
positions move on.

Nothing that is found out is kept. A first SIGINT (Ctrl-C) or SIGTERM ends it in order, without a result; a second one at
once.

Exit code: 0 when there is a recommendation, 1 when a link failed or nothing was transferred, 2 for bad arguments, 128 and
the signal's number when it was told to end.

The result goes to standard output, everything else to standard error. With --json, standard output has one JSON document:
the result, or the error.
`

interface TuneFlags {
  readonly threads?: readonly number[]
  readonly transfersPerThread?: readonly number[]
  readonly seconds?: number
  readonly push?: boolean
  readonly json?: boolean
  readonly logLevel?: LogLevel
}

export function addTune(program: Command, onTune: (tune: TuneArguments) => void): void {
  const counts = (flags: string, description: string) =>
    new Option(flags, description).argParser((text: string) => checkCounts(flags.replace(/ .*/, ''), text))
  program
    .command('tune')
    .description('find out how many worker threads suit the links of link modules')
    .argument('<link-module...>', 'paths or file: URLs of link modules', addModule)
    .addOption(counts('--threads <list>', 'thread counts to try, such as 1,2,4 (default: up to two per core)'))
    .addOption(
      counts('--transfers-per-thread <list>', 'how many transfers may run at once in a thread (default: 1000)'),
    )
    .addOption(
      new Option('--seconds <s>', `how long each setting is measured in all (default: ${SECONDS})`).argParser(
        (text: string) => checkSeconds('--seconds', text),
      ),
    )
    .option('--push', 'really push to the outlets')
    .addOption(
      new Option(
        '--log-level <level>',
        `least severity that is logged: ${LOG_LEVELS.join(', ')} (default: silent)`,
      ).argParser((text: string) => checkLogLevel('--log-level', text)),
    )
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', AFTER_TUNE_HELP)
    .action((modules: string[], flags: TuneFlags) => {
      onTune({
        command: 'tune',
        modules,
        threads: flags.threads,
        transfersPerThread: flags.transfersPerThread,
        seconds: flags.seconds ?? SECONDS,
        push: flags.push ?? false,
        json: flags.json ?? false,
        logLevel: flags.logLevel ?? 'silent',
      })
    })
}

/** Each module once. */
export function addModule(text: string, before: readonly string[] | undefined): readonly string[] {
  const module = checkModule('<link-module>', text)
  if (before?.includes(module) === true) throw new InvalidOptionError('<link-module>', 'each link module once', text)
  return [...(before ?? []), module]
}

/** `1,2,4`: each number once. */
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

function checkSeconds(option: string, text: string): number {
  const value = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0)) {
    throw new InvalidOptionError(option, 'a number of seconds above 0', text)
  }
  return value
}
