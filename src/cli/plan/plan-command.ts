import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { toError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import type { LinkDurations } from '../../store/ledger/durations.js'
import { LedgerReader } from '../../store/ledger/ledger-reader.js'
import { storeFiles } from '../../store/store-files.js'
import type { WorkerPlannerOptions } from '../../planners/worker-planner-options.js'
import type { Configured } from '../configured.js'
import { inspect } from '../links/inspect.js'
import type { Ending, ProcessContext } from '../process-context.js'
import { say } from '../say.js'
import { checkStore, DEFAULT_FOLDER } from '../store/store-folder.js'
import type { PlanArguments } from './arguments.js'
import { durationsOf, type GivenDuration } from './durations.js'
import type { LinkToPlan } from './planned.js'
import { planDocument } from './plan-json.js'
import { planLines } from './plan-text.js'
import { planOf } from './plan.js'

const HOUR = 3_600_000
const SECOND = 1000
/** Width of the curve where the output is no terminal. */
const WIDTH = 80
/** Transfers that may run at once in a thread, as planners have it by default. */
const TRANSFERS_PER_THREAD = 1000

/** The command `databay plan`: what is due when. */
export function planCommand(args: PlanArguments, context: ProcessContext): Promise<Ending> {
  return inspect(args, context, async (inspection, troubles, { planner, origins }) => {
    const { stdout, stderr } = context
    const from = Math.floor((args.from ?? Date.now()) / SECOND) * SECOND
    const { transfersPerThread = TRANSFERS_PER_THREAD, immediateTransfer: startsAtOnce = true } = planner
    const links = inspection.links.map(({ description, schedule }): LinkToPlan => {
      const { id, tags, settings } = description
      const { immediateTransfer, maxInstances, lane } = settings
      return { id, tags, schedule, immediateTransfer: immediateTransfer && startsAtOnce, maxInstances, lane }
    })
    const store = folderOf(planner, origins)
    const measured = store === undefined ? new Map<string, LinkDurations>() : await measuredIn(store)
    const isThere = ({ link }: GivenDuration) => link === undefined || links.some(({ id }) => id === link)
    // a link that is not there may be in a module that could not be loaded
    const given = troubles.length === 0 ? args.duration : args.duration.filter(isThere)
    const durations = durationsOf(links, given, measured)
    const plan = planOf({ links, from, to: from + args.hours * HOUR, durations, transfersPerThread })
    const look = { width: stdout.columns ?? WIDTH, limit: args.limit, store, cores: availableParallelism() }
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

/**
 * Folder of the store: of the one that is asked for, else of the one in the configuration or the usual one, if they are there.
 *
 * @throws {@link InvalidOptionError} when the one that is asked for is not there
 */
function folderOf({ store }: WorkerPlannerOptions, origins: Configured['origins']): string | undefined {
  const { from, name } = origins.get('store') ?? { from: 'default', name: '' }
  if (store !== undefined && (from === 'flag' || from === 'environment'))
    return checkStore({ option: name, folder: store })
  const folder = store ?? DEFAULT_FOLDER
  return existsSync(storeFiles(folder).store) ? folder : undefined
}
