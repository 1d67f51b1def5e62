import { printable } from '../../base/printable.js'
import { InvalidOptionError } from '../../base/errors.js'
import { setLogLevel } from '../../base/log.js'
import { withInternals } from '../../planners/planner-internals.js'
import { WorkerPlanner } from '../../planners/worker-planner.js'
import type { RunArguments } from './arguments.js'
import { errorLine } from '../error-text.js'
import { Run } from './run.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'

/** The command `databay run`: a planner from its start to its end. */
export async function runCommand(args: RunArguments, context: ProcessContext): Promise<Ending> {
  if (args.logLevel !== undefined) setLogLevel(args.logLevel)
  const internals = {
    selection: args.selection,
    printsToError: args.json,
    tellsShutdownErrors: true,
    scheduled: () => {
      run.announce()
    },
  }
  let planner: WorkerPlanner
  try {
    planner = new WorkerPlanner(args.modules, withInternals(args.planner, internals))
  } catch (thrown) {
    if (!(thrown instanceof InvalidOptionError)) throw thrown
    context.stderr.write(`databay: ${printable(errorLine(thrown))}\n`)
    return { code: EXIT.badArguments, signal: undefined }
  }
  const run = new Run(planner, args, context)
  return run.toEnd()
}
