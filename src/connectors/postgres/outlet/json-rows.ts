import { toError } from '../../../base/errors.js'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import type { Row } from './as-row.js'
import type { SpecialValue } from './field-text.js'
import type { TableName } from '../identifiers.js'
import { chunkOf, plainChunk, type Chunk, type Entry, type Refuse, type RowGroup } from './row-group.js'

/**
 * Most rows of a statement: as many as a list that an inlet streams has at most. The server takes half as long again for each
 * row of a statement of many thousands.
 */
const MOST_ROWS = 2048

/** Length from which on the text of a statement is divided, if it has several rows. */
const LONG = 2 ** 22

/** Rows as JSON, from which the server reads them. */
export class JsonRows implements RowGroup {
  readonly table: TableName
  readonly names: readonly string[]
  readonly shape = undefined
  readonly chunks: Chunk[] = []
  /** Places of records, while all rows are plain data and stand for one record. */
  #places: number[] = []
  /** Entries of all rows, from the first on that is something else. */
  #entries: Entry[] | undefined
  /** Rows of plain data, by the place of their entry; `undefined` for those with a text of their own. */
  #rows: (Row | undefined)[] = []
  #isPlain = true

  constructor(table: TableName, names: readonly string[]) {
    this.table = table
    this.names = names
  }

  /** Adds a row of plain data. */
  addPlain(place: number, row: Row, parts?: readonly RowGroup[]): void {
    this.#rows.push(row)
    if (parts === undefined && this.#entries === undefined) this.#places.push(place)
    else this.#all().push({ place, text: undefined, parts })
  }

  /** Adds a row by its text. */
  addText(place: number, text: string, special: readonly SpecialValue[], parts?: readonly RowGroup[]): void {
    this.#isPlain = false
    this.#all().push({ place, text, special, parts })
    this.#rows.push(undefined)
  }

  /** Makes the texts. No row is read after that. */
  finish(refuse: Refuse): void {
    const all = this.#rows
    for (let from = 0; from < all.length; from += MOST_ROWS) {
      const part = <T>(list: readonly T[]) => (all.length <= MOST_ROWS ? list : list.slice(from, from + MOST_ROWS))
      const rows = part(all)
      const text = this.#isPlain ? textOf(rows) : undefined
      if (text === undefined || text.length > LONG || !isText(text)) this.#divide(part(this.#all()), rows, refuse)
      else if (this.#entries === undefined) this.chunks.push(plainChunk(part(this.#places), text))
      else this.chunks.push(chunkOf(part(this.#entries), text))
    }
    this.#places = []
    this.#entries = []
    this.#rows = []
  }

  #all(): Entry[] {
    return (this.#entries ??= this.#places.map((place) => ({ place, text: undefined })))
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
  #divide(all: readonly Entry[], rows: readonly (Row | undefined)[], refuse: Refuse): void {
    let entries: Entry[] = []
    let length = 0
    const close = () => {
      if (entries.length > 0) this.chunks.push(chunkOf(entries, this.join(entries.map(({ text }) => text ?? ''))))
      entries = []
      length = 0
    }
    for (const [at, entry] of all.entries()) {
      try {
        const text = entry.text ?? JSON.stringify(rows[at])
        if (!isText(text)) throw notText(text)
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

/** Text of plain rows; `undefined` when they cannot be written together. */
function textOf(rows: readonly (Row | undefined)[]): string | undefined {
  try {
    return JSON.stringify(rows)
  } catch {
    return undefined
  }
}

/** Escape of a character that no text of the server can have: NUL, or half of a character. JSON writes others as they are. */
const NOT_TEXT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

function isText(json: string): boolean {
  return !json.includes(String.raw`\u`) || !NOT_TEXT.test(json)
}

function notText(text: string): InvalidPayloadError {
  const isNul = /(?<!\\)(?:\\\\)*\\u0000/.test(text)
  return notTextError(isNul)
}

/** Error of a record with a text that the server cannot store. */
export function notTextError(isNul: boolean): InvalidPayloadError {
  const what = isNul ? String.raw`the character \u0000` : 'half of a character (a lone surrogate)'
  return new InvalidPayloadError(`PostgresOutlet: a text has ${what}, which PostgreSQL cannot store`)
}
