import type { Held } from '../../core/link-accounts.js'
import { blame } from '../../core/report.js'
import type { LinkDescription } from '../protocol/link-description.js'
import type { Run, RunPlace } from './run.js'
import type { Thread } from './thread.js'

/** Time for which a link that closes waits for its opening, in milliseconds. */
const MOMENT = 500

/** What a place needs to know of a link to open it. */
export type OpenableLink = Pick<LinkDescription, 'module' | 'exportName' | 'index' | 'id'>

/** What a link's instances have handed off. */
export interface HandedOff {
  readonly state: unknown
  /** Called with the numbers of the records in it that are lost, as no buffer has taken them over. */
  readonly onLost: (lost: Held) => void
}

/** The place of a link in a thread: opens it there, closes it, and moves it to another. */
export class LinkPlace implements RunPlace {
  /** Id under which the link is open in the thread. */
  readonly id: number
  /** Whether the link is open here. While it moves to another thread, it is not. */
  isOpen = false
  #thread: Thread
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Whether the link is to be closed: not if it was opened again since. */
  #isUnwanted = false
  /** Called when the thread is lost while the link moves from it; `undefined` while the link does not move. */
  #onLost: (() => void) | undefined
  #state: HandedOff | undefined
  /** Whether the link, which is moving, is open in its new thread: it makes no transfers before its move has ended. */
  #hasArrived = false
  #handOffs = 0
  #lostOpenings = 0

  constructor(thread: Thread, id: number) {
    this.#thread = thread
    this.id = id
  }

  get thread(): Thread {
    return this.#thread
  }

  /** Number of transfers under way here. */
  get running(): number {
    return this.#thread.loadOf(this.id)
  }

  /** Whether the link is moving to another thread. */
  get isMoving(): boolean {
    return this.#onLost !== undefined
  }

  /** Settles when the link is open, or has moved; `undefined` while neither is under way. */
  get opening(): Promise<void> | undefined {
    return this.#opening
  }

  /** Whether there is a state that the link's instances handed off and no others have taken yet. */
  get hasState(): boolean {
    return this.#state !== undefined
  }

  /** Number of hand-offs so far. */
  get handOffs(): number {
    return this.#handOffs
  }

  /** Number of times in a row that the thread was lost while the link was opened. */
  get lostOpenings(): number {
    return this.#lostOpenings
  }

  /** Opens the link. Does nothing when it is open, and waits when that is under way. */
  open(link: OpenableLink): Promise<void> {
    this.#isUnwanted = false
    if (this.isOpen) return Promise.resolve()
    if (this.#opening === undefined) {
      const end = () => {
        // its thread may have been lost meanwhile, and another opening be under way
        if (this.#opening === opening) this.#opening = undefined
      }
      const opening: Promise<void> = this.#open(link, end, false)
      this.#opening = opening
    }
    return this.#opening
  }

  /**
   * Closes the link when it is open: once, however often it is asked for. A link that is being opened is closed when it is
   * open, unless {@link LinkPlace.open} is called by then.
   */
  close(): Promise<void> {
    this.#isUnwanted = true
    this.#closing ??= this.#close().finally(() => {
      this.#closing = undefined
    })
    return this.#closing
  }

  /** Makes a transfer of the link, which is open. */
  run(run: Run): void {
    this.#thread.run(run)
  }

  /** Resolves when no transfer is under way here. */
  idle(): Promise<void> {
    return this.#thread.idleOf(this.id)
  }

  /**
   * Takes note that the thread was lost: the link is not open any more.
   *
   * @returns whether it may be opened again at once: it is not moving
   */
  lost(): boolean {
    this.isOpen = false
    this.#hasArrived = false
    if (this.#onLost !== undefined) {
      this.#onLost()
      return false
    }
    if (this.#opening !== undefined) this.#lostOpenings++
    this.#opening = undefined
    return true
  }

  /**
   * Begins to move the link: it is not open until the move has ended, and opening it waits for that.
   *
   * @param onLost - called when its thread is lost meanwhile
   * @returns ends the move
   */
  hold(onLost: () => void): () => void {
    let letGo: () => void = nothing
    this.#onLost = onLost
    this.isOpen = false
    this.#opening = new Promise((resolve) => {
      letGo = resolve
    })
    return () => {
      this.isOpen ||= this.#hasArrived
      this.#hasArrived = false
      this.#onLost = undefined
      this.#opening = undefined
      letGo()
    }
  }

  /**
   * Puts the link in another thread.
   *
   * @param handedOff - what its instances handed off, if they did: it is kept until the link is open
   */
  moveTo(thread: Thread, handedOff: HandedOff | undefined): void {
    this.#thread = thread
    this.#hasArrived = false
    if (handedOff === undefined) return
    this.#state = handedOff
    this.#handOffs++
  }

  /** Opens the link, which is moving: does not wait until it has moved. */
  openMoved(link: OpenableLink): Promise<void> {
    return this.#open(link, nothing, true)
  }

  /**
   * @param end - called when the link is open, or failed
   * @param moved - whether it is opened by its move
   */
  #open({ module, exportName, index, id: name }: OpenableLink, end: () => void, moved: boolean): Promise<void> {
    const request = { module, exportName, index, id: this.id }
    const handedOff = this.#state
    // a move that fails may be undone; otherwise a link that cannot go on would be dark for good
    const withState = handedOff === undefined ? request : { ...request, state: handedOff.state, anyway: !moved }
    return this.#thread.open(withState).then(
      (lost) => {
        end()
        // its thread was lost as soon as that had answered: it is opened again
        if (this.#thread.worker === undefined) return
        if (moved) this.#hasArrived = true
        else this.isOpen = true
        this.#state = undefined
        this.#lostOpenings = 0
        if (lost !== undefined) handedOff?.onLost(lost)
      },
      (thrown: unknown) => {
        end()
        throw blame(thrown, name, 'start')
      },
    )
  }

  async #close(): Promise<void> {
    const opening = this.#opening?.catch(() => undefined)
    // an opening that takes long is not waited for; a move is, as the link goes on there
    if (opening !== undefined && !(await (this.isMoving ? opening.then(() => true) : soon(opening)))) {
      void opening.then(() => this.#closeOpen()).catch(() => undefined)
      return
    }
    await this.#closeOpen()
  }

  async #closeOpen(): Promise<void> {
    if (!this.isOpen || !this.#isUnwanted) return
    this.isOpen = false
    await this.#thread.close(this.id)
  }
}

/** Waits for a promise for a moment. Tells whether it was settled by then. */
async function soon(work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, MOMENT, false)
  })
  const first = await Promise.race([work.then(() => true), late])
  clearTimeout(timer)
  return first
}

function nothing(): void {
  // nobody waits
}
