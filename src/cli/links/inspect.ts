import { setLogLevel, type LogLevel } from '../../base/log.js'
import { UndoStack } from '../../base/undo-stack.js'
import { LinkInspection, type ExplainOptions } from '../../planners/link-inspection.js'
import type { LinkSelection } from '../../core/link-selection.js'
import { configured, type ConfigArguments, type Configured } from '../configured.js'
import { errorLine, showsStacks } from '../error-text.js'
import { logTo } from '../log-output.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { refused } from '../refusal.js'
import { say } from '../say.js'

interface Inspected extends ConfigArguments {
  readonly selection: LinkSelection
  readonly json: boolean
  readonly logLevel: LogLevel
}

/**
 * Loads link modules, and has a command tell what it finds.
 *
 * @param tell - may add troubles: with any, the exit code is 1
 * @param explains - how links are explained; left out when they are not
 */
export async function inspect(
  args: Inspected,
  context: ProcessContext,
  tell: (inspection: LinkInspection, troubles: string[], by: Configured) => Promise<void>,
  explains?: (by: Configured) => ExplainOptions,
): Promise<Ending> {
  setLogLevel(args.logLevel)
  const { stderr } = context
  const undo = new UndoStack()
  undo.push(logTo(stderr, { json: args.json, stacks: false }))
  try {
    const by = await configured(args, context)
    const inspection = new LinkInspection(by, explains?.(by))
    undo.push(() => inspection.close())
    const troubles = (await inspection.load(by.modules, args.selection)).map(({ error }) => errorLine(error))
    await tell(inspection, troubles, by)
    for (const trouble of troubles) say(stderr, trouble)
    return { code: troubles.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    return refused(thrown, context, showsStacks(args.logLevel))
  } finally {
    await undo.undo()
  }
}
