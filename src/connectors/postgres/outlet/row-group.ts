import type { SpecialValue } from './field-text.js'
import type { TableName } from '../identifiers.js'
import type { Shape } from './shape.js'

/** Row of a batch. */
export interface Entry {
  /** Place of its record in the batch. */
  readonly place: number
  /** Text of the row; `undefined` where only its chunk has it. */
  readonly text: string | undefined
  /** Values that only some columns can take. */
  readonly special?: readonly SpecialValue[] | undefined
  /** Records that the row stands for, as they have the same key: each in a group of its own. */
  readonly parts?: readonly RowGroup[] | undefined
}

/** Rows that are sent together, with their text. */
export interface Chunk {
  /** Number of rows. */
  readonly size: number
  readonly entries: readonly Entry[]
  readonly text: string
  /** Whether any row has a value that only some columns can take. */
  readonly hasSpecial: boolean
}

export function chunkOf(entries: readonly Entry[], text: string): Chunk {
  const hasSpecial = entries.some(({ special }) => special !== undefined && special.length > 0)
  return { size: entries.length, entries, text, hasSpecial }
}

/** Chunk of rows of which nothing is known but the places of their records: most are never looked at one by one. */
export function plainChunk(places: readonly number[], text: string): Chunk {
  let entries: readonly Entry[] | undefined
  return {
    size: places.length,
    text,
    hasSpecial: false,
    get entries() {
      return (entries ??= places.map((place) => ({ place, text: undefined })))
    },
  }
}

/** Takes note that a row cannot be written. */
export type Refuse = (entry: Entry, error: Error) => void

/** Rows for one table that have the same fields. */
export interface RowGroup {
  readonly table: TableName
  /** Fields of the rows. */
  readonly names: readonly string[]
  /** What is written of the rows, where that is known already: these are lines of COPY. Otherwise they are JSON. */
  readonly shape: Shape | undefined
  readonly chunks: readonly Chunk[]
  /** Texts of the rows of a chunk, one by one. */
  texts(chunk: Chunk): readonly string[]
  /** Text of some rows. */
  join(texts: readonly string[]): string
}
