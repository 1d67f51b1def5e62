import { Option, type Command } from 'commander'
import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { addName, checkCount, examples, noColorOption, valued } from '../arguments.js'
import { configFlags, type ConfigFlags } from '../configured.js'
import { storeOptions } from '../store/arguments.js'
import { checkPast, type Past } from '../past.js'

/** What `databay ledger` can do. */
export type LedgerAction = 'list' | 'lag' | 'check'

/** The command line of `databay ledger`, checked. */
export interface LedgerArguments extends ConfigFlags {
  readonly command: 'ledger'
  readonly action: LedgerAction
  /** Folder of the store; left out where the environment says it, or the default holds. */
  readonly store?: string
  /** Names of links; empty for all. */
  readonly link: readonly string[]
  /** Length of time, in milliseconds, or the time itself, since when transfers are listed. */
  readonly since?: Past
  readonly failed: boolean
  /** Most transfers that are listed. */
  readonly limit: number
  readonly json: boolean
  readonly color: boolean
}

/** Number of transfers that are listed without `--limit`. */
const LIMIT = 50

const AFTER_HELP = `
A planner with a store writes there what its transfers did, once a second. The store is the folder of --store, else of
DATABAY_STORE in the environment, else that of the configuration, else ./.databay. These commands read it, and work while a planner writes it.

The table has one line for each transfer, the newest last: when it ended, how long it took, how many records were pulled, what
each outlet took, how many were dropped, and the first error, or why the link is blocked. The last ${(100_000).toLocaleString('en-US')} transfers are there; of older ones the
ledger has the sums of each hour. The ledger is history: it may be deleted at any time.

Exit code: 0; 1 when the ledger cannot be read, and for check when records are missing; 2 for bad arguments.
${examples([
  ['databay ledger', `the last ${LIMIT} transfers`],
  ['databay ledger --link orders --since 1h --failed', 'transfers of a link that failed in the last hour'],
  ['databay ledger lag', 'since when each link has had no success, and when it is due'],
  ['databay ledger check', 'whether all records that were pulled are accounted for'],
])}`

const AFTER_LAG = `
One line for each link: when its last transfer without an error ended, how long ago that is, when the link is due, and since
when it fails. The due time is known of links that the planner has which writes the ledger, or wrote it last.
`

const AFTER_CHECK = `
For each outlet of each link: pulled + replayed + added = filtered + dropped + dead + delivered + waiting + held. Replayed and dead
are dead letters, waiting what waits for an outlet that is unavailable. Missing are records of which nothing is known: mostly those
that a buffer held when its process was killed, or when its thread was lost. With delivery, these are pulled again, and count once.
Records that were dropped are in the reports of their transfers, and are no mistake of this balance.

Exit code: 1 when records are missing, or more went out than came in.
`

/** Adds the command `ledger` to the program. */
export function addLedger(program: Command, onLedger: (ledger: LedgerArguments) => void): void {
  const ledger = program
    .command('ledger')
    .description('show what transfers did, how far links are behind, and whether records are missing')
    .enablePositionalOptions()
    .argument('[action]', 'lag or check; without it, transfers are listed')
  for (const option of commonOptions()) ledger.addOption(option)
  ledger
    .addOption(
      valued('--since <time>', 'only transfers that ended since: 90s, 10min, 1h, 7d ago, or an ISO date', checkPast),
    )
    .option('--failed', 'only transfers with an error, and tries of a blocked link')
    .addOption(
      valued('--limit <n>', `how many transfers are listed, at most: the last ones (default: ${LIMIT})`, checkCount),
    )
    .addHelpText('after', AFTER_HELP)
    .action((action: string | undefined, flags: Flags) => {
      if (action !== undefined) {
        throw new InvalidOptionError('ledger', 'lag, check, or nothing', action, {
          hint: hintAt(action, ['lag', 'check']),
        })
      }
      onLedger(read('list', flags))
    })
  const add = (action: 'lag' | 'check', description: string, after: string) => {
    const command = ledger.command(action).description(description).addHelpText('after', after)
    for (const option of commonOptions()) command.addOption(option)
    command.action((_flags: Flags, own: Command) => {
      onLedger(read(action, { ...own.opts<Flags>(), ...givenTo(ledger) }))
    })
  }
  add('lag', 'show since when each link has had no success, and when it is due', AFTER_LAG)
  add('check', 'check whether all records that were pulled are accounted for', AFTER_CHECK)
}

type Flags = Partial<Omit<LedgerArguments, 'command' | 'action'>>

/** Options that were given before the name of the action. */
function givenTo(command: Command): Flags {
  const given = Object.entries(command.opts<Flags>()).filter(([name]) => command.getOptionValueSource(name) === 'cli')
  const other = given.find(([name]) => ['since', 'failed', 'limit'].includes(name))
  if (other !== undefined)
    throw new InvalidOptionError(`--${other[0]}`, 'the list alone: lag and check do not take it', other[1])
  return Object.fromEntries(given)
}

function read(action: LedgerAction, flags: Flags): LedgerArguments {
  const { link = [], failed = false, limit = LIMIT, json = false, color = true, store, since } = flags
  const where = { ...configFlags(flags), ...(store === undefined ? {} : { store }) }
  const from = since === undefined ? {} : { since }
  return { command: 'ledger', action, link, failed, limit, json, color, ...where, ...from }
}

function commonOptions(): Option[] {
  return [
    new Option('--link <id>', 'only the link with this name; can be given several times').argParser(addName),
    ...storeOptions(),
    new Option('--json', 'one JSON document on standard output'),
    noColorOption(),
  ]
}
