import { existsSync } from 'node:fs'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import { exitCodeOf, type StopSignal } from '../../base/stop-signals.js'
import { LinkSelection } from '../../core/link-selection.js'
import type { LinkInspection } from '../../planners/link-inspection.js'
import { loadDriver } from '../../store/driver.js'
import { isOwned } from '../../store/owner.js'
import { storeFiles } from '../../store/store-files.js'
import type { Explanation, GivenRecord } from '../../threads/protocol/explanation.js'
import { errorLine } from '../error-text.js'
import { inspect } from '../links/inspect.js'
import type { Ending, ProcessContext } from '../process-context.js'
import { say } from '../say.js'
import { onSignals } from '../signals.js'
import { DEFAULT_FOLDER } from '../store/store-folder.js'
import type { ExplainArguments } from './arguments.js'
import { colored, explanationLines } from './explanation-text.js'
import { givenRecords } from './given-records.js'

type InspectedLink = LinkInspection['links'][number]

/** The command `databay explain`: what one pull of a link comes to. */
export async function explainCommand(args: ExplainArguments, context: ProcessContext): Promise<Ending> {
  const { stdout, stderr, env } = context
  let signal: StopSignal | undefined
  const ending = await inspect(
    { ...args, selection: new LinkSelection(args.link === undefined ? [] : [args.link], []) },
    context,
    async (inspection, troubles, { planner }) => {
      if (troubles.length > 0 && inspection.links.length === 0) return
      const link = oneOf(inspection.links)
      const given = args.record === undefined ? undefined : await givenRecords(args.record)
      if (given === undefined) {
        await checkFree(planner.store ?? DEFAULT_FOLDER)
        say(stderr, `pulls ${link.name} once: its source may be consumed. Outlets are not started, and get nothing.`)
      }
      const explanation = await explained(inspection, link, given, troubles)
      if (explanation === undefined) return
      if (explanation.unconfirmed.length > 0) {
        const effects = explanation.unconfirmed.map(({ node, effect }) => `${node} ${effect}`).join(', ')
        throw new InvalidOptionError('--yes', `to be given for a pull that does more than read: ${effects}`, 'none')
      }
      const { errors } = explanation
      const isColored = (env['NO_COLOR'] ?? '') === '' && stdout.isTTY === true && stdout.hasColors?.(env) === true
      const lines = args.json
        ? [JSON.stringify({ link: link.name, ...explanation, unconfirmed: undefined }, undefined, 2)]
        : explanationLines(explanation).map((line) => {
            const text = printable(line.text)
            return isColored ? colored({ ...line, text }) : text
          })
      stdout.write(`${lines.join('\n')}\n`)
      if (errors.length > 0)
        troubles.push(`${link.name}: ${errors.length === 1 ? '1 error' : `${errors.length} errors`}`)
    },
    ({ planner }) => ({ store: planner.store ?? DEFAULT_FOLDER }),
  )
  return signal === undefined ? ending : { code: exitCodeOf(signal), signal: undefined }

  async function explained(
    inspection: LinkInspection,
    link: InspectedLink,
    given: readonly GivenRecord[] | undefined,
    troubles: string[],
  ): Promise<Explanation | undefined> {
    const { records, timeout, redact, yes } = args
    let stop: () => void = () => undefined
    const stopped = new Promise<undefined>((resolve) => {
      stop = onSignals(context.signals, {
        stop: (one) => {
          signal = one
          say(stderr, `${one}: the pull is given up`)
          resolve(undefined)
        },
        stopAtOnce: () => undefined,
      })
    })
    try {
      const explaining = inspection.explain(link, { given, records, timeout, redact, isConfirmed: yes })
      return await Promise.race([explaining, stopped])
    } catch (thrown) {
      troubles.push(errorLine(toError(thrown)))
      return undefined
    } finally {
      stop()
    }
  }
}

function oneOf(links: readonly InspectedLink[]): InspectedLink {
  const [link, ...others] = links
  if (link !== undefined && others.length === 0) return link
  const names = links.map(({ name }) => name)
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? `, and ${names.length - 10} more` : '')
  const got = link === undefined ? 'no link' : 'none'
  throw new InvalidOptionError('--link', `the id of one link (there are ${shown || 'none'})`, got)
}

/** @throws {@link InvalidOptionError} when a process uses the store */
async function checkFree(folder: string): Promise<void> {
  const files = storeFiles(folder)
  if (!existsSync(files.owner) || !isOwned(await loadDriver(), files)) return
  const expected = `a file with records, as a running process uses the store in ${folder}: a pull could take what is its own`
  throw new InvalidOptionError('--record', expected, 'none')
}
