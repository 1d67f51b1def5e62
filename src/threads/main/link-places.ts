import { ThreadLostError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import type { Note } from '../protocol/messages.js'
import { LinkPlace, type OpenableLink } from './link-place.js'
import type { Thread } from './thread.js'

/** The places of a link: one, or one in each thread when it is stateless. Starts and stops the link in all of them. */
export class LinkPlaces {
  readonly #places: LinkPlace[]
  /** Places that the link leaves, until its transfers there have ended. */
  #leaving: Set<LinkPlace> | undefined
  #started = false

  constructor(places: LinkPlace[]) {
    this.#places = places
  }

  /** Whether the link is started: from then on it is opened again when a thread of it is lost. */
  get started(): boolean {
    return this.#started
  }

  /** The threads that host the link. */
  get threads(): Thread[] {
    return this.#places.map(({ thread }) => thread)
  }

  /** The first place: the only one of a link that is not stateless. */
  get first(): LinkPlace {
    return this.#places[0] as LinkPlace
  }

  /** The place in the thread that has the fewest transfers, of those where the link is open if there are any. */
  get leastLoaded(): LinkPlace {
    let least = this.first
    // mostly there is one
    for (let at = 1; at < this.#places.length; at++) {
      const place = this.#places[at] as LinkPlace
      const isBetter = place.isOpen === least.isOpen ? place.thread.load < least.thread.load : place.isOpen
      if (isBetter) least = place
    }
    return least
  }

  /** Whether the link is open in some place. One that moves counts as open. */
  get isOpen(): boolean {
    return this.#places.some(({ isOpen, isMoving }) => isOpen || isMoving)
  }

  /** Whether the link is open in all places. */
  get areOpen(): boolean {
    return this.#places.every(({ isOpen }) => isOpen)
  }

  /** Number of transfers under way in all places. */
  get running(): number {
    return this.#everywhere.reduce((sum, place) => sum + place.running, 0)
  }

  /** Whether the link is open under this id somewhere. */
  has(id: number): boolean {
    return this.#places.some((place) => place.id === id)
  }

  /** The places in a thread. */
  in(thread: Thread): LinkPlace[] {
    return this.#places.filter((place) => place.thread === thread)
  }

  /** Sends each thread a note, also the threads that the link leaves. */
  note(noteFor: (id: number) => Note): void {
    for (const { thread, id } of this.#everywhere) thread.note(noteFor(id))
  }

  /**
   * Opens the link in all places. When one fails, this rejects, and the others are closed again unless the link was
   * started before.
   */
  start(link: OpenableLink): Promise<void> {
    if (this.#places.length > 1) return this.#startAll(link)
    // mostly there is one, and there may be thousands of links
    return this.first.open(link).then(() => {
      this.#started = true
    })
  }

  /** Closes the link in all places, also when it fails in some; then this rejects. */
  async stop(): Promise<void> {
    this.#started = false
    const results = await Promise.allSettled(this.#everywhere.map((place) => place.close()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /**
   * Has the link, which is stateless, hosted by a further thread too. Until it is open there, transfers go to the
   * others.
   *
   * @param anyway - whether it is hosted there also when it cannot be opened: it is tried again when it is next due
   */
  async add(thread: Thread, id: number, link: OpenableLink, anyway: boolean): Promise<void> {
    const place = new LinkPlace(thread, id)
    try {
      if (this.#started) await place.open(link)
    } catch (thrown) {
      if (anyway || thrown instanceof ThreadLostError) this.#places.push(place)
      throw thrown
    }
    this.#places.push(place)
    // it may have been stopped meanwhile
    if (!this.#started) await place.close()
  }

  /** Has the link hosted by a thread no more, once its transfers there have ended. The last place stays. */
  async remove(thread: Thread): Promise<void> {
    const at = this.#places.findIndex((place) => place.thread === thread)
    const [place] = at < 0 || this.#places.length === 1 ? [] : this.#places.splice(at, 1)
    if (place === undefined) return
    this.#leaving ??= new Set()
    this.#leaving.add(place)
    try {
      await place.idle()
      await place.close()
    } finally {
      this.#leaving.delete(place)
    }
  }

  get #everywhere(): readonly LinkPlace[] {
    return this.#leaving === undefined ? this.#places : [...this.#places, ...this.#leaving]
  }

  async #startAll(link: OpenableLink): Promise<void> {
    const results = await Promise.allSettled(this.#places.map((place) => place.open(link)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      // one that was started before is open in the other places, and goes on there
      if (this.#started) throw failed.reason
      await this.stop().catch((error: unknown) => {
        getLogger('databay.WorkerPlanner').error({ err: toError(error) }, `${link.id} failed to shut down`)
      })
      throw failed.reason
    }
    this.#started = true
  }
}
