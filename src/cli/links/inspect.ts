import { InvalidOptionError } from '../../base/errors.js'
import { setLogLevel, type LogLevel } from '../../base/log.js'
import { printableLines } from '../../base/printable.js'
import { UndoStack } from '../../base/undo-stack.js'
import { LinkInspection } from '../../planners/link-inspection.js'
import type { LinkSelection } from '../../planners/link-selection.js'
import { errorLine } from '../error-text.js'
import { logTo } from '../log-output.js'
import { EXIT, type Ending, type ProcessContext, type TextStream } from '../process-context.js'

interface Inspected {
  readonly modules: readonly string[]
  readonly selection: LinkSelection
  readonly json: boolean
  readonly logLevel: LogLevel
}

/**
 * Loads link modules, and has a command tell what it finds.
 *
 * @param tell - may add troubles: with any, the exit code is 1
 */
export async function inspect(
  args: Inspected,
  { stderr }: ProcessContext,
  tell: (inspection: LinkInspection, troubles: string[]) => Promise<void>,
): Promise<Ending> {
  setLogLevel(args.logLevel)
  const undo = new UndoStack()
  undo.push(logTo(stderr, { json: args.json, stacks: false }))
  const inspection = new LinkInspection()
  undo.push(() => inspection.close())
  try {
    const troubles = (await inspection.load(args.modules, args.selection)).map(({ error }) => errorLine(error))
    await tell(inspection, troubles)
    for (const trouble of troubles) say(stderr, trouble)
    return { code: troubles.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    if (!(thrown instanceof InvalidOptionError)) throw thrown
    say(stderr, thrown.message)
    return { code: EXIT.badArguments, signal: undefined }
  } finally {
    await undo.undo()
  }
}

/** Writes a message of the command. */
export function say(stream: TextStream, text: string): void {
  stream.write(`databay: ${printableLines(text)}\n`)
}
