import type { MaybePromise } from '../../base/maybe-promise.js'
import type { RoundSize } from '../link-options.js'
import type { Record } from '../record.js'
import { STRETCH } from './pulled-stream.js'
import type { Sources } from './sources.js'
import type { Waits } from './waits.js'

/** Records of a round. */
export interface Round {
  readonly records: Record[]
  /** Number of lists of each inlet, as long as it gave some, that are in this round and those before it, or in part. */
  readonly lists: number
  /** Number of these lists that are in them as a whole. */
  readonly whole: number
}

/** Makes rounds of the lists that inlets give: one of each, one of all, or rounds of so many records. */
export class RoundQueue {
  readonly #sources: Sources
  readonly #size: RoundSize
  /** Whether rounds may still begin, as nothing has failed. */
  readonly #mayGoOn: () => boolean
  readonly #waits: Waits
  /** Since when lists are collected without a turn of the event loop, which many of them may be. */
  #since = 0
  /** Records that were pulled, from a place on those that are in no round. */
  #records: Record[] = []
  #from = 0
  /** Place where the first list begins that is in no round, or in part. */
  #start = 0
  /** Places where lists end among the records. */
  #ends: number[] = []
  /** Number of lists that are in rounds as a whole. */
  #whole = 0
  /** Lists that are pulled while a round is made. */
  #ahead: MaybePromise<Record[] | undefined>
  #isAhead = false
  #ended = false
  #stopped = false
  /** Called with the number of records that come when nobody waits for them any more. */
  #late: ((records: number) => void) | undefined

  constructor(sources: Sources, size: RoundSize, mayGoOn: () => boolean, waits: Waits) {
    this.#waits = waits
    this.#sources = sources
    this.#size = size
    this.#mayGoOn = mayGoOn
  }

  /** Gives the next round; `undefined` when there is none, or none may begin. */
  next(): MaybePromise<Round | undefined> {
    this.#since = this.#waits.now()
    return this.#collect()
  }

  #collect(): MaybePromise<Round | undefined> {
    while (!this.#isFull && !this.#ended) {
      if (this.#stopped && !this.#isAhead && !this.#sources.isLeft) break
      if (this.#waits.now() - this.#since > STRETCH) return this.#waits.turn().then(() => this.next())
      const step = this.#isAhead ? this.#ahead : this.#sources.step()
      this.#isAhead = false
      if (step instanceof Promise) {
        return step.then((records) => {
          this.#add(records)
          return this.#collect()
        })
      }
      this.#add(step)
    }
    return this.#mayGoOn() ? this.#cut() : undefined
  }

  /** Begins to pull the lists of the next round, if that takes time without holding the thread up. */
  pullAhead(): void {
    if (this.#isAhead || this.#isFull || this.#ended || this.#stopped || !this.#sources.isAsync) return
    this.#ahead = this.#sources.step()
    this.#isAhead = true
  }

  /** Pulls no more: what is there makes the last rounds. */
  stop(): void {
    this.#stopped = true
  }

  /**
   * Gives the number of records that were pulled and are in no round: nobody waits for them any more.
   *
   * @param turn - waits for a moment, for what has come already
   * @param late - called with the number of records that come later
   */
  async left(turn: () => Promise<void>, late: (records: number) => void): Promise<number> {
    if (this.#isAhead) {
      const adding = Promise.resolve(this.#ahead).then((records) => {
        this.#add(records)
      })
      await Promise.race([adding, turn()])
    }
    this.#late = late
    return this.#records.length - this.#from + this.#sources.takeLeft()
  }

  get #isFull(): boolean {
    if (this.#size === 'pulled') return this.#ends.length > 0
    return this.#size !== 'whole' && this.#records.length - this.#from >= this.#size
  }

  #add(records: Record[] | undefined): void {
    if (records === undefined) {
      this.#ended = true
      return
    }
    this.#late?.(records.length)
    if (this.#from > 0) {
      this.#records = this.#records.slice(this.#from)
      this.#ends = this.#ends.map((end) => end - this.#from)
      this.#start -= this.#from
      this.#from = 0
    }
    if (this.#records.length === 0) this.#records = records
    else for (const record of records) this.#records.push(record)
    this.#ends.push(this.#records.length)
  }

  #cut(): Round | undefined {
    const [first] = this.#ends
    if (first === undefined) return undefined
    const end = this.#endOfRound(first)
    // collected lists without records make no round
    if (end === this.#from && this.#size !== 'pulled') return undefined
    const isAll = this.#from === 0 && end === this.#records.length
    const records = isAll ? this.#records : this.#records.slice(this.#from, end)
    let whole = 0
    for (const one of this.#ends) {
      if (one > end) break
      this.#start = one
      whole++
    }
    this.#ends.splice(0, whole)
    this.#whole += whole
    this.#from = end
    if (end === this.#records.length) {
      this.#records = []
      this.#from = this.#start = 0
      return { records, lists: this.#whole, whole: this.#whole }
    }
    return { records, lists: this.#whole + (end > this.#start ? 1 : 0), whole: this.#whole }
  }

  /** @param first - end of the first list */
  #endOfRound(first: number): number {
    const { length } = this.#records
    if (this.#size === 'pulled') return first
    return this.#size === 'whole' ? length : Math.min(this.#from + this.#size, length)
  }
}
