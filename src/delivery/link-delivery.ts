import { ImplementationError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { Inlet } from '../core/inlet.js'
import type { Link } from '../core/link.js'
import { nodeName } from '../core/node.js'
import type { Delivery, PullCursor, PullVerdict } from '../core/transfer/delivery.js'
import type { Update } from '../core/update.js'
import { cursorText, type StoredCursor } from '../store/cursors.js'
import { FencedError } from '../store/errors.js'
import { LinkStore } from '../store/link-store.js'
import type { Store } from '../store/store.js'
import { CursorTrack, type Mark } from './cursor-track.js'
import { CursorVersionError } from './errors.js'
import type { PartStates } from './part-states.js'

/**
 * Keeps in the store how far the inlets of a link have come, with the states of its parts. What is kept is never beyond what
 * all outlets took: after a crash, the link goes on there.
 */
export class LinkDelivery implements Delivery {
  readonly #link: Link
  readonly #store: LinkStore
  readonly #states: PartStates
  readonly #tracks: ReadonlyMap<Inlet, CursorTrack>
  /** Whether cursors were kept since states were. */
  #isDirty = false
  #fenced: FencedError | undefined

  private constructor(link: Link, store: LinkStore, states: PartStates, tracks: ReadonlyMap<Inlet, CursorTrack>) {
    this.#link = link
    this.#store = store
    this.#states = states
    this.#tracks = tracks
  }

  /**
   * Opens a link in the store: whoever had it open can write no more. Its parts are given what they have kept.
   *
   * @throws {@link CursorVersionError} when a cursor is of another version, and its inlet does not migrate it
   */
  static async open(link: Link, store: Store, states: PartStates): Promise<LinkDelivery> {
    const opened = await LinkStore.open(store, link.id ?? '')
    const names = namesOf(link.inlets)
    const tracks = new Map<Inlet, CursorTrack>()
    for (const [inlet, name] of names) tracks.set(inlet, await trackOf(inlet, name, opened.cursors.get(name)))
    const known = new Set(names.values())
    for (const name of opened.cursors.keys()) {
      if (known.has(name)) continue
      getLogger('databay.Delivery').warn(`${link.name} has no inlet ${name} any more: its cursor is not used`)
    }
    await states.restore(opened.states)
    return new LinkDelivery(link, opened, states, tracks)
  }

  begin(inlet: Inlet, update: Update): PullCursor {
    if (this.#fenced !== undefined) throw this.#fenced
    const track = this.#tracks.get(inlet)
    if (track !== undefined) return track.begin(update)
    const name = `${nodeName(inlet)} of ${this.#link.name}`
    throw new ImplementationError(
      `${name} was added while the link was open: its cursor is kept from the next start on`,
    )
  }

  async settle(verdicts: readonly PullVerdict[]): Promise<void> {
    for (const verdict of verdicts) this.#tracks.get(verdict.inlet)?.settle(verdict)
    await this.#keep()
  }

  async progress(update: Update, lists: number): Promise<void> {
    for (const track of this.#tracks.values()) track.progress(update, lists)
    await this.#keep()
  }

  async #keep(): Promise<void> {
    const changed: (readonly [CursorTrack, Mark])[] = []
    let isQuiet = true
    for (const track of this.#tracks.values()) {
      const mark = track.toKeep
      if (mark !== undefined) changed.push([track, mark])
      isQuiet &&= track.isQuiet
    }
    this.#isDirty ||= changed.length > 0
    // while buffers hold records, states are ahead of the cursor
    const states = this.#isDirty && isQuiet ? await this.#states.changed() : undefined
    if (changed.length === 0 && (states === undefined || states.size === 0)) return
    const cursors = changed.map(([{ name, version }, { text }]) => {
      return { inlet: name, version, value: JSON.parse(text) as unknown }
    })
    try {
      await this.#store.commit({ cursors, ...(states === undefined ? {} : { states }) })
    } catch (thrown) {
      this.#states.forget(states?.keys() ?? [])
      if (thrown instanceof FencedError) this.#fenced = thrown
      throw thrown
    }
    for (const [track, mark] of changed) track.kept = mark
    if (states !== undefined) this.#isDirty = false
  }
}

/** Names of inlets: their classes, with a number where there are several of one. */
function namesOf(inlets: readonly Inlet[]): Map<Inlet, string> {
  const counts = new Map<string, number>()
  return new Map(
    inlets.map((inlet) => {
      const { name } = inlet.constructor
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
  if (stored.version === version) return new CursorTrack(name, version, { value, text: cursorText(value, name) })
  if (inlet.migrateCursor === undefined) {
    const advice = 'give it a migrateCursor(old, version)'
    throw new CursorVersionError(
      `the kept cursor of ${name} has version ${stored.version}, the inlet has ${version}: ${advice}`,
    )
  }
  const migrated: unknown = await inlet.migrateCursor(value, stored.version)
  return new CursorTrack(name, version, { value: migrated, text: cursorText(migrated, name) })
}
