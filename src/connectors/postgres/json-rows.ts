import { toError } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import type { Row } from './as-row.js'
import type { SpecialValue } from './field-text.js'
import type { TableName } from './identifiers.js'
import type { Chunk, Entry, Refuse, RowGroup } from './row-group.js'

/**
 * Most rows of a statement: as many as a list that an inlet streams has at most. The server takes half as long again for each
 * row of a statement of many thousands.
 */
const MOST_ROWS = 2048

/** Length from which on the text of a statement is divided, if it has several rows. */
const LONG = 2 ** 22

/** Row that waits for its text. */
interface Waiting extends Entry {
  /** The row, if it is plain data: then it has no text of its own. */
  readonly row: Row | undefined
}

/** Rows as JSON, from which the server reads them. */
export class JsonRows implements RowGroup {
  readonly table: TableName
  readonly names: readonly string[]
  readonly shape = undefined
  readonly chunks: Chunk[] = []
  #waiting: Waiting[] = []
  #isPlain = true

  constructor(table: TableName, names: readonly string[]) {
    this.table = table
    this.names = names
  }

  /** Adds a row of plain data. */
  addPlain(place: number, row: Row, parts?: readonly RowGroup[]): void {
    this.#waiting.push({ place, row, text: undefined, parts })
  }

  /** Adds a row by its text. */
  addText(place: number, text: string, special: readonly SpecialValue[], parts?: readonly RowGroup[]): void {
    this.#isPlain = false
    this.#waiting.push({ place, row: undefined, text, special, parts })
  }

  /** Makes the texts. No row is read after that. */
  finish(refuse: Refuse): void {
    const all = this.#waiting
    for (let from = 0; from < all.length; from += MOST_ROWS) {
      const waiting = all.length <= MOST_ROWS ? all : all.slice(from, from + MOST_ROWS)
      const text = this.#isPlain ? textOf(waiting) : undefined
      if (text === undefined || text.length > LONG || NOT_TEXT.test(text)) this.#divide(waiting, refuse)
      else this.chunks.push({ entries: waiting.map(settled), text })
    }
    this.#waiting = []
  }

  texts({ entries, text }: Chunk): readonly string[] {
    if (entries.every((entry) => entry.text !== undefined)) return entries.map((entry) => entry.text ?? '')
    // of plain data alone, so that it is written as before
    return (JSON.parse(text) as unknown[]).map((row) => JSON.stringify(row))
  }

  join(texts: readonly string[]): string {
    return `[${texts.join(',')}]`
  }

  /** Makes the text of each row, refuses those that are none, and sends long ones in several statements. */
  #divide(waiting: readonly Waiting[], refuse: Refuse): void {
    let entries: Entry[] = []
    let length = 0
    const close = () => {
      if (entries.length > 0) this.chunks.push({ entries, text: this.join(entries.map(({ text }) => text ?? '')) })
      entries = []
      length = 0
    }
    for (const { row, ...entry } of waiting) {
      try {
        const text = entry.text ?? JSON.stringify(row)
        if (NOT_TEXT.test(text)) throw notText(text)
        if (length + text.length > LONG) close()
        length += text.length
        entries.push({ ...entry, text })
      } catch (thrown) {
        refuse(entry, toError(thrown))
      }
    }
    close()
  }
}

function settled({ row: _, ...entry }: Waiting): Entry {
  return entry
}

/** Text of plain rows; `undefined` when they cannot be written together. */
function textOf(waiting: readonly Waiting[]): string | undefined {
  try {
    return JSON.stringify(waiting.map(({ row }) => row))
  } catch {
    return undefined
  }
}

/** Escape of a character that no text of the server can have: NUL, or half of a character. JSON writes others as they are. */
const NOT_TEXT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

function notText(text: string): InvalidPayloadError {
  const isNul = /(?<!\\)(?:\\\\)*\\u0000/.test(text)
  return notTextError(isNul)
}

/** Error of a record with a text that the server cannot store. */
export function notTextError(isNul: boolean): InvalidPayloadError {
  const what = isNul ? String.raw`the character \u0000` : 'half of a character (a lone surrogate)'
  return new InvalidPayloadError(`PostgresOutlet: a text has ${what}, which PostgreSQL cannot store`)
}
