import { getLogger } from '../base/log.js'
import { plainError } from '../base/plain-error.js'
import type { Inlet } from '../core/inlet.js'
import type { Link } from '../core/link.js'
import type { Record } from '../core/record.js'
import type { Blocked, OutletReport } from '../core/report.js'
import { settleReleased } from '../core/transfer/acknowledge.js'
import type { EndedTransfer, Fate, PullCursor, PullVerdict, Refusal } from '../core/transfer/delivery.js'
import type { DurableDelivery } from '../core/transfer/durable.js'
import type { TransferParts } from '../core/transfer/parts.js'
import { makeRound } from '../core/transfer/round.js'
import type { Tally } from '../core/transfer/tally.js'
import type { Update } from '../core/update.js'
import type { LinkStage } from '../store/link-stages.js'
import { LinkStore, type Committed, type LinkChanges } from '../store/link-store.js'
import type { Store } from '../store/store.js'
import { Backoff } from './backoff.js'
import { CursorTracks } from './cursor-tracks.js'
import { DeadLetterBox } from './dead-letter-box.js'
import { LetterOrigins } from './letter-origins.js'
import { LinkCommits } from './link-commits.js'
import { OutletQueues } from './outlet-queues.js'
import type { PartStates } from './part-states.js'
import { Replays, type ReplayedLetters } from './replays.js'
import { readPlace, stagesOfLink } from './stages-of-link.js'

/**
 * Keeps in the store how far the inlets of a link have come, with the states of its parts. What is kept is never beyond what
 * all outlets took: after a crash, the link goes on there.
 */
export class LinkDelivery implements DurableDelivery {
  readonly #link: Link
  readonly #store: LinkStore
  readonly #states: PartStates
  readonly #tracks: CursorTracks
  readonly #commits: LinkCommits
  readonly #outlets: OutletQueues
  readonly #letters: DeadLetterBox
  readonly #replays: Replays
  readonly #backoff: Backoff
  /** Why the link is blocked; `undefined` when it is not. */
  #blocked: Blocked | undefined
  /** Whether something was left to be pushed or kept when the last transfer ended: a retry is for that alone. */
  #hadInHand = false
  /** Whether the last transfer did nothing, as the link is blocked. */
  #isSkipped = false
  /** Stages that are kept. */
  #stages: readonly LinkStage[] = []
  /** Whether cursors were kept since states were. */
  #isDirty = false

  private constructor(link: Link, store: LinkStore, states: PartStates, tracks: CursorTracks) {
    this.#link = link
    this.#store = store
    this.#states = states
    this.#tracks = tracks
    this.#commits = new LinkCommits(store)
    const { deadLetters, retry } = link.settings
    const origins = new LetterOrigins()
    this.#outlets = new OutletQueues(link.name, deadLetters)
    this.#letters = new DeadLetterBox(link.name, store, deadLetters, origins)
    this.#replays = new Replays(link.name, store, link.unsettled, origins)
    this.#backoff = new Backoff(retry)
  }

  /**
   * Opens a link in the store: whoever had it open can write no more. Its parts are given what they have kept.
   *
   * @throws {@link CursorVersionError} when a cursor is of another version, and its inlet does not migrate it
   */
  static async open(link: Link, store: Store, states: PartStates): Promise<LinkDelivery> {
    const opened = await LinkStore.open(store, link.id ?? '')
    const tracks = await CursorTracks.open(link, opened.cursors)
    await states.restore(opened.states)
    const delivery = new LinkDelivery(link, opened, states, tracks)
    await delivery.#keepStages()
    return delivery
  }

  get isWaiting(): boolean {
    return this.#outlets.size > 0
  }

  get #hasInHand(): boolean {
    return this.isWaiting || this.#commits.isPending
  }

  /** Forgets what waits for outlets, as the link is closed. */
  close(): void {
    const waiting = this.#outlets.clear()
    if (waiting > 0) {
      getLogger('databay.Delivery').debug(`${this.#link.name}: ${waiting} records that waited are pulled again`)
    }
  }

  async resume(parts: TransferParts, tally: Tally): Promise<boolean> {
    const { isWaiting } = this
    const hadInHand = this.#hadInHand
    // what its buffers hold comes behind, and a drain waits for nothing
    this.#isSkipped = tally.drain && this.#hasInHand
    if (this.#isSkipped) return false
    try {
      await this.#commits.retry()
    } catch (thrown) {
      tally.fail(thrown, 'delivery', 'transfer')
      return false
    }
    if (isWaiting) {
      tally.addOutlets(await this.#outlets.resume(parts, tally))
      if (this.isWaiting) return false
    }
    if (tally.drain) return true
    await this.#replay(parts, tally)
    if (this.#hasInHand || tally.isOver) return false
    return !tally.isRetry || !hadInHand || (isWaiting && this.#outlets.hadVoid)
  }

  async push(parts: TransferParts, batches: Record[][], tally: Tally, isRound: boolean): Promise<OutletReport[]> {
    return this.#outlets.push(parts, batches, tally, isRound)
  }

  bury(refusal: Refusal, update: Update): Fate | undefined {
    return this.#letters.add(refusal, update)
  }

  async finish(): Promise<void> {
    await this.#keep()
  }

  blockedAfter(tally: EndedTransfer): Blocked | undefined {
    if (this.#commits.fenced !== undefined) return undefined
    if (this.#isSkipped) return this.#blocked
    const trouble = this.#outlets.trouble ?? tally.failure
    this.#hadInHand = this.#hasInHand
    if (trouble === undefined) {
      this.#backoff.succeeded()
      this.#blocked = undefined
      return undefined
    }
    const hasProgressed = tally.outlets.some(({ waiting = 0, pushed, dead = 0 }) => waiting > 0 && pushed + dead > 0)
    const { stage, node, error } = trouble
    const { message, code } = plainError(error)
    const tries = this.#backoff.failed(hasProgressed, askedDelay(error))
    this.#blocked = { node, stage, message, ...(typeof code === 'string' && { code }), ...tries }
    return this.#blocked
  }

  /** Has the dead letters that a command has marked go through the link again, from where they failed, some at a time. */
  async #replay(parts: TransferParts, tally: Tally): Promise<void> {
    for (let last = 0; !this.#hasInHand && !tally.isOver;) {
      const next = this.#replays.next(last, this.#stages)
      if (next === undefined) return
      last = next.last
      for (const letters of next.groups) await this.#replayGroup(letters, parts, tally)
      await settleReleased(tally)
      try {
        // a process that is killed delivers no more than the next ones again
        await this.#keep()
      } catch (thrown) {
        tally.fail(thrown, 'delivery', 'transfer')
        return
      }
    }
  }

  async #replayGroup(letters: ReplayedLetters, parts: TransferParts, tally: Tally): Promise<void> {
    const records = [...letters.records]
    const { outlet, processor } = readPlace(letters.place)
    // they are not settled before the transfer is
    tally.noteReleased([letters])
    if (outlet !== undefined) {
      const queue = this.#outlets.of(parts, outlet)
      const firstProcessor = processor ?? parts.outlets[outlet]?.processors.length ?? 0
      const report = await queue.offer(
        { batches: [records], transfers: [letters], update: tally.update, firstProcessor, isReplay: true },
        false,
        tally,
      )
      const replayed = { ...report, replayed: records.length }
      tally.addOutlets(parts.outlets.map((_, at) => (at === outlet ? replayed : this.#outlets.of(parts, at).idle())))
      return
    }
    const before = tally.inHand
    tally.inHand = [letters]
    tally.replayed += records.length
    const processors = processor === undefined ? [] : parts.processors.slice(processor)
    const rest = { ...parts, processors, firstProcessor: processor ?? 0 }
    const outlets = await makeRound(rest, records, tally, true, (...args) => this.push(...args))
    if (outlets !== undefined) tally.addOutlets(outlets)
    tally.inHand = before
  }

  async #keepStages(): Promise<void> {
    this.#stages = stagesOfLink(this.#link)
    const kept = this.#store.stages()
    if (JSON.stringify(kept) !== JSON.stringify(this.#stages)) await this.#store.commit({ stages: this.#stages })
  }

  begin(inlet: Inlet, update: Update): PullCursor {
    if (this.#commits.fenced !== undefined) throw this.#commits.fenced
    return this.#tracks.begin(inlet, update)
  }

  async settle(verdicts: readonly PullVerdict[]): Promise<void> {
    this.#tracks.settle(verdicts)
    // inlets may let go of what is on the disk, and of nothing else
    await this.#commits.retry()
    await this.#keep()
  }

  cutShort(update: Update, lists: number): void {
    this.#tracks.cutShort(update, lists)
  }

  async progress(update: Update, lists: number): Promise<void> {
    this.#tracks.progress(update, lists)
    await this.#keep()
  }

  async #keep(): Promise<void> {
    // what it does not have comes with the next one
    if (this.#commits.isPending) return
    const { changed } = this.#tracks
    this.#isDirty ||= changed.length > 0
    // while buffers hold records, states are ahead of the cursor
    const states = this.#isDirty && this.#tracks.areQuiet ? await this.#states.changed() : undefined
    // as long as records come again should the process be killed, they are refused again
    const dead = this.isWaiting && changed.length === 0 ? {} : this.#letters.take()
    const replays = this.#replays.isEnding ? this.#replays.ended() : undefined
    const isSame = changed.length === 0 && (states === undefined || states.size === 0)
    if (isSame && dead.deadLimit === undefined && replays === undefined) return
    const changes: LinkChanges = {
      cursors: changed.map(([{ name, version }, { text }]) => {
        return { inlet: name, version, value: JSON.parse(text) as unknown }
      }),
      ...(states && { states }),
      ...dead,
      deadTried: [...(dead.deadTried ?? []), ...(replays?.deadTried ?? [])],
      ...(replays && { deadDone: replays.deadDone }),
    }
    const written = ({ forgotten }: Committed) => {
      this.#letters.written(dead, forgotten)
      for (const [track, mark] of changed) track.kept = mark
      if (states !== undefined) this.#isDirty = false
    }
    const failed = () => {
      this.#states.forget(states?.keys() ?? [])
    }
    await this.#commits.write(changes, written, failed)
  }
}

/** Time that a server asks to be left alone for, such as by `Retry-After`, in milliseconds; 0 when it asks for none. */
function askedDelay(error: Error): number {
  const asked = 'retryAfter' in error ? error.retryAfter : undefined
  return typeof asked === 'number' && asked > 0 ? asked : 0
}
