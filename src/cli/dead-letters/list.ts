import { counted } from '../../base/counted.js'
import { printable } from '../../base/printable.js'
import type { StoredDeadLetter } from '../../store/dead-letters.js'
import { LISTED, type DeadLettersArguments } from './arguments.js'
import { detailLines, letterDocument, letterLines, recordOf, type LetterRecord } from './letter-text.js'
import type { Output } from './output.js'
import { Selected } from './selected.js'

/** Lists letters. @returns what is wrong */
export async function listLetters(selected: Selected, args: DeadLettersArguments, output: Output): Promise<string[]> {
  const found = selected.count()
  if (found === 0) selected.checkNames()
  const problems: string[] = []
  if (args.json) {
    const slices = args.limit === undefined ? selected.slices() : [selected.last(args.limit)]
    for (const slice of slices) {
      const lines = slice.map((letter) =>
        JSON.stringify(letterDocument(letter, recordFor(letter, args, selected, problems))),
      )
      if (!(await output.lines(lines))) break
    }
    return [...problems, ...selected.problems()]
  }
  const letters = selected.last(args.limit ?? LISTED)
  const [header = '', ...rows] = letterLines(letters, Date.now())
  const lines = rows.flatMap((row, at) => {
    const letter = letters[at]
    const record = letter === undefined ? undefined : recordFor(letter, args, selected, problems)
    const payload = record === undefined || 'problem' in record ? [] : [`    ${JSON.stringify(record.payload)}`]
    return [row, ...payload]
  })
  const table = letters.length === 0 ? [] : [header, ...lines, '']
  await output.lines([...table, ...notes(selected, letters.length, found)].map(printable))
  return [...problems, ...selected.problems()]
}

/** Shows all that is known of letters. @returns what is wrong */
export async function showLetters(selected: Selected, args: DeadLettersArguments, output: Output): Promise<string[]> {
  const problems: string[] = []
  let isFirst = true
  for (const slice of selected.slices()) {
    for (const letter of slice) {
      const record = recordFor(letter, { payload: true }, selected, problems)
      const { payload } = args
      if (args.json)
        await output.lines([JSON.stringify(letterDocument(letter, payload ? record : withoutPayload(record)))])
      else {
        const lines = detailLines(letter, record, payload, Date.now()).map(printable)
        await output.lines(isFirst ? lines : ['', ...lines])
      }
      isFirst = false
    }
  }
  return [...problems, ...selected.problems()]
}

function recordFor(
  { id }: StoredDeadLetter,
  { payload }: { readonly payload: boolean },
  { letters }: Selected,
  problems: string[],
): LetterRecord {
  const record = payload ? recordOf(letters, id) : undefined
  if (record !== undefined && 'problem' in record) problems.push(record.problem)
  return record
}

function withoutPayload(record: LetterRecord): LetterRecord {
  if (record === undefined || 'problem' in record) return record
  const { metadata } = record
  return { metadata } as LetterRecord
}

/** What to say below a list. */
function notes(selected: Selected, listed: number, found: number): string[] {
  if (found === 0) return ['no dead letters']
  const marked = selected.count({ replay: true })
  const more = found > listed ? `, of which the last ${listed} are listed: see --limit` : ''
  return [
    `${counted(found, 'dead letter')}${more}`,
    ...(marked === 0 ? [] : [`${counted(marked, 'dead letter')} to be delivered at the next transfer of their link`]),
  ]
}
