import { printable } from '../../base/printable.js'
import type { Ending, ProcessContext } from '../process-context.js'
import type { ListArguments } from './arguments.js'
import { inspect } from './inspect.js'
import { linkInfo, linkTable } from './link-info.js'

/** The command `databay list`: the links of link modules. */
export function listCommand(args: ListArguments, context: ProcessContext): Promise<Ending> {
  return inspect(args, context, (inspection) => {
    const now = Date.now()
    const links = inspection.links.map((link) => linkInfo(link, now))
    const lines = args.json ? [JSON.stringify(links, undefined, 2)] : linkTable(links, now).map(printable)
    context.stdout.write(`${lines.join('\n')}\n`)
    return Promise.resolve()
  })
}
