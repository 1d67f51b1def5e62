import { Option, type Command } from 'commander'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { addName, checkCount, examples, noColorOption, valued } from '../arguments.js'
import { configFlags, type ConfigFlags } from '../configured.js'
import { storeOptions } from '../store/arguments.js'
import { checkPast, type Past } from '../past.js'

/** What `databay dead-letters` can do. */
export type DeadLetterAction = 'list' | 'show' | 'replay' | 'drop' | 'export'

/** Which dead letters a command is about. Lists that are empty choose all. */
export interface Selection {
  readonly link: readonly string[]
  readonly outlet: readonly string[]
  readonly stage: readonly string[]
  readonly code: readonly string[]
  readonly id: readonly number[]
  readonly since?: Past
  readonly before?: Past
  /** Most letters; left out for all. */
  readonly limit?: number
  /** Whether all are meant where nothing chooses. */
  readonly all: boolean
}

/** The command line of `databay dead-letters`, checked. */
export interface DeadLettersArguments extends Selection, ConfigFlags {
  readonly command: 'dead-letters'
  readonly action: DeadLetterAction
  /** Folder of the store; left out where the environment says it, or the default holds. */
  readonly store?: string
  /** Whether payloads are shown. */
  readonly payload: boolean
  /** Place from which letters are to be delivered. */
  readonly at?: string
  readonly dryRun: boolean
  /** File that letters are written to; left out for standard output. */
  readonly output?: string
  /** Whether a file that is there is replaced. */
  readonly force: boolean
  readonly json: boolean
  readonly color: boolean
}

/** Number of letters that are listed without `--limit`. */
export const LISTED = 50

/** Most letters that are chosen by their ids: SQLite takes only so many values. */
const MOST_IDS = 1000

/** Stages at which a record may become a dead letter. */
const STAGES = ['process', 'group', 'push', 'store']

const AFTER_HELP = `
A link with a store keeps the records that an outlet refused, or that a processor failed on, as dead letters, and goes on. These
commands work beside the planner that uses the store, and without one. The store is the folder of --store, else of DATABAY_STORE
in the environment, else that of the configuration, else ./.databay. Payloads are shown only with --payload, and by export.

Exit code: 0; 1 when the store cannot be read, or when not all could be done that was asked for; 2 for bad arguments.
${examples([
  ['databay dead-letters list', `the last ${LISTED} dead letters`],
  ['databay dead-letters show 12 --payload', 'all that is known of one, with its record'],
  ['databay dead-letters replay 12 13', 'have these delivered again'],
  ['databay dead-letters replay --link orders --dry-run', 'what would be delivered again'],
  ['databay dead-letters replay --link orders --code DATABAY_HTTP', 'have those with this code delivered again'],
  ['databay dead-letters export --all --output dead.jsonl', 'write all of them to a file'],
  ['databay dead-letters drop --link orders --before 30d', 'delete old ones'],
])}`

const AFTER_LIST = `
One line for each letter, the newest last. With --json, one JSON document a line.
`

const AFTER_SHOW = `
All that is known of letters: where and why they failed, with the stacks of their errors, and the metadata of their records. The
payload is shown with --payload.
`

const AFTER_REPLAY = `
Marks letters. The thread that hosts their link delivers them at its next transfer: from the stage at which they failed, those of
an outlet to that outlet alone. So they come after newer records. A letter is deleted once its record is delivered; one that is
refused again stays, with its last error. Records on which a processor or grouper failed together are marked together. Letters
without a payload stay.

Letters are known by the place and name of the node that failed. When the link has another one there now, nothing is marked, and
the places of the link are listed: choose one with --at.
`

const AFTER_DROP = `
Deletes letters for good, without asking. --dry-run says what would be deleted, export keeps a copy of them.
`

const AFTER_EXPORT = `
One JSON document for each letter, a line each, the oldest first, with payload and metadata. What JSON does not know is written as
MongoDB's extended JSON: {"$date": "2026-01-31T14:00:00.000Z"}, {"$binary": ...}, {"$oid": ...}; see docs/dead-letters.md. A file
can be read by its user alone, and is not replaced without --force.
`

/** Adds the command `dead-letters` to the program. */
export function addDeadLetters(program: Command, onDeadLetters: (args: DeadLettersArguments) => void): void {
  const group = program
    .command('dead-letters')
    .description('list, show, deliver again, delete or export records that could not be delivered')
    .addHelpText('after', AFTER_HELP)
  const add = (action: DeadLetterAction, description: string, after: string, options: readonly Option[]) => {
    const command = group.command(action).description(description)
    for (const option of [...storeOptions(), ...options]) command.addOption(option)
    command
      .addOption(new Option('--json', action === 'show' || action === 'list' ? JSON_LINES : JSON_DOCUMENT))
      .addOption(noColorOption())
      .addHelpText('after', after)
    return command
  }
  const take = (action: DeadLetterAction) => (ids: readonly string[], flags: Flags) => {
    const id = [...ids.map((text) => checkCount('<id>', text)), ...(flags.id ?? [])]
    if (id.length > MOST_IDS) throw tooMany('<id>', id.length)
    onDeadLetters(read(action, { ...flags, id }))
  }
  const payload = new Option('--payload', 'show payloads, too')
  const dryRun = new Option('--dry-run', 'say what would be done, and do nothing')
  const all = new Option('--all', 'all letters, where nothing else chooses')
  const ids = 'ids of the letters, as list shows them'
  add('list', 'list dead letters', AFTER_LIST, [
    ...selection(`the last n letters (default: ${LISTED}, and all with --json)`),
    payload,
  ])
    .argument('[id...]', ids)
    .action(take('list'))
  add('show', 'show all that is known of dead letters', AFTER_SHOW, [payload])
    .argument('<id...>', ids)
    .action(take('show'))
  add('replay', 'have dead letters delivered again', AFTER_REPLAY, [
    ...selection('the first n letters'),
    all,
    valued('--at <place>', 'deliver them from this place of their link, such as processor:1', checkPlace),
    dryRun,
  ])
    .argument('[id...]', ids)
    .action(take('replay'))
  add('drop', 'delete dead letters', AFTER_DROP, [...selection('the first n letters'), all, dryRun])
    .argument('[id...]', ids)
    .action(take('drop'))
  add('export', 'write dead letters as JSON lines', AFTER_EXPORT, [
    ...selection('the first n letters'),
    all,
    valued('--output <file>', 'write to this file (default: standard output)', checkPath),
    new Option('--force', 'replace the file, if it is there'),
  ])
    .argument('[id...]', ids)
    .action(take('export'))
}

const JSON_LINES = 'one JSON document a line on standard output'
const JSON_DOCUMENT = 'one JSON document on standard output'

type Flags = Partial<Omit<DeadLettersArguments, 'command' | 'action'>>

function read(action: DeadLetterAction, flags: Flags): DeadLettersArguments {
  const { link = [], outlet = [], stage = [], code = [], id = [], store, since, before, limit, at, output } = flags
  const { all = false, payload = false, dryRun = false, force = false, json = false, color = true } = flags
  const args: DeadLettersArguments = {
    ...{ command: 'dead-letters', action, link, outlet, stage, code, id, all, payload, dryRun, force, json, color },
    ...configFlags(flags),
    ...(store === undefined ? {} : { store }),
    ...(since === undefined ? {} : { since }),
    ...(before === undefined ? {} : { before }),
    ...(limit === undefined ? {} : { limit }),
    ...(at === undefined ? {} : { at }),
    ...(output === undefined ? {} : { output }),
  }
  if (action === 'replay' || action === 'drop' || action === 'export') checkChosen(args)
  if (force && output === undefined) throw new InvalidOptionError('--force', '--output beside it', 'none')
  return args
}

/** @throws {@link InvalidOptionError} when nothing says which letters are meant, or two options contradict */
function checkChosen({ action, link, outlet, stage, code, id, since, before, limit, all }: DeadLettersArguments): void {
  const chooses = [link, outlet, stage, code, id].some(({ length }) => length > 0)
  const isChosen = chooses || since !== undefined || before !== undefined || limit !== undefined
  if (isChosen && all) throw new InvalidOptionError('--all', 'nothing beside it that chooses letters', 'both')
  if (isChosen || all) return
  const expected =
    'what chooses letters (their ids, --link, --outlet, --stage, --code, --since, --before, --limit), or --all'
  throw new InvalidOptionError(`dead-letters ${action}`, expected, 'nothing')
}

function selection(limit: string): Option[] {
  const several = 'can be given several times'
  return [
    new Option('--link <id>', `only those of the link with this name; ${several}`).argParser(addName),
    new Option('--outlet <name>', `only those of the outlet with this name; ${several}`).argParser(addName),
    new Option('--stage <stage>', `only those of this stage: ${STAGES.join(', ')}; ${several}`).argParser(addStage),
    new Option('--code <code>', `only those whose error has this code; ${several}`).argParser(addName),
    new Option('--id <id>', `only this one, as the argument <id>; ${several}`).argParser(addId),
    valued('--since <time>', 'only those that failed since: 90s, 10min, 1h, 7d ago, or an ISO date', checkPast),
    valued('--before <time>', 'only those that failed before', checkPast),
    valued('--limit <n>', limit, checkCount),
  ]
}

function addStage(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!STAGES.includes(text)) {
    throw new InvalidOptionError('--stage', `one of ${STAGES.join(', ')}`, text, { hint: hintAt(text, STAGES) })
  }
  return addName(text, before)
}

function addId(text: string, before: readonly number[] | undefined): readonly number[] {
  const ids = [...(before ?? []), checkCount('--id', text)]
  if (ids.length > MOST_IDS) throw tooMany('--id', ids.length)
  return ids
}

function tooMany(option: string, count: number): InvalidOptionError {
  return new InvalidOptionError(option, `at most ${MOST_IDS} ids`, count)
}

function checkPlace(option: string, text: string): string {
  if (text.trim() === '') throw new InvalidOptionError(option, 'a place such as processor:1', text)
  return text.trim()
}
