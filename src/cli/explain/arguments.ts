import { Option, type Command } from 'commander'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { LogLevel } from '../../base/log.js'
import { addConfigOptions, configFlags, type ConfigArguments, type ConfigFlags } from '../configured.js'
import { checkCount, examples, logLevelOption, noColorOption, valued } from '../arguments.js'

/** The command line of `databay explain`, checked. */
export interface ExplainArguments extends ConfigArguments {
  readonly command: 'explain'
  /** Id of the link; left out where there is one only. */
  readonly link?: string
  /** File with records that go in instead of a pull; `-` for standard input. */
  readonly record?: string
  /** Most records that are shown of each stage. */
  readonly records: number
  /** Time that the pull may take, in milliseconds. */
  readonly timeout: number
  /** Whether inlets may be pulled that do more than read. */
  readonly yes: boolean
  /** Whether values are left out. */
  readonly redact: boolean
  readonly json: boolean
  readonly color: boolean
  readonly logLevel: LogLevel
}

interface Flags extends ConfigFlags, Partial<Omit<ExplainArguments, keyof ConfigArguments | 'command'>> {
  readonly store?: string
}

const RECORDS = 5
const TIMEOUT = 60_000
const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, min: 60_000 }
/** Longest time that a pull may be given, in milliseconds. */
const LONGEST = 3_600_000

const AFTER_HELP = `
Pulls the inlets of a link once, and shows what each stage makes of the records: which it drops, adds and changes, how they are
grouped into batches, and what each outlet would be given. Inlets, processors and groupers are the real ones, with the memory
of a new instance; outlets are not started, and get nothing. In the end the inlets are told that nothing was delivered.

A pull may consume its source: what a queue or a socket gives is gone then. That is said before. Inlets that do more than read
are pulled only with --yes: HttpInlet with another method than GET, and those that say so (pullEffect). A link with delivery
begins where the store says, which is read and not changed. While a process uses the store, records have to be given: with
--record, nothing is pulled or started.

Of a stream, the first list is taken, or up to 1,000 single values; then it is ended. --redact shows kinds and lengths instead
of values, and leaves the messages of errors out. Secrets of secret() are hidden anyway. What the link itself prints goes to
standard error, as it is.

Exit code: 0 when all went well; 1 when something failed, which is shown at its stage; 2 for bad arguments.
${examples([
  ['databay explain --link orders links.js', 'one pull of the link orders'],
  ['databay explain --link orders', 'the same, of the modules of the configuration'],
  ['databay explain links.js --record bad.json', 'what becomes of records in a file: JSON lines, or an array'],
  ['databay explain links.js --redact > issue.txt', 'without the values, for others to read'],
])}`

/** Adds the command `explain` to the program. */
export function addExplain(program: Command, onExplain: (explain: ExplainArguments) => void): void {
  const command = program
    .command('explain')
    .description('pull a link once, and show what each stage makes of the records; outlets get nothing')
  addConfigOptions(command)
    .addOption(new Option('--link <id>', 'the link with this id; needed where there are several'))
    .addOption(
      valued('--record <file>', 'take records from a file, or - for standard input, instead of a pull', checkPath),
    )
    .addOption(
      valued('--records <n>', `records that are shown of each stage, at most (default: ${RECORDS})`, checkCount),
    )
    .addOption(valued('--timeout <time>', 'time that the pull may take, as 10s or 2min (default: 60s)', checkTimeout))
    .addOption(valued('--store <folder>', 'folder of the store (default: DATABAY_STORE, else ./.databay)', checkPath))
    .option('--yes', 'pull inlets that do more than read, too')
    .option('--redact', 'show kinds and lengths instead of values')
    .option('--json', 'one JSON document on standard output')
    .addOption(logLevelOption('fatal'))
    .addOption(noColorOption())
    .addHelpText('after', AFTER_HELP)
    .action((modules: string[], flags: Flags) => {
      onExplain(read(modules, flags))
    })
}

function read(modules: readonly string[], flags: Flags): ExplainArguments {
  const { link, record, store, records = RECORDS, timeout = TIMEOUT, yes = false, redact = false } = flags
  const { json = false, color = true, logLevel = 'fatal' } = flags
  return {
    command: 'explain',
    modules,
    ...configFlags(flags),
    planner: store === undefined ? {} : { store },
    records,
    timeout,
    yes,
    redact,
    json,
    color,
    logLevel: redact ? 'silent' : logLevel,
    ...(link === undefined ? {} : { link }),
    ...(record === undefined ? {} : { record }),
  }
}

function checkTimeout(option: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(ms|s|min)$/.exec(text) ?? []
  const time = Number(number) * (UNITS[unit] ?? 0)
  if (time >= 1 && time <= LONGEST) return time
  throw new InvalidOptionError(option, 'a length of time such as 500ms, 10s or 2min, up to 60min', text)
}
