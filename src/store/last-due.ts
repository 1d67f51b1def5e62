import { randomBytes } from 'node:crypto'
import { LinkRows, type LinkRow } from './link-rows.js'
import type { Store } from './store.js'

/** Due times of the last transfers of links, kept with what else the store has of them. */
export class LastDueTimes {
  readonly #store: Store
  readonly #rows: LinkRows
  /** Times that are to be written. */
  #next = new Map<string, number>()
  #isWriting = false

  constructor(store: Store) {
    this.#store = store
    this.#rows = new LinkRows(store.database)
  }

  /**
   * Time of a link that is kept, in milliseconds since 1970; `undefined` for a link that is new.
   *
   * @throws {@link StoreCorruptError} when what the store has of the link is damaged
   */
  get(id: string): number | undefined {
    return this.#next.get(id) ?? this.#store.read(() => this.#rows.find(id)?.lastScheduledAt)
  }

  /** Keeps a time. Nobody waits for that: of several times of a link, the last one is written. */
  set(id: string, time: number): void {
    this.#next.set(id, time)
    if (!this.#isWriting) void this.#write()
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    try {
      while (this.#next.size > 0) {
        const written = await this.#store.write(() => {
          const times = new Map(this.#next) // what has come until the commit is in it
          for (const [id, time] of times) {
            this.#rows.put({ ...(this.#rows.find(id) ?? newLink(id)), lastScheduledAt: time })
          }
          return times
        })
        for (const [id, time] of written) if (this.#next.get(id) === time) this.#next.delete(id)
      }
    } catch {
      // the store is closed, or damaged: a run may be made twice then, and is not lost
    } finally {
      this.#isWriting = false
    }
  }
}

/** A link as it is before it is opened for the first time. */
function newLink(id: string): LinkRow {
  const counts = { pulled: 0, added: 0, filtered: 0, dropped: 0, dead: 0, delivered: 0 }
  const uid = randomBytes(9).toString('base64url')
  return { id, epoch: 0, uid, number: 0, lastScheduledAt: undefined, counts }
}
