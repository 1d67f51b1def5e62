import { printable } from '../../base/printable.js'
import { loadDriver } from '../../store/driver.js'
import { isOwned } from '../../store/owner.js'
import type { Database } from '../../store/sqlite.js'
import { storeFiles } from '../../store/store-files.js'
import { openStore, readStore } from '../../store/store.js'
import { say } from '../say.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { refusal } from '../refusal.js'
import { storeFolder } from '../store/store-folder.js'
import type { DeadLettersArguments } from './arguments.js'
import type { Changed } from './changed.js'
import { dropLetters } from './drop.js'
import { exportLetters } from './export.js'
import { listLetters, showLetters } from './list.js'
import { outputTo, type Output } from './output.js'
import { Places } from './places.js'
import { replayLetters } from './replay.js'
import { Selected } from './selected.js'

/** The command `databay dead-letters`. */
export async function deadLettersCommand(args: DeadLettersArguments, context: ProcessContext): Promise<Ending> {
  const { stdout, stderr } = context
  let database: Database | undefined
  try {
    const folder = await storeFolder(args, context)
    database = changes(args) ? (await openStore(folder)).database : await readStore(folder)
    const problems = await problemsOf(args, folder, database, outputTo(stdout))
    for (const problem of problems) say(stderr, problem)
    return { code: problems.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    return refusal(thrown, args.json, { stdout, stderr })
  } finally {
    database?.close()
  }
}

/** Whether a command writes to the store. */
function changes({ action, dryRun }: DeadLettersArguments): boolean {
  return (action === 'replay' || action === 'drop') && !dryRun
}

/** Does what is asked for, and says what it came to. @returns what is wrong */
async function problemsOf(
  args: DeadLettersArguments,
  folder: string,
  database: Database,
  output: Output,
): Promise<readonly string[]> {
  const selected = new Selected(database, args)
  switch (args.action) {
    case 'list':
      return listLetters(selected, args, output)
    case 'show':
      return showLetters(selected, args, output)
    case 'export':
      return exportLetters(selected, args, folder, output)
    case 'drop':
      return told(await dropLetters(selected, args), args, output)
    case 'replay': {
      const isInUse = isOwned(await loadDriver(), storeFiles(folder))
      return told(await replayLetters(selected, new Places(database), args, isInUse), args, output)
    }
  }
}

async function told({ document, lines, problems }: Changed, { json }: DeadLettersArguments, output: Output) {
  await output.lines(json ? [JSON.stringify(document, undefined, 2)] : lines.map(printable))
  return problems
}
