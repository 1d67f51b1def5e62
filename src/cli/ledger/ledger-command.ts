import { InvalidOptionError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import { hintAt } from '../../base/suggestion.js'
import { LedgerReader } from '../../store/ledger/ledger-reader.js'
import { say } from '../say.js'
import { timeOf } from '../past.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { refusal } from '../refusal.js'
import { storeFolder } from '../store/store-folder.js'
import type { LedgerArguments } from './arguments.js'
import { balanceLines, lagLines, lagRows, problemsOf, transferLines } from './ledger-text.js'

/** What an action came to. */
interface Result {
  readonly document: object
  readonly lines: readonly string[]
  /** What is wrong. */
  readonly problems: readonly string[]
}

/** The command `databay ledger`. */
export async function ledgerCommand(args: LedgerArguments, context: ProcessContext): Promise<Ending> {
  const { stdout, stderr } = context
  let reader: LedgerReader | undefined
  try {
    reader = await LedgerReader.open(await storeFolder(args, context))
    checkLinks(args.link, reader)
    const { document, lines, problems } = resultOf(args, reader, Date.now())
    stdout.write(`${args.json ? JSON.stringify(document, undefined, 2) : lines.map(printable).join('\n')}\n`)
    for (const problem of problems) say(stderr, problem)
    return { code: problems.length === 0 ? EXIT.orderly : EXIT.failed, signal: undefined }
  } catch (thrown) {
    return refusal(thrown, args.json, { stdout, stderr })
  } finally {
    reader?.close()
  }
}

/** @throws {@link InvalidOptionError} when the ledger has nothing of a link */
function checkLinks(links: readonly string[], reader: LedgerReader): void {
  if (links.length === 0) return
  const known = reader.links()
  for (const link of links) {
    if (known.includes(link)) continue
    throw new InvalidOptionError('--link', 'the name of a link that is in the ledger', link, {
      hint: hintAt(link, known),
    })
  }
}

function resultOf({ action, link, since, failed, limit }: LedgerArguments, reader: LedgerReader, now: number): Result {
  switch (action) {
    case 'list': {
      const from = since === undefined ? {} : { since: timeOf(since, now) }
      const list = reader.transfers({ links: link, failed, limit, ...from })
      return { document: list, lines: transferLines(list, now), problems: [] }
    }
    case 'lag': {
      const links = lagRows(reader.lag(link), now)
      return { document: { links }, lines: lagLines(links, now), problems: [] }
    }
    case 'check': {
      const check = reader.check(link)
      return { document: check, lines: balanceLines(check, now), problems: problemsOf(check.balances) }
    }
  }
}
