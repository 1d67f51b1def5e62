import type { PlainError } from '../base/plain-error.js'
import type { Body } from './codec.js'
import { bodyChecksum, bodyOf, numberOf, optionalNumber, optionalText, Rows, textOf } from './rows.js'
import { TABLES } from './schema.js'
import type { Database, Row, SqlValue } from './sqlite.js'

/** Number of batches that each outlet has taken, by its name and place; `done` when it has taken all. */
export interface Progress {
  readonly [outlet: string]: number | 'done'
}

/** What one round of a transfer gives its outlets. */
export interface Parcel {
  /** `round`, or `replay` for dead letters that are delivered again. */
  readonly kind: 'round' | 'replay'
  /** Stage at which it enters the link; left out for the push. */
  readonly stage?: string
  /** Number of its records. */
  readonly count: number
  /** Time when it was written, in milliseconds since 1970. */
  readonly at: number
  readonly progress: Progress
  readonly attempts: number
  /** Time before which it is not tried again, in milliseconds since 1970. */
  readonly nextAt?: number
  /** Error of the last try. */
  readonly error?: PlainError
  readonly body: Body
}

/** A parcel in the store. */
export interface StoredParcel extends Parcel {
  /** Parcels of a link are delivered in this order. */
  readonly seq: number
  readonly link: string
}

/** What changes as a parcel is tried. */
export type ParcelChange = Pick<Parcel, 'progress' | 'attempts'> & Partial<Pick<Parcel, 'nextAt' | 'error'>>

const NEXT = 'SELECT seq, $, body FROM parcel WHERE link = ? AND seq > ? ORDER BY seq LIMIT 1'
const HEADER = 'SELECT seq, $ FROM parcel WHERE seq = ?'

/** Parcels of the links of a store, which wait for outlets. They are changed inside of a transaction. */
export class Parcels {
  readonly #rows: Rows

  constructor(database: Database) {
    this.#rows = new Rows(database, TABLES.parcel)
  }

  /** Adds a parcel behind the others of its link. @returns its number */
  add(link: string, parcel: Parcel): number {
    return this.#rows.put(valuesOf(link, parcel, bodyChecksum(parcel.body)), parcel.body.bytes).lastInsertRowid
  }

  /**
   * The next parcel of a link.
   *
   * @param after - number of the one before it. Default: the first
   * @returns `damaged` when it is not what was written
   */
  next(link: string, after = 0): { readonly parcel: StoredParcel; readonly damaged: boolean } | undefined {
    const row = this.#rows.get(NEXT, link, after)
    return row === undefined ? undefined : { parcel: parcelOf(row), damaged: !this.#rows.isIntact(row) }
  }

  /** Number of parcels of a link, and of their bytes. */
  size(link: string): { readonly parcels: number; readonly bytes: number } {
    const sql = 'SELECT count(*) AS parcels, coalesce(sum(length(body)), 0) AS bytes FROM parcel WHERE link = ?'
    const row = this.#rows.get(sql, link) ?? {}
    return { parcels: numberOf(row, 'parcels'), bytes: numberOf(row, 'bytes') }
  }

  /** Notes what a try came to. */
  change(seq: number, { progress, attempts, nextAt, error }: ParcelChange): void {
    const row = this.#rows.get(HEADER, seq)
    if (row === undefined) return
    this.#rows.change(this.#rows.checked(row), {
      progress: JSON.stringify(progress),
      attempts,
      next_at: nextAt ?? null,
      error: error === undefined ? null : JSON.stringify(error),
    })
  }

  delete(seqs: readonly number[]): void {
    for (const seq of seqs) this.#rows.run('DELETE FROM parcel WHERE seq = ?', seq)
  }
}

function valuesOf(link: string, parcel: Parcel, crc: number | null): SqlValue[] {
  const { at, kind, stage = null, count, body, progress, attempts, nextAt = null, error } = parcel
  const shown = error === undefined ? null : JSON.stringify(error)
  return [link, at, kind, stage, count, body.codec, JSON.stringify(progress), attempts, nextAt, shown, crc]
}

function parcelOf(row: Row): StoredParcel {
  const [stage, error] = ['stage', 'error'].map((column) => optionalText(row, column))
  const nextAt = optionalNumber(row, 'next_at')
  return {
    seq: numberOf(row, 'seq'),
    link: textOf(row, 'link'),
    kind: textOf(row, 'kind') as Parcel['kind'],
    ...(stage === undefined ? {} : { stage }),
    count: numberOf(row, 'n'),
    at: numberOf(row, 'at'),
    progress: parsed(textOf(row, 'progress')) as Progress,
    attempts: numberOf(row, 'attempts'),
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(error === undefined ? {} : { error: parsed(error) as PlainError }),
    body: bodyOf(row) ?? { codec: 0, bytes: new Uint8Array() },
  }
}

/** JSON of a row that may be damaged. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
