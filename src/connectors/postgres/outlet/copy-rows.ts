import type { Row } from './as-row.js'
import { copyLine, type LineSettings } from './copy-line.js'
import { notTextError } from './json-rows.js'
import { chunkOf, type Chunk, type Entry, type Refuse, type RowGroup } from './row-group.js'
import type { Shape } from './shape.js'
import type { TableName } from '../identifiers.js'

/** Length of text from which on another chunk is begun. */
const LONG = 2 ** 18

/** Rows as lines of COPY. */
export class CopyRows implements RowGroup {
  readonly table: TableName
  readonly names: readonly string[]
  readonly shape: Shape
  readonly chunks: Chunk[] = []
  readonly #settings: LineSettings
  #entries: Entry[] = []
  #text = ''

  constructor(table: TableName, names: readonly string[], shape: Shape, settings: LineSettings) {
    this.table = table
    this.names = names
    this.shape = shape
    this.#settings = settings
  }

  /**
   * Adds a row.
   *
   * @throws {@link LossError} on a part that would be lost, or become another value
   */
  add(place: number, row: Row, refuse: Refuse, parts?: readonly RowGroup[]): void {
    this.#text += copyLine(this.shape.columns, row, this.#settings)
    this.#entries.push({ place, text: undefined, parts })
    if (this.#text.length > LONG) this.finish(refuse)
  }

  /** Closes the last chunk. */
  finish(refuse: Refuse): void {
    let chunk = chunkOf(this.#entries, this.#text)
    this.#entries = []
    this.#text = ''
    if (chunk.text.includes('\0') || !chunk.text.isWellFormed()) chunk = this.#withoutBad(chunk, refuse)
    if (chunk.size > 0) this.chunks.push(chunk)
  }

  texts({ text }: Chunk): readonly string[] {
    return text.split('\n').slice(0, -1)
  }

  join(lines: readonly string[]): string {
    return lines.map((line) => `${line}\n`).join('')
  }

  /** Refuses the rows with texts that the server cannot store. */
  #withoutBad(chunk: Chunk, refuse: Refuse): Chunk {
    const lines = this.texts(chunk)
    const isGood = (line: string) => !line.includes('\0') && line.isWellFormed()
    for (const [at, entry] of chunk.entries.entries()) {
      const line = lines[at] ?? ''
      if (!isGood(line)) refuse(entry, notTextError(line.includes('\0')))
    }
    const entries = chunk.entries.filter((_, at) => isGood(lines[at] ?? ''))
    return chunkOf(entries, this.join(lines.filter(isGood)))
  }
}
