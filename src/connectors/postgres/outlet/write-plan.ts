import { ofRecord } from '../../../core/partial-push.js'
import { toError } from '../../../base/errors.js'
import { groupWriter, type GroupWriter } from './group-writer.js'
import { quotedTable, shownTable } from '../identifiers.js'
import type { Pushing } from './pushing.js'
import { chunkOf, type Chunk, type Entry, type RowGroup } from './row-group.js'
import { checkBytes, checkSpecial, shapeOf, shownName, type JsonRow, type Shape } from './shape.js'
import type { TableDescription } from './table-description.js'

/** Field that is not written, of some rows. */
export interface Unwritten {
  readonly text: string
  readonly rows: number
}

/** What is written of a batch to tables as they are now, and which records are refused. */
export class WritePlan {
  /** What is to be told of fields that are not written, when the rows are stored. */
  readonly unwritten: Unwritten[] = []
  readonly #pushing: Pushing
  readonly #tables: ReadonlyMap<string, TableDescription | Error>
  readonly #refused: Map<number, Error>

  /**
   * @param tables - descriptions of the tables, or why there is none
   * @param refused - gets the errors of records, by their place
   */
  constructor(pushing: Pushing, tables: ReadonlyMap<string, TableDescription | Error>, refused: Map<number, Error>) {
    this.#pushing = pushing
    this.#tables = tables
    this.#refused = refused
  }

  /** What writes the groups. The others are refused. */
  writers(groups: readonly RowGroup[]): readonly GroupWriter[] {
    return groups.flatMap((group) => this.#writersOf(group))
  }

  /** Refuses a row that the server has refused. */
  refuse({ place }: Entry, { group }: GroupWriter, error: Error): void {
    const { connection } = this.#pushing
    this.#refused.set(place, connection.toError(`${shownTable(group.table)} refused a row`, error))
  }

  /**
   * Has refused records be at fault whose errors do not tell, if the server took any row.
   *
   * @param rows - number of rows that were written
   */
  blame(rows: number): void {
    const errors = [...this.#refused.values()]
    if (errors.length >= rows) return
    for (const error of errors) if (!('retryable' in error) || error.retryable === undefined) ofRecord(error)
  }

  #writersOf(group: RowGroup): readonly GroupWriter[] {
    const description = this.#tables.get(quotedTable(group.table))
    const parts: RowGroup[] = []
    const refuse = ({ place, parts: some }: Entry, error: Error) => {
      if (some === undefined) this.#refused.set(place, ofRecord(error))
      else parts.push(...some)
    }
    const writer = this.#writerOf(group, description, refuse)
    return [...(writer === undefined ? [] : [writer]), ...this.writers(parts)]
  }

  #writerOf(
    group: RowGroup,
    description: TableDescription | Error | undefined,
    refuse: (entry: Entry, error: Error) => void,
  ): GroupWriter | undefined {
    const { settings, copy } = this.#pushing
    const refuseAll = (error: Error) => {
      for (const { entries } of group.chunks) for (const entry of entries) refuse(entry, error)
    }
    if (description === undefined || description instanceof Error) {
      if (description !== undefined) refuseAll(description)
      return undefined
    }
    let shape: Shape
    try {
      shape = group.shape ?? shapeOf(description, group.names, settings)
    } catch (error) {
      refuseAll(toError(error))
      return undefined
    }
    this.#noteUnwritten(group, shape)
    const chunks = group.chunks.map((chunk) => withoutMisfits(group, chunk, shape, refuse))
    const filled = chunks.filter(({ size }) => size > 0)
    if (filled.length === 0) return undefined
    return groupWriter(withChunks(group, filled), description, shape, settings, copy)
  }

  /** Notes fields that are not written. */
  #noteUnwritten({ table, chunks }: RowGroup, { extra, filled }: Shape): void {
    if (extra.length === 0 && filled.length === 0) return
    const rows = chunks.reduce((sum, { size }) => sum + size, 0)
    const where = shownTable(table)
    for (const name of extra) {
      const text = `PostgresOutlet: drops the field ${shownName(name)}: ${where} has no such column`
      this.unwritten.push({ text, rows })
    }
    for (const name of filled) {
      const text = `PostgresOutlet: leaves out ${shownName(name)}: ${where} fills that column itself`
      this.unwritten.push({ text, rows })
    }
  }
}

/** Chunk without rows that have values which their columns cannot take. */
function withoutMisfits(
  group: RowGroup,
  chunk: Chunk,
  shape: Shape,
  refuse: (entry: Entry, error: Error) => void,
): Chunk {
  const hasBytes = group.shape === undefined && shape.columns.some(({ kind }) => kind === 'bytes')
  if (!chunk.hasSpecial && !hasBytes) return chunk
  const rows = hasBytes ? (JSON.parse(chunk.text) as readonly JsonRow[]) : undefined
  const isGood = chunk.entries.map((entry, at) => {
    try {
      checkSpecial(shape, entry.special ?? [])
      if (rows !== undefined) checkBytes(shape, rows[at] ?? {})
      return true
    } catch (error) {
      refuse(entry, toError(error))
      return false
    }
  })
  if (!isGood.includes(false)) return chunk
  const texts = group.texts(chunk)
  const entries = chunk.entries.map((entry, at) => ({ ...entry, text: texts[at] })).filter((_, at) => isGood[at])
  return chunkOf(entries, group.join(entries.map(({ text }) => text ?? '')))
}

function withChunks(group: RowGroup, chunks: readonly Chunk[]): RowGroup {
  const { table, names, shape } = group
  return {
    table,
    names,
    shape,
    chunks,
    texts: (chunk) => group.texts(chunk),
    join: (texts) => group.join(texts),
  }
}
