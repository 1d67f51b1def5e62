import { ThreadLostError } from '../../base/errors.js'
import type { Held } from '../../core/link-accounts.js'
import type { LinkPlace, OpenableLink } from './link-place.js'
import type { Thread } from './thread.js'

/** A link that can be moved. */
export interface Movable {
  /** Starts to move it from a thread; `undefined` when it is not in that thread, or moves already. */
  startMigration(thread: Thread): LinkMigration | undefined
}

/** What a migration needs of its link. */
export interface MigratingLink {
  /** Gives what the link is opened by; `undefined` while it is not to be open: it is stopped or in quarantine. */
  wanted(): OpenableLink | undefined
  /** Whether what its buffers hold has to be released before it moves, as some hand off no state. */
  readonly keepsRecords: boolean
  /** Has transfers that stream end with what they have pulled. */
  endStreams(place: LinkPlace): void
  /** Releases what the buffers hold through the outlets. */
  drain(place: LinkPlace): Promise<void>
  /** Takes note of records that are lost, of all that its buffers hold when no numbers are given. Gives their number. */
  lose(held?: Held): number
  /** Takes note that the link has left its thread: what it has in the store is all that it keeps. */
  left(): void
  /** Opens the link again where it is by now, if it is to be open. */
  reopen(place: LinkPlace): void
  /** Whether the link is tried again when it fails to start. */
  readonly isRetried: boolean
  /** Takes note that the link could not be opened where it is by now. */
  openFailed(error: unknown): void
}

/** The move of a link from one thread to another. Its transfers that come due meanwhile wait. */
export class LinkMigration {
  /** Resolves when none of its transfers is under way in the old thread any more. */
  readonly idle: Promise<void>
  readonly #place: LinkPlace
  readonly #link: MigratingLink
  readonly #letGo: () => void
  #isOpen: boolean
  /** Why the link could not be opened where it is by now. */
  #failure: { readonly error: unknown } | undefined

  constructor(place: LinkPlace, link: MigratingLink) {
    const { opening, isOpen } = place
    this.#place = place
    this.#link = link
    this.#isOpen = isOpen
    this.#letGo = place.hold(() => {
      this.#isOpen = false
    })
    this.idle = this.#whenIdle(opening)
  }

  /** Id under which the link is open. */
  get id(): number {
    return this.#place.id
  }

  /**
   * Whether the link is open in the old thread: otherwise there is nothing to hand off. To be asked when it is idle.
   */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether what its buffers hold has to be released before it moves: see {@link MigratingLink.keepsRecords}. */
  get keepsRecords(): boolean {
    return this.#link.keepsRecords
  }

  /** Opens the link in a thread, with the state that its instances handed off. */
  async arrive(thread: Thread, state: unknown): Promise<void> {
    const onLost = (lost: Held) => {
      this.#link.lose(lost)
    }
    this.#link.left()
    this.#place.moveTo(thread, state === undefined ? undefined : { state, onLost })
    this.#failure = undefined
    const wanted = this.#link.wanted()
    if (wanted === undefined) return
    try {
      await this.#place.openMoved(wanted)
    } catch (error) {
      // a thread that was lost opens the link again
      if (!(error instanceof ThreadLostError)) this.#failure = { error }
      throw error
    }
  }

  /** Whether the link may go where it cannot be opened, as it is tried again there. */
  get isRetried(): boolean {
    return this.#link.isRetried
  }

  /** Leaves the link open where it was, as nothing came of the move. */
  stay(): void {
    this.#place.isOpen = this.#isOpen
  }

  /** Releases what the buffers hold, through the outlets, in the old thread. */
  drain(): Promise<void> {
    return this.#link.drain(this.#place)
  }

  /** Takes note of records that are lost, of all that its buffers hold when no numbers are given. Gives their number. */
  lose(held?: Held): number {
    return this.#link.lose(held)
  }

  /** Ends the move: what waits goes on, wherever the link is by now. */
  end(): void {
    this.#letGo()
    if (this.#failure === undefined) this.#link.reopen(this.#place)
    else this.#link.openFailed(this.#failure.error)
  }

  async #whenIdle(opening: Promise<void> | undefined): Promise<void> {
    await opening?.catch(() => undefined)
    // it was on its way to be open there
    this.#isOpen ||= this.#place.isOpen
    this.#place.isOpen = false
    this.#link.endStreams(this.#place)
    await this.#place.idle()
  }
}
