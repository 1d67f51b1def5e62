import { parseCommandLine } from './program.js'
import { runCommand } from './run/run-command.js'
import type { Ending, ProcessContext } from './process-context.js'
import { tuneCommand } from './tune/tune.js'

/** The command `databay`. It reads and writes only what it is given of the process. */
export async function databay(context: ProcessContext): Promise<Ending> {
  const parsed = parseCommandLine(context.argv, context)
  if (typeof parsed === 'number') return { code: parsed, signal: undefined }
  return parsed.command === 'tune' ? tuneCommand(parsed, context) : runCommand(parsed, context)
}
