import { randomBytes } from 'node:crypto'
import { InvalidOptionError } from '../base/errors.js'
import { encodeValue, decodeValue, type Body, type Revive } from './codec.js'
import { Cursors, cursorText, type StoredCursor } from './cursors.js'
import { DeadLetters, type DeadLetter, type DeadTry } from './dead-letters.js'
import { FencedError } from './errors.js'
import { LinkRows, type LinkCounts, type LinkRow } from './link-rows.js'
import { putStages, stagesOf, type LinkStage } from './link-stages.js'
import { Parcels, type Parcel, type ParcelChange } from './parcels.js'
import { States, type StateKind } from './states.js'
import type { Store } from './store.js'

/** What a link writes in one commit: all of it, or nothing. */
export interface LinkChanges {
  /** How far inlets have come. The value is JSON of at most 64 KiB. */
  readonly cursors?: readonly { readonly inlet: string; readonly version: number; readonly value: unknown }[]
  /** Inlets whose cursor is forgotten. */
  readonly forget?: readonly string[]
  /** What `saveState` of parts gives, by the part's name and place; `undefined` deletes it. */
  readonly states?: ReadonlyMap<string, unknown>
  /** Records that buffers hold, encoded; `undefined` deletes them. */
  readonly held?: ReadonlyMap<string, Body | undefined>
  /** What is added to the counts of the link. */
  readonly counts?: Partial<LinkCounts>
  /** Number of records that have a number from now on. */
  readonly number?: number
  readonly lastScheduledAt?: number
  /** Dead letters that are added, and ids of those that are deleted. */
  readonly dead?: readonly DeadLetter[]
  readonly deadDone?: readonly number[]
  /** Dead letters that were refused again. */
  readonly deadTried?: readonly DeadTry[]
  /** How many dead letters of the link are left, of all that are there then: the newest, and those given up at a time or later. */
  readonly deadLimit?: { readonly max?: number; readonly before?: number }
  /** Places at which records of the link may fail, all of them. */
  readonly stages?: readonly LinkStage[]
  /** Parcels that are added, changed, and deleted. */
  readonly parcels?: readonly Parcel[]
  readonly parcelsTried?: readonly (ParcelChange & { readonly seq: number })[]
  readonly parcelsDone?: readonly number[]
}

/** What a commit came to. */
export interface Committed {
  /** Numbers of the parcels, and ids of the dead letters, that were added. */
  readonly parcels: readonly number[]
  readonly dead: readonly number[]
  /** Number of dead letters that were deleted for {@link LinkChanges.deadLimit}. */
  readonly forgotten: number
}

/** How a link is opened in the store. */
export interface LinkOpening {
  /** Whether its records get names that none had before: where an inlet has no cursor, numbers would come twice. */
  readonly renew?: boolean
  /** Makes values of BSON in states again. */
  readonly revive?: Revive
}

const NO_COUNTS: LinkCounts = { pulled: 0, added: 0, filtered: 0, dropped: 0, dead: 0, delivered: 0 }

/**
 * A link's part of the store, in the thread that hosts the link. Whoever opens a link last may write: who had it before gets
 * a {@link FencedError}.
 */
export class LinkStore {
  readonly store: Store
  /** The link as it was at its opening. */
  readonly opened: LinkRow
  /** Cursors as they were at the opening, by inlet. */
  readonly cursors: ReadonlyMap<string, StoredCursor>
  /** States of parts as they were at the opening, by the part's name and place. */
  readonly states: ReadonlyMap<string, unknown>
  readonly parcels: Parcels
  readonly deadLetters: DeadLetters
  readonly #tables: Tables

  private constructor(store: Store, tables: Tables, read: Read, revive: Revive | undefined) {
    this.store = store
    this.#tables = tables
    this.opened = read.link
    this.cursors = new Map(read.cursors.map((cursor) => [cursor.inlet, cursor]))
    this.states = new Map([...read.states].map(([part, body]) => [part, decodeValue(body, revive)]))
    this.parcels = tables.parcels
    this.deadLetters = tables.deadLetters
  }

  /**
   * Opens a link, and makes it when it is new. Who had it open before can write no more.
   *
   * @throws {@link StoreCorruptError} when what the store has of it is damaged
   */
  static async open(store: Store, id: string, { renew = false, revive }: LinkOpening = {}): Promise<LinkStore> {
    // a driver ends texts at a NUL
    if (id === '' || id.includes('\0')) throw new InvalidOptionError('id', 'a text that is not empty, without NUL', id)
    const tables = tablesOf(store)
    const read = await store.write(() => {
      const before = tables.links.find(id)
      const uid = before === undefined || renew ? randomBytes(9).toString('base64url') : before.uid
      const link: LinkRow = {
        id,
        epoch: (before?.epoch ?? 0) + 1,
        uid,
        number: before === undefined || renew ? 0 : before.number,
        lastScheduledAt: before?.lastScheduledAt,
        counts: before?.counts ?? NO_COUNTS,
      }
      tables.links.put(link)
      return { link, cursors: tables.cursors.of(id), states: tables.states.of(id, 'state') }
    })
    return new LinkStore(store, tables, read, revive)
  }

  /** Records that buffers held at the last commit, encoded, by the part's name and place. */
  held(): Map<string, Body> {
    return this.store.read(() => this.#tables.states.of(this.opened.id, 'held'))
  }

  /** Places at which records of the link may fail, as they were kept last; `undefined` when they never were. */
  stages(): LinkStage[] | undefined {
    return this.store.read((database) => stagesOf(database, this.opened.id))
  }

  /**
   * Commits changes, together with those of other links.
   *
   * @param delayed - called when it cannot be made now, and is tried again
   * @returns what it came to, once it is on the disk; waits while nothing can be written
   * @throws {@link FencedError} when the link was opened again elsewhere
   * @throws {@link UnspoolableError} when a state has something that would not come back as it was
   * @throws {@link InvalidOptionError} when a cursor is no JSON, or too long
   */
  async commit(changes: LinkChanges, delayed?: (why: Error) => void): Promise<Committed> {
    const now = Date.now()
    // as they are now, not as they may be when the commit is made
    const cursors = (changes.cursors ?? []).map(({ inlet, version, value }) => {
      return { inlet, version, text: cursorText(value, inlet) }
    })
    const states = [...(changes.states ?? [])].map(([part, value]) => {
      return [part, value === undefined ? undefined : encodeValue(value, `the state of ${part}`)] as const
    })
    return this.store.write(() => {
      this.#checkEpoch()
      this.#count(changes)
      const { id } = this.opened
      const { parcels, deadLetters } = this.#tables
      for (const { inlet, version, text } of cursors) this.#tables.cursors.put(id, inlet, version, text, now)
      for (const inlet of changes.forget ?? []) this.#tables.cursors.delete(id, inlet)
      for (const [part, body] of states) this.#putState(part, 'state', body)
      for (const [part, body] of changes.held ?? []) this.#putState(part, 'held', body)
      parcels.delete(changes.parcelsDone ?? [])
      for (const { seq, ...change } of changes.parcelsTried ?? []) parcels.change(seq, change)
      deadLetters.delete(changes.deadDone ?? [])
      deadLetters.tried(changes.deadTried ?? [])
      if (changes.stages !== undefined) putStages(this.store.database, id, changes.stages)
      const dead = (changes.dead ?? []).map((letter) => deadLetters.add(id, letter))
      const forgotten = changes.deadLimit === undefined ? 0 : deadLetters.limit(id, changes.deadLimit)
      return { parcels: (changes.parcels ?? []).map((parcel) => parcels.add(id, parcel)), dead, forgotten }
    }, delayed)
  }

  #checkEpoch(): void {
    const { id, epoch } = this.opened
    if (this.#tables.links.epochOf(id) === epoch) return
    throw new FencedError(`link ${id} was opened again elsewhere: what this thread wanted to write comes too late`)
  }

  /** Adds to what the store knows of the link, if there is anything to add. */
  #count({ counts, number, lastScheduledAt }: LinkChanges): void {
    if (counts === undefined && number === undefined && lastScheduledAt === undefined) return
    const before = this.#tables.links.find(this.opened.id) ?? this.opened
    const sums = { ...before.counts }
    for (const name of Object.keys(NO_COUNTS) as (keyof LinkCounts)[]) sums[name] += counts?.[name] ?? 0
    const link: LinkRow = {
      ...before,
      number: number ?? before.number,
      lastScheduledAt: lastScheduledAt ?? before.lastScheduledAt,
      counts: sums,
    }
    this.#tables.links.put(link)
  }

  #putState(part: string, kind: StateKind, body: Body | undefined): void {
    const { id } = this.opened
    if (body === undefined) this.#tables.states.delete(id, part, kind)
    else this.#tables.states.put(id, part, kind, body)
  }
}

interface Read {
  readonly link: LinkRow
  readonly cursors: readonly StoredCursor[]
  readonly states: ReadonlyMap<string, Body>
}

/** The tables of a store, with their statements: links of a thread share them. */
interface Tables {
  readonly links: LinkRows
  readonly cursors: Cursors
  readonly states: States
  readonly parcels: Parcels
  readonly deadLetters: DeadLetters
}

const known = new WeakMap<Store, Tables>()

function tablesOf(store: Store): Tables {
  let tables = known.get(store)
  if (tables === undefined) {
    const { database } = store
    tables = {
      links: new LinkRows(database),
      cursors: new Cursors(database),
      states: new States(database),
      parcels: new Parcels(database),
      deadLetters: new DeadLetters(database),
    }
    known.set(store, tables)
  }
  return tables
}
