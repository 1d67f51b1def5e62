import { counted } from '../../base/counted.js'
import { printable } from '../../base/printable.js'
import { checkStore, type StoreCheck } from '../../store/check.js'
import { salvageStore, type Salvage } from '../../store/salvage.js'
import { vacuumStore, type Vacuumed } from '../../store/vacuum.js'
import { say } from '../say.js'
import { tableLines, timeText } from '../links/link-text.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { refusal } from '../refusal.js'
import type { StoreArguments } from './arguments.js'
import { storeFolder } from './store-folder.js'

/** What an action came to. */
interface Result {
  readonly document: object
  readonly lines: readonly string[]
  /** What is wrong. */
  readonly problems: readonly string[]
}

/** The command `databay store`. */
export async function storeCommand(args: StoreArguments, context: ProcessContext): Promise<Ending> {
  const { stdout, stderr } = context
  try {
    const folder = await storeFolder(args, context)
    const { document, lines, problems } = await resultOf(args, folder)
    const text = args.json ? JSON.stringify(document, undefined, 2) : lines.map(printable).join('\n')
    if (text !== '') stdout.write(`${text}\n`)
    for (const problem of problems) say(stderr, problem)
    return { code: problems.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    return refusal(thrown, args.json, { stdout, stderr })
  }
}

async function resultOf({ action }: StoreArguments, folder: string): Promise<Result> {
  switch (action) {
    case 'check':
      return checked(await checkStore(folder))
    case 'salvage':
      return salvaged(await salvageStore(folder))
    case 'vacuum':
      return vacuumed(await vacuumStore(folder))
  }
}

function checked(check: StoreCheck): Result {
  const { folder, id, inUse, owner, bytes, freeBytes, tables, problems } = check
  const by =
    owner === undefined ? '' : ` by process ${owner.pid} on ${owner.host} since ${timeText(owner.since, Date.now())}`
  const rows = tables.map(({ table, rows, damaged, error }) => {
    return [table, String(rows), String(damaged), error === undefined ? '' : 'a part cannot be read']
  })
  const letters = tables.find(({ table }) => table === 'dead')?.rows ?? 0
  const lines = [
    `store ${folder}${id === undefined ? '' : ` (${id})`}`,
    `${inUse ? 'in use' : 'used last'}${by}, ${sizeText(bytes)}, ${sizeText(freeBytes)} of it free`,
    ...(rows.length === 0 ? [] : ['', ...tableLines([['table', 'rows', 'damaged', ''], ...rows])]),
    '',
    ...(letters === 0 ? [] : [`${counted(letters, 'dead letter')}: databay dead-letters list shows them`]),
    problems.length === 0
      ? 'nothing is damaged'
      : `${counted(problems.length, 'problem')}: databay store salvage saves the rest`,
  ]
  return { document: check, lines, problems }
}

function salvaged(salvage: Salvage): Result {
  const { folder, tables, cursors, kept, error } = salvage
  const rows = tables.map(({ table, rows, damaged, error: unreadable }) => {
    return [table, String(rows - damaged), String(damaged), unreadable === undefined ? '' : 'a part could not be read']
  })
  const lines = [
    `store ${folder}`,
    ...(rows.length === 0 ? [] : ['', ...tableLines([['table', 'saved', 'left behind', ''], ...rows])]),
    '',
    `cursors: ${cursors.length === 0 ? 'none' : cursors.join(', ')}`,
    `the damaged store is in ${kept.join(', ')}`,
  ]
  const problems = error === undefined ? [] : [`nothing could be read (${error}): the new store is empty`]
  return { document: salvage, lines, problems }
}

function vacuumed(result: Vacuumed): Result {
  const { folder, bytesBefore, bytesAfter } = result
  return {
    document: result,
    lines: [`store ${folder}: ${sizeText(bytesBefore)}, now ${sizeText(bytesAfter)}`],
    problems: [],
  }
}

/** A number of bytes in the unit that suits it: `12 KiB`. */
function sizeText(bytes: number): string {
  if (bytes < 1024 ** 2) return `${Math.ceil(bytes / 1024)} KiB`
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}
