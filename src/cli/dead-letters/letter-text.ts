import { restoreError } from '../../base/plain-error.js'
import { toError } from '../../base/errors.js'
import { decodeRecords } from '../../store/codec.js'
import type { DeadLetters, StoredDeadLetter } from '../../store/dead-letters.js'
import { errorLine, errorStacks } from '../error-text.js'
import { tableLines, timeText } from '../links/link-text.js'
import { jsonForm } from './json-form.js'

/** Most characters of an error in a list. */
const LONGEST_ERROR = 100

/** The record of a letter, in a form for JSON, or why there is none. */
export type LetterRecord =
  | { readonly payload: unknown; readonly metadata: unknown }
  | { readonly problem: string }
  /** The letter was deleted meanwhile, or has no record. */
  | undefined

/** Reads the record of a letter. */
export function recordOf(letters: DeadLetters, id: number): LetterRecord {
  try {
    const body = letters.read(id)?.body
    const [record] = body === undefined ? [] : decodeRecords(body)
    if (record === undefined) return undefined
    return { payload: jsonForm(record.payload), metadata: jsonForm(record.metadata) }
  } catch (thrown) {
    return { problem: `the record of dead letter ${id} cannot be read: ${toError(thrown).message}` }
  }
}

/** A letter as a JSON document. */
export function letterDocument(letter: StoredDeadLetter, record?: LetterRecord): object {
  const { id, link, outlet, stage, place, node, group, key, at, attempts, code, error, hasRecord, replay } = letter
  const where = { id, link, ...(outlet === undefined ? {} : { outlet }), stage, place, node }
  const ids = { ...(group === undefined ? {} : { group }), ...(key === undefined ? {} : { key }) }
  const what = { at, attempts, ...(code === undefined ? {} : { code }), error }
  const kept = record === undefined || 'problem' in record ? {} : record
  return { ...where, ...ids, ...what, replay, hasPayload: hasRecord, ...kept }
}

/** Lines of a table of letters: the first is its header. */
export function letterLines(letters: readonly StoredDeadLetter[], now: number): string[] {
  const hasNotes = letters.some((letter) => noteOf(letter) !== '')
  const rows = letters.map((letter) => {
    const { id, link, outlet = '', stage, place, node, at, attempts, code = '', error } = letter
    const [text = ''] = errorLine(restoreError(error)).split('\n')
    const shown = text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR)}\u2026` : text
    const note = hasNotes ? [noteOf(letter)] : []
    return [String(id), link, outlet, stage, place, node, timeText(at, now), String(attempts), code, ...note, shown]
  })
  const header = ['id', 'link', 'outlet', 'stage', 'place', 'node', 'time', 'tries', 'code']
  return tableLines([[...header, ...(hasNotes ? ['note'] : []), 'error'], ...rows])
}

function noteOf({ replay, hasRecord }: StoredDeadLetter): string {
  if (replay) return 'to replay'
  return hasRecord ? '' : 'no payload'
}

/**
 * Lines that tell all of a letter.
 *
 * @param record - its record; `undefined` where the letter has none
 */
export function detailLines(
  letter: StoredDeadLetter,
  record: LetterRecord,
  showsPayload: boolean,
  now: number,
): string[] {
  const { id, link, outlet, stage, place, node, group, key, at, attempts, error, replay } = letter
  const facts: (readonly [name: string, text: string | undefined])[] = [
    ['outlet', outlet],
    ['stage', `${stage}, by ${node} at ${place}`],
    ['failed', timeText(at, now)],
    ['tries', String(attempts)],
    ['group', group],
    ['key', key],
    ['replay', replay ? 'at the next transfer of the link' : undefined],
    ['error', errorStacks(restoreError(error))],
    ...recordFacts(record, showsPayload),
  ]
  const given = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined)
  const width = Math.max(...given.map(([name]) => name.length))
  return [
    `dead letter ${id} of ${link}`,
    ...given.flatMap(([name, text]) => {
      const indent = ' '.repeat(width + 5)
      return `  ${name.padEnd(width)}   ${text}`.split('\n').map((line, at) => (at === 0 ? line : indent + line))
    }),
  ]
}

function recordFacts(record: LetterRecord, showsPayload: boolean): [name: string, text: string][] {
  if (record === undefined) return [['payload', 'none is kept']]
  if ('problem' in record) return [['payload', 'it cannot be read']]
  const payload = showsPayload ? shown(record.payload) : 'see --payload'
  return [
    ['metadata', shown(record.metadata)],
    ['payload', payload],
  ]
}

function shown(form: unknown): string {
  return JSON.stringify(form, undefined, 2)
}
