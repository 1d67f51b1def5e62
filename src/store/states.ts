import type { Body } from './codec.js'
import { bodyChecksum, bodyOf, Rows, textOf } from './rows.js'
import { TABLES } from './schema.js'
import type { Database } from './sqlite.js'

/** What a part of a link keeps: what its `saveState` gives, or the records that a buffer holds. */
export type StateKind = 'state' | 'held'

/** States of the parts of links. */
export class States {
  readonly #rows: Rows

  constructor(database: Database) {
    this.#rows = new Rows(database, TABLES.state)
  }

  /** States of all parts of a link, by the part's name and place. @throws {@link StoreCorruptError} */
  of(link: string, kind: StateKind): Map<string, Body> {
    const rows = this.#rows.all('SELECT $, body FROM state WHERE link = ? AND kind = ?', link, kind)
    const states = new Map<string, Body>()
    for (const row of rows) {
      const body = bodyOf(this.#rows.checked(row))
      if (body !== undefined) states.set(textOf(row, 'part'), body)
    }
    return states
  }

  put(link: string, part: string, kind: StateKind, body: Body): void {
    this.#rows.put([link, part, kind, body.codec, bodyChecksum(body)], body.bytes)
  }

  delete(link: string, part: string, kind: StateKind): void {
    this.#rows.run('DELETE FROM state WHERE link = ? AND part = ? AND kind = ?', link, part, kind)
  }
}
