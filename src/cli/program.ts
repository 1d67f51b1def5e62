import { printable, printableLines } from '../base/printable.js'
import { Command, CommanderError } from 'commander'
import { InvalidOptionError } from '../base/errors.js'
import { installed } from './installed.js'
import { EXIT, type TextStream } from './process-context.js'
import { addConfig, type ConfigCommandArguments } from './config/arguments.js'
import { addCreate, type CreateArguments } from './create/arguments.js'
import { addCheck, addList, type CheckArguments, type ListArguments } from './links/arguments.js'
import { addExplain, type ExplainArguments } from './explain/arguments.js'
import { addPlan, type PlanArguments } from './plan/arguments.js'
import { addRun, type RunArguments } from './run/arguments.js'
import { addLedger, type LedgerArguments } from './ledger/arguments.js'
import { addDeadLetters, type DeadLettersArguments } from './dead-letters/arguments.js'
import { addSteer, type ForceArguments, type PauseArguments, type StatusArguments } from './steer/arguments.js'
import { addStore, type StoreArguments } from './store/arguments.js'
import { addTune, type TuneArguments } from './tune/arguments.js'

/** What a command is to do. */
export type CommandArguments =
  | RunArguments
  | CheckArguments
  | ListArguments
  | PlanArguments
  | ExplainArguments
  | TuneArguments
  | ConfigCommandArguments
  | CreateArguments
  | StoreArguments
  | LedgerArguments
  | DeadLettersArguments
  | StatusArguments
  | ForceArguments
  | PauseArguments

const NEXT_STEPS = `
Next steps:
  databay create my-links      write a project with a link and its test
  databay check links.js       see whether the links of a module are well
  databay plan links.js        tell what is due when
  databay run links.js         run them
  databay status               what a running process does
  databay help run             all options of a command, with examples
`

/**
 * Reads the command line.
 *
 * @returns what the command is to do; the exit code when there is nothing to do, all being said
 */
export function parseCommandLine(
  argv: readonly string[],
  output: { readonly stdout: TextStream; readonly stderr: TextStream },
): CommandArguments | number {
  let parsed: CommandArguments | undefined
  const take = (read: CommandArguments) => {
    parsed = read
  }
  const program = new Command('databay')
    .description('Scheduled data transfer in worker threads')
    .version(installed().version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.stdout.write(text),
      writeErr: (text) => output.stderr.write(text),
      outputError: (text, write) => {
        write(`${printableLines(text.replace(/^error: /, 'databay: ').trimEnd())}\n`)
      },
    })
    .addHelpText('after', NEXT_STEPS)
  addRun(program, take)
  addCheck(program, take)
  addList(program, take)
  addPlan(program, take)
  addExplain(program, take)
  addTune(program, take)
  addConfig(program, take)
  addCreate(program, take)
  addStore(program, take)
  addLedger(program, take)
  addDeadLetters(program, take)
  addSteer(program, take)
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.orderly : EXIT.badArguments
    if (!(error instanceof InvalidOptionError)) throw error
    output.stderr.write(`databay: ${printable(error.message)}\n`)
    return EXIT.badArguments
  }
  return parsed ?? EXIT.badArguments
}
