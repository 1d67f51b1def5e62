import type { ClientBase } from 'pg'
import { isOfRows, sqlState } from '../errors.js'
import type { GroupWriter } from './group-writer.js'
import type { Entry, RowGroup } from './row-group.js'
import type { WritePlan } from './write-plan.js'

/** Rows of a group, with their texts. */
interface Piece {
  readonly writer: GroupWriter
  readonly entries: readonly Entry[]
  readonly texts: readonly string[]
}

/** Code of a row that refers to one that is not there. */
const NO_REFERENCE = '23503'

/**
 * Writes rows in an open transaction so that the bad ones are refused and the others stored: what the server refuses is undone
 * and halved, until the bad rows are alone.
 *
 * Constraints that are deferred are checked at once here, as the COMMIT could not tell whose fault it is. A row that refers to
 * one that is not there is tried again when the others are stored, as it may have been one of them. Resolves with the number of
 * rows that triggers have left out.
 */
export async function writeCarefully(
  client: ClientBase,
  plan: WritePlan,
  writers: readonly GroupWriter[],
): Promise<number> {
  await client.query('set constraints all immediate; savepoint databay')
  const pieces = writers.flatMap((writer) => writer.group.chunks.map((chunk) => pieceOf(writer, chunk)))
  const careful = new CarefulWrite(client, plan)
  await careful.storeAll(pieces)
  for (let waiting = careful.takeWaiting(); waiting.length > 0;) {
    await careful.storeAll(grouped(waiting))
    const left = careful.takeWaiting()
    if (left.length === waiting.length) {
      for (const { writer, entries, error } of left) for (const entry of entries) plan.refuse(entry, writer, error)
      break
    }
    waiting = left
  }
  return careful.leftOut
}

function pieceOf(writer: GroupWriter, chunk: RowGroup['chunks'][number]): Piece {
  return { writer, entries: chunk.entries, texts: writer.group.texts(chunk) }
}

/** Pieces of one group together again. */
function grouped(pieces: readonly Piece[]): Piece[] {
  const groups = new Map<GroupWriter, Piece[]>()
  for (const piece of pieces) groups.set(piece.writer, [...(groups.get(piece.writer) ?? []), piece])
  return [...groups].map(([writer, some]) => {
    return { writer, entries: some.flatMap(({ entries }) => entries), texts: some.flatMap(({ texts }) => texts) }
  })
}

/** A row that is tried again, with the error of the server. */
interface Waiting extends Piece {
  readonly error: Error
}

class CarefulWrite {
  readonly #client: ClientBase
  readonly #plan: WritePlan
  /** Number of rows that the server has taken and not stored. */
  leftOut = 0
  #waiting: Waiting[] = []

  constructor(client: ClientBase, plan: WritePlan) {
    this.#client = client
    this.#plan = plan
  }

  /** Rows that refer to one that is not there, which are then no longer kept. */
  takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }

  async storeAll(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) await this.#store(piece)
  }

  async #store(piece: Piece): Promise<void> {
    const { writer, entries, texts } = piece
    const client = this.#client
    try {
      const stored = await writer.write(client, [writer.group.join(texts)])
      await client.query('release savepoint databay; savepoint databay')
      if (writer.isCounted) this.leftOut += entries.length - stored
      return
    } catch (thrown) {
      if (!isOfRows(thrown)) throw thrown
      await client.query('rollback to savepoint databay')
      if (entries.length === 1) {
        await this.#refused(piece, thrown)
        return
      }
    }
    const half = entries.length >> 1
    await this.#store({ writer, entries: entries.slice(0, half), texts: texts.slice(0, half) })
    await this.#store({ writer, entries: entries.slice(half), texts: texts.slice(half) })
  }

  /** Takes note of a row that is refused. One that stands for several records is written record by record. */
  async #refused(piece: Piece, error: Error): Promise<void> {
    const [entry] = piece.entries
    if (entry?.parts !== undefined) {
      for (const writer of this.#plan.writers(entry.parts)) {
        await this.storeAll(writer.group.chunks.map((chunk) => pieceOf(writer, chunk)))
      }
    } else if (sqlState(error) === NO_REFERENCE) this.#waiting.push({ ...piece, error })
    else if (entry !== undefined) this.#plan.refuse(entry, piece.writer, error)
  }
}
