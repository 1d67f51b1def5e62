import { toError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Record } from '../record.js'
import { limited, toRecords, type PulledBy } from './pull.js'
import { END, PulledStream } from './pulled-stream.js'
import type { Tally } from './tally.js'
import { endsInGrace } from './waits.js'

/** Why what a stream yields is dropped once it was told to end. */
export const YIELDED_LATE = 'their inlet yielded them when it was told to end'

/** What an inlet gives in a transfer that has several rounds: list after list. */
class Source {
  readonly inlet: Inlet
  readonly #tally: Tally
  /** Place of the inlet among the stages of the link. */
  readonly #stage: number
  readonly #stream: PulledStream | undefined
  /** A list that was returned: it comes first. */
  #list: Record[] | undefined
  #failed = false
  /** Whether it has ended as it was told to, or when everybody was. */
  #isCutShort = false
  /** Whether nobody waits for its end any more. */
  #isLate = false

  constructor(inlet: Inlet, pulled: PulledBy, tally: Tally) {
    this.inlet = inlet
    this.#tally = tally
    this.#stage = tally.stageOfInlet(inlet)
    this.#stream = pulled instanceof PulledStream ? pulled : undefined
    this.#list = Array.isArray(pulled) ? pulled : undefined
  }

  /** Whether there may be further lists. */
  get isLive(): boolean {
    if (this.#stream === undefined) return this.#list !== undefined
    return !this.#failed && !this.#stream.isOver
  }

  /** Whether it has given all that there is: it came to its end by itself. */
  get isComplete(): boolean {
    return !this.isLive && !this.#isCutShort
  }

  /** Whether its next list may take time without holding the thread up. */
  get isAsync(): boolean {
    return this.#stream?.isAsync === true
  }

  /** Whether its stream was told to end, and something came of it that it has not given. */
  get isLeft(): boolean {
    return this.isLive && (this.#stream?.hasEnded ?? true)
  }

  /** Takes what was pulled and not given. Gives the number of values. */
  takeLeft(): number {
    const left = this.#list?.length ?? 0
    this.#list = undefined
    return left + (this.#stream?.takeLeft() ?? 0)
  }

  /** The next list; `undefined` when there is none, as the stream has ended or failed. */
  next(): MaybePromise<Record[] | undefined> {
    const list = this.#list
    this.#list = undefined
    const stream = this.#stream
    if (stream === undefined) return list
    const failed = (thrown: unknown): Record[] | undefined => {
      this.fail(thrown)
      return undefined
    }
    try {
      const stopped = this.#tally.cancelled
      if (stopped !== undefined) throw stopped
      const yielded = this.#tally.call(() => stream.next(), this.#stage)
      if (!(yielded instanceof Promise)) return this.#toRecords(yielded)
      return yielded.then((some) => this.#toRecords(some)).catch(failed)
    } catch (thrown) {
      return failed(thrown)
    }
  }

  /** Notes that its pull has failed: it gives no more. */
  fail(thrown: unknown): void {
    this.#failed = true
    this.#tally.fail(thrown, nodeName(this.inlet), 'pull')
    this.#tally.pullFailed(this.inlet)
  }

  /** Takes the number of values that came after the stream was told to end. */
  takeRefused(): number {
    return this.#stream?.takeRefused() ?? 0
  }

  /** Has the stream end, unless it has, and waits for that for a while. Never rejects. */
  async end(): Promise<void> {
    const stream = this.#stream
    if (stream === undefined || stream.hasEnded) return
    this.#isCutShort = true
    const ending = this.#end(stream).catch((thrown: unknown) => {
      const err = toError(thrown)
      if (err === this.#tally.cancelled) return
      this.#tally.log.warn('return failed', `${nodeName(this.inlet)} failed to end its pull: ${err.message}`, { err })
    })
    const { waits } = this.#tally
    if (await endsInGrace(ending, waits)) return
    this.#isLate = true
    const what = `${nodeName(this.inlet)} did not end its pull within ${waits.grace} ms: it is not waited for`
    this.#tally.log.warn('return late', what)
  }

  /** Has the stream end, and counts what it yields instead. */
  async #end(stream: PulledStream): Promise<void> {
    const tally = this.#tally
    let step = await tally.enter(() => stream.end())
    for (;;) {
      const refused = await stream.refuse(step)
      if (refused === undefined) return
      if (this.#isLate) {
        tally.logDrop(refused, YIELDED_LATE)
        return
      }
      await tally.waits.turn()
      step = await tally.enter(() => stream.goOnToEnd())
    }
  }

  #toRecords(yielded: readonly unknown[] | typeof END): Record[] | undefined {
    if (yielded !== END) return toRecords(this.inlet, yielded, 'yielded')
    // a generator that listens to the signal ends by itself
    this.#isCutShort ||= this.#tally.ending
    return undefined
  }
}

/** The inlets of a transfer that has several rounds. Each step takes the next list of each, in the link's order. */
export class Sources {
  readonly #sources: readonly Source[]
  readonly #concurrency: number

  constructor(inlets: readonly Inlet[], pulled: readonly PulledBy[], concurrency: number, tally: Tally) {
    this.#sources = inlets.map((inlet, at) => new Source(inlet, pulled[at], tally))
    this.#concurrency = concurrency
  }

  /** Whether there may be further lists. */
  get isLive(): boolean {
    return this.#sources.some(({ isLive }) => isLive)
  }

  /** Whether all have given all that there is. */
  get isComplete(): boolean {
    return this.#sources.every(({ isComplete }) => isComplete)
  }

  /** Whether there are lists of streams that were told to end. */
  get isLeft(): boolean {
    return this.#sources.some(({ isLeft }) => isLeft)
  }

  /** Takes what was pulled and not given. Gives the number of records. */
  takeLeft(): number {
    return this.#sources.reduce((sum, source) => sum + source.takeLeft(), 0)
  }

  /** Takes the number of values that came after streams were told to end. */
  takeRefused(): number {
    return this.#sources.reduce((sum, source) => sum + source.takeRefused(), 0)
  }

  /** Whether the next step may take time without holding the thread up. */
  get isAsync(): boolean {
    return this.#sources.some(({ isLive, isAsync }) => isLive && isAsync)
  }

  /** Records of the next list of each inlet that has one; `undefined` when none has. */
  step(): MaybePromise<Record[] | undefined> {
    const live = this.#sources.filter(({ isLive }) => isLive)
    const [only] = live
    if (only === undefined || live.length === 1) return only?.next()
    return Promise.all(limited(live, this.#concurrency, (source) => source.next())).then((lists) => {
      const given = lists.filter((list) => list !== undefined)
      return given.length === 0 ? undefined : given.flat()
    })
  }

  /** Notes that the transfer was told to stop, for the inlets that had more to give. */
  stop(reason: Error): void {
    for (const source of this.#sources) if (source.isLive) source.fail(reason)
  }

  /** Has all streams end, at once. Never rejects. */
  async end(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.end()))
  }
}
