import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { InvalidOptionError } from '../base/errors.js'
import { LOG_LEVELS, type LogLevel } from '../base/log.js'
import { PLANNER_EVENTS } from '../planners/planner-events.js'
import { checkCount, checkLogLevel, checkWatchPath, type RunArguments } from './arguments.js'
import { EXIT, type TextStream } from './process-context.js'
import { addModule, addTune, type TuneArguments } from './tune/arguments.js'

const AFTER_RUN_HELP = `
A link module is an ES module that exports links. The command ends when all links have made their transfers, when an
exception stops it, or when it is told to: a first SIGINT (Ctrl-C) or SIGTERM lets running transfers end and drains
buffers, a second one stops at once.

With --watch, a new version of a module is opened in a fresh thread, which takes over its links and what is in their
buffers, while the old one ends its transfers. When it cannot be started, the old one runs on. What counts is code (.js,
.mjs, .cjs, .ts, .wasm) in the folder of a module and below, not in node_modules or hidden folders.

Exit code: 0 after an orderly stop, 1 when an exception stopped it or it could not start, 2 for bad arguments,
128 and the signal's number when a second signal stopped it.

Standard output is left to outlets, everything else goes to standard error. With --json, standard output has one JSON
object a line: the events started, ${PLANNER_EVENTS.join(', ')}, reloaded,
reloadFailed, stopping and finished. What outlets such as
PrintOutlet print is then mixed in.
`

/** The options of `databay run`, as commander gives them. */
interface RunFlags {
  readonly threads?: number
  readonly transfersPerThread?: number
  readonly once: boolean
  readonly transfers?: number
  readonly ignoreExceptions: boolean
  readonly immediateTransfer: boolean
  readonly logLevel?: LogLevel
  readonly json: boolean
  readonly watch: boolean
  readonly watchPath?: readonly string[]
}

/**
 * Reads the command line.
 *
 * @returns what the command is to do; the exit code when there is nothing to do, all being said
 */
export function parseCommandLine(
  argv: readonly string[],
  output: { readonly stdout: TextStream; readonly stderr: TextStream },
): RunArguments | TuneArguments | number {
  let parsed: RunArguments | TuneArguments | undefined
  const program = new Command('databay')
    .description('Scheduled data transfer in worker threads')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.stdout.write(text),
      writeErr: (text) => output.stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'databay: '))
      },
    })
  addRun(program, (run) => {
    parsed = run
  })
  addTune(program, (tune) => {
    parsed = tune
  })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.orderly : EXIT.badArguments
    if (!(error instanceof InvalidOptionError)) throw error
    output.stderr.write(`databay: ${error.message}\n`)
    return EXIT.badArguments
  }
  return parsed ?? EXIT.badArguments
}

function addRun(program: Command, onRun: (run: RunArguments) => void): void {
  const count = (flags: string, description: string) =>
    new Option(flags, description).argParser((text: string) => checkCount(flags.replace(/ .*/, ''), text))
  program
    .command('run')
    .description('run the links of link modules on their schedules, in worker threads')
    .argument('<link-module...>', 'paths or file: URLs of link modules', addModule)
    .addOption(count('--threads <n>', 'how many worker threads make the transfers (default: one per core)'))
    .addOption(count('--transfers-per-thread <n>', 'how many transfers may run at once in a thread (default: 1000)'))
    .addOption(new Option('--once', 'make one transfer of each link now, then stop').conflicts('transfers'))
    .addOption(count('--transfers <n>', 'make this many transfers of each link, then stop'))
    .addOption(
      new Option('--watch', 'load modules anew when code in their folders changes').conflicts(['once', 'transfers']),
    )
    .addOption(
      new Option('--watch-path <path>', 'watch this file or folder too; can be given several times')
        .argParser(addWatchPath)
        .conflicts(['once', 'transfers']),
    )
    .option('--ignore-exceptions', 'log and count failed transfers, rather than stop')
    .option('--no-immediate-transfer', 'wait for the first due time of each link, rather than transfer on start')
    .addOption(
      new Option(
        '--log-level <level>',
        `least severity that is logged: ${LOG_LEVELS.join(', ')} (default: warn)`,
      ).argParser((text: string) => checkLogLevel('--log-level', text)),
    )
    .option('--json', 'one JSON object per event on standard output, and log lines as JSON')
    .addHelpText('after', AFTER_RUN_HELP)
    .action((modules: string[], flags: Partial<RunFlags>) => {
      onRun(toArguments(modules, flags))
    })
}

function addWatchPath(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), checkWatchPath('--watch-path', text)]
}

function toArguments(modules: readonly string[], flags: Partial<RunFlags>): RunArguments {
  return {
    command: 'run',
    modules,
    threads: flags.threads,
    transfersPerThread: flags.transfersPerThread,
    once: flags.once ?? false,
    transfers: flags.transfers,
    ignoreExceptions: flags.ignoreExceptions ?? false,
    immediateTransfer: flags.immediateTransfer ?? true,
    logLevel: flags.logLevel,
    json: flags.json ?? false,
    watch: flags.watch ?? flags.watchPath !== undefined,
    watchPaths: flags.watchPath ?? [],
  }
}

function version(): string {
  // by the package's own name, so that it is found from the sources and from the build
  const manifest = createRequire(import.meta.url)('databay/package.json') as { readonly version: string }
  return manifest.version
}
