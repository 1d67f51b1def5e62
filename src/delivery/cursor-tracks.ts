import { getLogger } from '../base/log.js'
import type { Inlet } from '../core/inlet.js'
import type { Link } from '../core/link.js'
import type { PullCursor, PullVerdict } from '../core/transfer/delivery.js'
import type { Update } from '../core/update.js'
import { cursorText, type StoredCursor } from '../store/cursors.js'
import { CursorTrack, type Mark } from './cursor-track.js'
import { CursorVersionError } from './errors.js'

/** Values of cursors that are not on the disk, and their tracks. */
export type ChangedCursors = readonly (readonly [CursorTrack, Mark])[]

/** How far each inlet of a link has come. */
export class CursorTracks {
  readonly #link: Link
  /** Cursors as they were when the link was opened, by the names of the inlets. */
  readonly #stored: ReadonlyMap<string, StoredCursor>
  readonly #tracks = new Map<Inlet, CursorTrack>()

  private constructor(link: Link, stored: ReadonlyMap<string, StoredCursor>) {
    this.#link = link
    this.#stored = stored
  }

  /** @throws {@link CursorVersionError} when a cursor is of another version, and its inlet does not migrate it */
  static async open(link: Link, stored: ReadonlyMap<string, StoredCursor>): Promise<CursorTracks> {
    const tracks = new CursorTracks(link, stored)
    const names = namesOf(link.inlets)
    for (const [inlet, name] of names) tracks.#tracks.set(inlet, await trackOf(inlet, name, stored.get(name)))
    const known = new Set(names.values())
    for (const name of stored.keys()) {
      if (known.has(name)) continue
      getLogger('databay.Delivery').warn(`${link.name} has no inlet ${name} any more: its cursor is not used`)
    }
    return tracks
  }

  /** Whether it is known of all pulls what came of them. */
  get areQuiet(): boolean {
    for (const { isQuiet } of this.#tracks.values()) if (!isQuiet) return false
    return true
  }

  /** Values that are not on the disk. */
  get changed(): ChangedCursors {
    const changed: [CursorTrack, Mark][] = []
    for (const track of this.#tracks.values()) {
      const mark = track.toKeep
      if (mark !== undefined) changed.push([track, mark])
    }
    return changed
  }

  /** Begins a pull, of an inlet that was added while the link was open too. */
  begin(inlet: Inlet, update: Update): PullCursor {
    let track = this.#tracks.get(inlet)
    if (track === undefined) this.#tracks.set(inlet, (track = this.#added(inlet)))
    return track.begin(update)
  }

  settle(verdicts: readonly PullVerdict[]): void {
    for (const verdict of verdicts) this.#tracks.get(verdict.inlet)?.settle(verdict)
  }

  cutShort(update: Update, lists: number): void {
    for (const track of this.#tracks.values()) track.cutShort(update, lists)
  }

  progress(update: Update, lists: number): void {
    for (const track of this.#tracks.values()) track.progress(update, lists)
  }

  /** Track of an inlet that was added. It has the name that it has at the next start, unless another inlet has it now. */
  #added(inlet: Inlet): CursorTrack {
    const { inlets } = this.#link
    const taken = new Set<string>()
    for (const [other, { name }] of this.#tracks) {
      if (inlets.includes(other)) taken.add(name)
      else this.#tracks.delete(other)
    }
    const name = namesOf(inlets).get(inlet) ?? inlet.constructor.name
    let free = name
    for (let number = 2; taken.has(free); number++) free = `${name} ${number}`
    const stored = this.#stored.get(free)
    const version = inlet.cursorVersion ?? 1
    if (stored !== undefined && stored.version !== version) {
      throw new CursorVersionError(`the kept cursor of ${free} has version ${stored.version}: restart its link`)
    }
    return new CursorTrack(free, version, stored && markOf(stored.value, free))
  }
}

/** Names of inlets: their option, or their classes, with a number where there are several of one. */
function namesOf(inlets: readonly Inlet[]): Map<Inlet, string> {
  const counts = new Map<string, number>()
  return new Map(
    inlets.map((inlet) => {
      const name = inlet.givenName ?? inlet.constructor.name
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      return [inlet, count === 1 ? name : `${name} ${count}`]
    }),
  )
}

async function trackOf(inlet: Inlet, name: string, stored: StoredCursor | undefined): Promise<CursorTrack> {
  const version = inlet.cursorVersion ?? 1
  if (stored === undefined) return new CursorTrack(name, version)
  const { value } = stored
  if (stored.version === version) return new CursorTrack(name, version, markOf(value, name))
  if (inlet.migrateCursor === undefined) {
    const advice = 'give it a migrateCursor(old, version)'
    throw new CursorVersionError(
      `the kept cursor of ${name} has version ${stored.version}, the inlet has ${version}: ${advice}`,
    )
  }
  const migrated: unknown = await inlet.migrateCursor(value, stored.version)
  return new CursorTrack(name, version, markOf(migrated, name))
}

function markOf(value: unknown, name: string): Mark {
  return { value, text: cursorText(value, name) }
}
