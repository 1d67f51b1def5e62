import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { toError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import type { LinkDurations } from '../../store/ledger/durations.js'
import { LedgerReader } from '../../store/ledger/ledger-reader.js'
import { storeFiles } from '../../store/store-files.js'
import { inspect, say } from '../links/inspect.js'
import type { Ending, ProcessContext } from '../process-context.js'
import { DEFAULT_FOLDER, storeFolder } from '../store/store-folder.js'
import type { PlanArguments } from './arguments.js'
import { durationsOf } from './durations.js'
import { planDocument } from './plan-json.js'
import { planLines } from './plan-text.js'
import { planOf } from './plan.js'

const HOUR = 3_600_000
const SECOND = 1000
/** Width of the curve where the output is no terminal. */
const WIDTH = 80

/** The command `databay plan`: what is due when. */
export function planCommand(args: PlanArguments, context: ProcessContext): Promise<Ending> {
  return inspect(args, context, async (inspection) => {
    const { stdout, stderr, env } = context
    const from = Math.floor((args.from ?? Date.now()) / SECOND) * SECOND
    const links = inspection.links.map(({ description, schedule }) => {
      const { id, tags, settings } = description
      const { immediateTransfer, maxInstances, lane } = settings
      return { id, tags, schedule, immediateTransfer, maxInstances, lane }
    })
    const store = folderOf(args, env['DATABAY_STORE'])
    const measured = store === undefined ? new Map<string, LinkDurations>() : await measuredIn(store)
    const durations = durationsOf(links, args.duration, measured)
    const { transfersPerThread, limit } = args
    const plan = planOf({ links, from, to: from + args.hours * HOUR, durations, transfersPerThread })
    const look = { width: stdout.columns ?? WIDTH, limit, store, cores: availableParallelism() }
    const lines = args.json
      ? [JSON.stringify(planDocument(plan, transfersPerThread), undefined, 2)]
      : planLines(plan, look).map(printable)
    stdout.write(`${lines.join('\n')}\n`)

    async function measuredIn(folder: string): Promise<ReadonlyMap<string, LinkDurations>> {
      let reader: LedgerReader | undefined
      try {
        reader = await LedgerReader.open(folder)
        return reader.durations()
      } catch (thrown) {
        say(stderr, `no durations: ${toError(thrown).message}`)
        return new Map()
      } finally {
        reader?.close()
      }
    }
  })
}

/** Folder of the store that is asked for, or of the usual one where that is there. */
function folderOf(args: PlanArguments, inEnvironment = ''): string | undefined {
  const isAsked = args.store !== undefined || inEnvironment !== ''
  return isAsked || existsSync(storeFiles(DEFAULT_FOLDER).store) ? storeFolder(args, inEnvironment) : undefined
}
