import { TABLES } from './schema.js'
import { numberOf, optionalNumber, Rows, textOf } from './rows.js'
import type { Database, Row } from './sqlite.js'

/** What a link has counted since it was first opened. */
export interface LinkCounts {
  readonly pulled: number
  readonly added: number
  readonly filtered: number
  readonly dropped: number
  /** Records that became dead letters. */
  readonly dead: number
  readonly delivered: number
}

/** A link in the store. */
export interface LinkRow {
  readonly id: string
  /** Number of times that it was opened. Whoever opened it last may write. */
  readonly epoch: number
  /** Names the records of the link, together with their numbers. */
  readonly uid: string
  /** Number of records that have a number so far. */
  readonly number: number
  /** Due time of the last transfer, in milliseconds since 1970. */
  readonly lastScheduledAt: number | undefined
  readonly counts: LinkCounts
}

const ALL = 'SELECT $ FROM link ORDER BY id'
const EPOCH = 'SELECT epoch FROM link WHERE id = ?'
const ONE = 'SELECT $ FROM link WHERE id = ?'

/** Links of the store. */
export class LinkRows {
  readonly #rows: Rows

  constructor(database: Database) {
    this.#rows = new Rows(database, TABLES.link)
  }

  /** @throws {@link StoreCorruptError} */
  find(id: string): LinkRow | undefined {
    const row = this.#rows.get(ONE, id)
    return row === undefined ? undefined : linkOf(this.#rows.checked(row))
  }

  /** Who has the link open may write: nobody else has raised its epoch. Cheap, as each commit asks for it. */
  epochOf(id: string): number | undefined {
    const row = this.#rows.get(EPOCH, id)
    return row === undefined ? undefined : numberOf(row, 'epoch')
  }

  all(): LinkRow[] {
    return this.#rows.all(ALL).map((row) => linkOf(this.#rows.checked(row)))
  }

  put({ id, epoch, uid, number, lastScheduledAt, counts }: LinkRow): void {
    const { pulled, added, filtered, dropped, dead, delivered } = counts
    const values = [id, epoch, uid, number, lastScheduledAt ?? null, pulled, added, filtered, dropped, dead, delivered]
    this.#rows.put(values)
  }
}

function linkOf(row: Row): LinkRow {
  return {
    id: textOf(row, 'id'),
    epoch: numberOf(row, 'epoch'),
    uid: textOf(row, 'uid'),
    number: numberOf(row, 'number'),
    lastScheduledAt: optionalNumber(row, 'last_scheduled_at'),
    counts: {
      pulled: numberOf(row, 'pulled'),
      added: numberOf(row, 'added'),
      filtered: numberOf(row, 'filtered'),
      dropped: numberOf(row, 'dropped'),
      dead: numberOf(row, 'dead'),
      delivered: numberOf(row, 'delivered'),
    },
  }
}
