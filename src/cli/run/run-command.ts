import { printable } from '../../base/printable.js'
import { InvalidOptionError } from '../../base/errors.js'
import { setLogLevel } from '../../base/log.js'
import { WorkerPlanner } from '../../planners/worker-planner.js'
import type { RunArguments } from './arguments.js'
import { errorLine } from '../error-text.js'
import { Run } from './run.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'

/** The command `databay run`: a planner from its start to its end. */
export async function runCommand(args: RunArguments, context: ProcessContext): Promise<Ending> {
  if (args.logLevel !== undefined) setLogLevel(args.logLevel)
  let planner: WorkerPlanner
  try {
    planner = new WorkerPlanner(args.modules, args.planner)
  } catch (thrown) {
    if (!(thrown instanceof InvalidOptionError)) throw thrown
    context.stderr.write(`databay: ${printable(errorLine(thrown))}\n`)
    return { code: EXIT.badArguments, signal: undefined }
  }
  return new Run(planner, args, context).toEnd()
}
