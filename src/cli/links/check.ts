import { counted } from '../../base/counted.js'
import { printable } from '../../base/printable.js'
import { sharedIds } from '../../planners/link-ids.js'
import type { Ending, ProcessContext } from '../process-context.js'
import { errorLine } from '../error-text.js'
import type { CheckArguments } from './arguments.js'
import { inspect } from './inspect.js'
import { linkInfo, linkTable } from './link-info.js'

/** The command `databay check`: whether link modules load, and their links are well. */
export function checkCommand(args: CheckArguments, context: ProcessContext): Promise<Ending> {
  return inspect(args, context, async (inspection, troubles, { modules }) => {
    const now = Date.now()
    const links = inspection.links.map((link) => linkInfo(link, now))
    const warnings = sharedIds(links).map((id) => `several links have the id ${id}: give each an id of its own`)
    if (args.connect) {
      const found = await inspection.connect()
      troubles.push(...found.map(({ link, error }) => withName(link, errorLine(error))))
    }
    const { stdout, stderr } = context
    if (args.json) stdout.write(`${JSON.stringify({ links, warnings, errors: troubles }, undefined, 2)}\n`)
    else if (!args.quiet) stdout.write(`${[...linkTable(links, now), '', verdict()].map(printable).join('\n')}\n`)
    for (const warning of warnings) stderr.write(`databay: ${printable(warning)}\n`)

    function verdict(): string {
      const what = `${counted(links.length, 'link')} of ${counted(modules.length, 'module')}`
      if (troubles.length > 0) return `${what}: ${counted(troubles.length, 'error')}`
      return `${what}: ${args.connect ? 'all start and stop' : 'all can be loaded; --connect starts them too'}`
    }
  })
}

/** What is wrong with a link, behind its name, which is not said twice. */
function withName(link: string | undefined, text: string): string {
  if (link === undefined) return text
  const before = `${link} failed to start: `
  return `${link}: ${text.startsWith(before) ? text.slice(before.length) : text}`
}
