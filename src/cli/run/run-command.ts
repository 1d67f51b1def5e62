import { setLogLevel } from '../../base/log.js'
import { withInternals } from '../../planners/planner-internals.js'
import { WorkerPlanner } from '../../planners/worker-planner.js'
import type { RunArguments } from './arguments.js'
import { configured } from '../configured.js'
import { logTo } from '../log-output.js'
import { showsStacks } from '../error-text.js'
import { refused } from '../refusal.js'
import { Run } from './run.js'
import type { Ending, ProcessContext } from '../process-context.js'

/** The command `databay run`: a planner from its start to its end. */
export async function runCommand(args: RunArguments, context: ProcessContext): Promise<Ending> {
  if (args.logLevel !== undefined) setLogLevel(args.logLevel)
  try {
    const { modules, planner: given, links } = await withLog(args, context, () => configured(args, context))
    // a run goes on after a failed transfer, unless a flag or the configuration says otherwise
    const options = { ignoreExceptions: true, control: true, ...given }
    const internals = {
      selection: args.selection,
      overrides: links,
      printsToError: args.json,
      tellsShutdownErrors: true,
      scheduled: () => {
        run.announce()
      },
    }
    const planner = new WorkerPlanner([...modules], withInternals(options, internals))
    const run = new Run(planner, { ...args, modules, planner: options }, context)
    return await run.toEnd()
  } catch (thrown) {
    return refused(thrown, context, showsStacks(args.logLevel))
  }
}

/** Does what may log something before the run begins. */
async function withLog<T>(
  { json, logLevel }: RunArguments,
  { stderr }: ProcessContext,
  act: () => Promise<T>,
): Promise<T> {
  const unlog = logTo(stderr, { json, stacks: showsStacks(logLevel) })
  try {
    return await act()
  } finally {
    unlog()
  }
}
