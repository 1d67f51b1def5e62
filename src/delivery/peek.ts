import { existsSync } from 'node:fs'
import type { Inlet } from '../core/inlet.js'
import type { Link } from '../core/link.js'
import type { OutletReport } from '../core/report.js'
import type { Record } from '../core/record.js'
import type { PullCursor } from '../core/transfer/delivery.js'
import type { DurableDelivery } from '../core/transfer/durable.js'
import type { TransferParts } from '../core/transfer/parts.js'
import { pushAll } from '../core/transfer/push.js'
import type { Tally } from '../core/transfer/tally.js'
import type { Update } from '../core/update.js'
import { Cursors, type StoredCursor } from '../store/cursors.js'
import { loadDriver } from '../store/driver.js'
import { openToRead } from '../store/open-database.js'
import { checkSchema } from '../store/schema.js'
import { storeFiles } from '../store/store-files.js'
import { CursorTracks } from './cursor-tracks.js'

/**
 * Stands in for what keeps how far a link has come: its inlets begin where the store says, and nothing is kept of what they
 * read on. The store is read, and not changed.
 */
export class Peek implements DurableDelivery {
  readonly isWaiting = false
  /** Cursors of the store, at which the inlets begin. */
  readonly stored: readonly StoredCursor[]
  /** Inlets of the link, by others that stand in for them. */
  originals: ReadonlyMap<Inlet, Inlet> = new Map()
  readonly #tracks: CursorTracks

  private constructor(stored: readonly StoredCursor[], tracks: CursorTracks) {
    this.stored = stored
    this.#tracks = tracks
  }

  /** @param folder - of the store; `undefined`, or one without a store, for inlets that begin at the beginning */
  static async open(link: Link, folder: string | undefined): Promise<Peek> {
    const stored = folder === undefined ? [] : await cursorsOf(link.name, folder)
    return new Peek(stored, await CursorTracks.open(link, new Map(stored.map((one) => [one.inlet, one]))))
  }

  begin(inlet: Inlet, update: Update): PullCursor {
    return this.#tracks.begin(this.originals.get(inlet) ?? inlet, update)
  }

  resume(): Promise<boolean> {
    return Promise.resolve(true)
  }

  async push(parts: TransferParts, batches: Record[][], tally: Tally, isRound: boolean): Promise<OutletReport[]> {
    return pushAll(parts, batches, tally, isRound)
  }

  bury(): undefined {
    return undefined
  }

  blockedAfter(): undefined {
    return undefined
  }

  settle(): Promise<void> {
    return Promise.resolve()
  }

  progress(): Promise<void> {
    return Promise.resolve()
  }

  finish(): Promise<void> {
    return Promise.resolve()
  }

  cutShort(): void {
    // nothing is kept
  }

  close(): void {
    // nothing is open
  }
}

async function cursorsOf(link: string, folder: string): Promise<StoredCursor[]> {
  const { store } = storeFiles(folder)
  if (!existsSync(store)) return []
  const database = openToRead(await loadDriver(), store)
  try {
    checkSchema(database)
    return new Cursors(database).of(link)
  } finally {
    database.close()
  }
}
