import { setLogLevel } from '../../base/log.js'
import { printable } from '../../base/printable.js'
import { scrub } from '../../base/scrub.js'
import { UndoStack } from '../../base/undo-stack.js'
import { LinkInspection } from '../../planners/link-inspection.js'
import { LinkSelection } from '../../core/link-selection.js'
import { configurationOf, optional } from '../configured.js'
import { errorLine, showsStacks } from '../error-text.js'
import { logTo } from '../log-output.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { refused } from '../refusal.js'
import { say } from '../say.js'
import type { ConfigCommandArguments } from './arguments.js'
import { effective } from './effective.js'
import { configText } from './config-text.js'

/** The command `databay config`: the effective configuration, and where each value comes from. */
export async function configCommand(args: ConfigCommandArguments, context: ProcessContext): Promise<Ending> {
  setLogLevel(args.logLevel)
  const { stdout, stderr } = context
  const undo = new UndoStack()
  undo.push(logTo(stderr, { json: args.json, stacks: false }))
  try {
    const isGiven = args.modules.length > 0
    const configuration = await configurationOf(args, context, !isGiven)
    const links = isGiven ? optional(configuration.links) : configuration.links
    const modules = isGiven ? args.modules : configuration.modules
    const inspection = new LinkInspection({ links, planner: configuration.planner })
    undo.push(() => inspection.close())
    const troubles = modules.length === 0 ? [] : await inspection.load(modules, new LinkSelection([], []))
    const shown = effective({ ...configuration, links }, modules, isGiven, inspection.exported)
    const text = args.json ? JSON.stringify(shown, undefined, 2) : configText(shown).map(printable).join('\n')
    stdout.write(`${scrub(text)}\n`)
    for (const { error } of troubles) say(stderr, errorLine(error))
    return { code: troubles.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    return refused(thrown, context, showsStacks(args.logLevel))
  } finally {
    await undo.undo()
  }
}
