import { Option, type Command } from 'commander'
import { checkPath } from '../../base/check.js'
import type { LogLevel } from '../../base/log.js'
import { readHttpAddress } from '../../operate/http/address.js'
import { PLANNER_EVENTS } from '../../operate/planner-events.js'
import { WORKER_PLANNER_OPTIONS, type WorkerPlannerOptions } from '../../planners/worker-planner-options.js'
import type { LinkSelection } from '../../core/link-selection.js'
import {
  checkCount,
  checkThreadCount,
  checkWatchPath,
  examples,
  logLevelOption,
  noColorOption,
  selectionOf,
  selectionOptions,
  valued,
  type SelectionFlags,
} from '../arguments.js'
import { addConfigOptions, configFlags, type ConfigArguments, type ConfigFlags } from '../configured.js'

/** The command line of `databay run`, checked. */
export interface RunArguments extends ConfigArguments {
  readonly command: 'run'
  /** Links of the modules that are run. */
  readonly selection: LinkSelection
  /** Options of the planner, as far as they were given. */
  readonly planner: WorkerPlannerOptions
  /** Whether `--ignore-exceptions` was given, which has no effect any more. */
  readonly ignoreExceptions: boolean
  /** Whether each link makes one transfer, now. */
  readonly once: boolean
  /** Level of the log; `undefined` when it was left out. */
  readonly logLevel: LogLevel | undefined
  /** Whether only warnings and errors are told. */
  readonly quiet: boolean
  readonly color: boolean
  /** Whether events are printed as JSON. */
  readonly json: boolean
  /** Whether modules are loaded again when their code changes. */
  readonly watch: boolean
  /** Further files and folders whose changes count. */
  readonly watchPath: readonly string[]
}

/** Options of the planner that the command takes, each under its own name. To add one, name it here. */
const PLANNER_FLAGS: { readonly [name in keyof WorkerPlannerOptions]?: Option } = {
  threads: valued(
    '--threads <n>',
    'how many worker threads make the transfers (default: one per core)',
    checkThreadCount,
  ),
  transfersPerThread: valued(
    '--transfers-per-thread <n>',
    `how many transfers may run at once in a thread (default: ${WORKER_PLANNER_OPTIONS.transfersPerThread.byDefault})`,
    checkCount,
  ),
  store: valued('--store <folder>', 'folder of the store for links with delivery', checkPath),
  telemetry: new Option(
    '--telemetry',
    'make spans and metrics for the OpenTelemetry SDK that --thread-setup registers',
  ),
  threadSetup: valued('--thread-setup <module>', 'module that each thread loads before the link modules', checkPath),
  control: valued(
    '--control <path>',
    'Unix socket for databay status, force, pause and resume (default: in the store, else in the temporary folder)',
    checkPath,
  ),
  http: valued('--http [address]', 'serve metrics and probes by HTTP (default address: 127.0.0.1:9464)', checkHttp),
  transfers: valued('--transfers <n>', 'make this many transfers of each link, then stop', checkCount),
  immediateTransfer: new Option(
    '--no-immediate-transfer',
    'wait for the first due time of each link, rather than transfer on start',
  ),
}

const EXAMPLES = examples([
  ['databay run links.js', 'run all links of a module until Ctrl-C'],
  ['databay run links.js --once', 'make one transfer of each link'],
  ['databay run links.js --link todos', 'run one link'],
  ['databay run mail.js web.js --tag daily --json', 'run links with a tag, and print events'],
  ['databay run links.js --http', 'serve metrics for Prometheus, and probes'],
  ['databay run links.js --watch', 'load the module again when it changes'],
])

const AFTER_HELP = `
A link module is an ES module that exports links. A transfer that fails is logged and counted, and its link transfers
again when it is due. The command ends when all links have made their transfers, or when it is told to: a first SIGINT
(Ctrl-C), SIGTERM or SIGHUP lets running transfers end and drains buffers. Further signals within a second are the same
wish, a later one stops at once. When the reader of its standard output goes away, as in "| head", it ends in order too.

With --watch, a new version of a module is opened in a fresh thread, which takes over its links and what is in their
buffers, while the old one ends its transfers. When it cannot be started, the old one runs on. What counts is code (.js,
.mjs, .cjs, .ts, .wasm) in the folder of a module and below, not in node_modules or hidden folders.

With --http, /metrics has metrics for Prometheus, /healthz answers while the process is alive, and /readyz once the links have
started. The address is a port, HOST:PORT, or :PORT for all interfaces; DATABAY_HTTP has the same.

Exit code: 0 after an orderly stop; 1 when it could not start, with --stop-on-error when a transfer has failed, and with
--once or --transfers when one of these has failed; 2 for bad arguments; 128 and the signal's number when a later signal
stopped it. Under npx, a Ctrl-C gives the exit code of npx.

Standard output is left to outlets, everything else goes to standard error. With --json, standard output has one JSON
object a line, each an event: started, ${PLANNER_EVENTS.join(', ')}, reloaded, reloadFailed,
stopping and finished. What links print goes to standard error then.
${EXAMPLES}`

interface Flags
  extends
    SelectionFlags,
    ConfigFlags,
    Partial<Omit<RunArguments, 'command' | 'modules' | 'selection' | 'planner' | keyof ConfigFlags>> {
  readonly stopOnError?: boolean
}

/** Adds the command `run` to the program. */
export function addRun(program: Command, onRun: (run: RunArguments) => void): void {
  const run = program.command('run').description('run the links of link modules on their schedules, in worker threads')
  addConfigOptions(run)
  for (const option of [...selectionOptions(), ...plannerFlags()]) run.addOption(option)
  run
    .addOption(new Option('--no-control', 'no such socket'))
    .addOption(new Option('--stop-on-error', 'stop when a transfer has failed, rather than log and count it'))
    .addOption(new Option('--ignore-exceptions', 'without effect: it is what a run does by itself').hideHelp())
    .addOption(new Option('--once', 'make one transfer of each link now, then stop').conflicts('transfers'))
    .addOption(
      new Option('--watch', 'load modules again when code in their folders changes').conflicts(['once', 'transfers']),
    )
    .addOption(
      new Option('--watch-path <path>', 'watch this file or folder too; can be given several times')
        .argParser(addWatchPath)
        .conflicts(['once', 'transfers']),
    )
    .addOption(logLevelOption('warn'))
    .option('--quiet', 'only warnings and errors: no table of links, no progress, no summary')
    .addOption(noColorOption())
    .option('--json', 'one JSON object per event on standard output, and log lines as JSON')
    .addHelpText('after', AFTER_HELP)
    .action((modules: string[], flags: Flags, command: Command) => {
      const { once = false, logLevel, json = false, watchPath = [], watch = watchPath.length > 0 } = flags
      const { stopOnError = false, ignoreExceptions = false, quiet = false, color = true } = flags
      const planner: WorkerPlannerOptions = {
        ...readPlannerFlags(command),
        ...(once && { transfers: 1 }),
        ...(stopOnError && { ignoreExceptions: false }),
      }
      const selection = selectionOf(flags)
      const output = { quiet, color, json, logLevel }
      const config = configFlags(flags)
      const all = { modules, ...config, selection, planner, ignoreExceptions, once, ...output, watch, watchPath }
      onRun({ command: 'run', ...all })
    })
}

/** Makes the flags that stand for options of the planner. */
export function plannerFlags(): Option[] {
  return Object.values(PLANNER_FLAGS)
}

/** Options of the planner that were given as {@link plannerFlags}. */
export function readPlannerFlags(command: Command): WorkerPlannerOptions {
  const given = Object.keys(PLANNER_FLAGS).filter((name) => command.getOptionValueSource(name) === 'cli')
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name) as unknown]))
}

/** Address of `--http`; `--http=false` is for none, where the configuration has one. */
function checkHttp(option: string, text: string): string | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  readHttpAddress(option, text)
  return text
}

function addWatchPath(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), checkWatchPath('--watch-path', text)]
}
