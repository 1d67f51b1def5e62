import { printable } from '../base/printable.js'
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { InvalidOptionError } from '../base/errors.js'
import { EXIT, type TextStream } from './process-context.js'
import { addRun, type RunArguments } from './run/arguments.js'
import { addTune, type TuneArguments } from './tune/arguments.js'

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
    output.stderr.write(`databay: ${printable(error.message)}\n`)
    return EXIT.badArguments
  }
  return parsed ?? EXIT.badArguments
}

function version(): string {
  // by the package's own name, so that it is found from the sources and from the build
  const manifest = createRequire(import.meta.url)('databay/package.json') as { readonly version: string }
  return manifest.version
}
