import { toError } from '../base/errors.js'
import type { DeadLetterSettings } from '../core/delivery-options.js'
import { failureClass, type FailureClass } from '../core/failure-class.js'
import type { Record } from '../core/record.js'
import type { Fate } from '../core/transfer/delivery.js'
import { DeadLettersFullError } from './errors.js'
import { notTaken, type NotTaken } from './not-taken.js'
import type { WaitingBatch } from './waiting-batch.js'

/** What a {@link BatchPush} works with. */
export interface PushTarget {
  readonly deadLetters: DeadLetterSettings | false
  /** Gives records to the outlet. */
  push(records: readonly Record[], batch: WaitingBatch): Promise<void>
  /** Counts records that the outlet took. */
  taken(records: number): void
  /** Makes dead letters of records, or drops them; `undefined` when the link has no room for them. */
  bury(records: readonly Record[], error: Error, attempts: number): Fate | undefined
}

/** Pushes in succession that may fail while records that are refused alone are looked for, beyond one for each halving. */
const PROBES = 16

/** What came of a push that failed. */
interface Failure {
  readonly error: Error
  readonly of: FailureClass
  /** What the outlet says that it took and did not take; `undefined` when it does not say. */
  readonly parts: NotTaken | undefined
}

/**
 * Brings one batch to an outlet, as far as that can be done now.
 *
 * - The outlet is unavailable: the batch waits.
 * - It refuses records by name: the others are delivered. These are tried again at once, some times; then they are dead letters.
 * - It refuses the batch, and names no record: the same, and then the batch is halved until the refused records are alone.
 * - It is not known which of both it is: the batch waits, and is tried again later. After some tries it is halved: if a part of
 *   it is taken, the outlet works, and what fails alone is refused. If none is, it was the outlet after all.
 */
export class BatchPush {
  readonly #batch: WaitingBatch
  readonly #target: PushTarget
  /** Number of tries after which a record is given up. */
  readonly #after: number

  constructor(batch: WaitingBatch, target: PushTarget) {
    this.#batch = batch
    this.#target = target
    this.#after = target.deadLetters === false ? Infinity : target.deadLetters.after
  }

  /**
   * Pushes the batch. What is left in it afterwards has to wait.
   *
   * @returns why it has to; `undefined` when nothing is left
   */
  async run(): Promise<Error | undefined> {
    const batch = this.#batch
    for (let refusals = 1; batch.records.length > 0; refusals++) {
      const { records } = batch
      const failure = await this.push(records)
      if (failure === undefined) {
        batch.records = []
        return undefined
      }
      batch.attempts++
      const { error, of, parts } = failure
      if (parts !== undefined) {
        const waits = this.#settleParts(parts)
        if (waits !== undefined) return waits
      } else if (of === 'unavailable' || this.#after === Infinity) {
        return error
      } else if (of === 'refused' ? refusals >= this.#after : batch.attempts >= this.#after) {
        if (batch.suspicions !== undefined) batch.suspicions++
        // what fails time and again where others were taken does not fail because of the outlet
        const works = batch.suspicions !== undefined && batch.suspicions >= this.#after
        const halving = new Halving(records, this, failure, works, this.#probes())
        const waits = await halving.run(Math.max(1, this.#after - 1))
        batch.records = halving.left
        if (halving.works) batch.suspicions ??= 0
        return batch.records.length === 0 ? undefined : (waits ?? error)
      } else if (of === 'unknown') {
        return error
      }
    }
    return undefined
  }

  /** Pushes some records. Gives what came of it when it failed. */
  async push(records: readonly Record[]): Promise<Failure | undefined> {
    try {
      await this.#target.push(records, this.#batch)
    } catch (thrown) {
      const error = toError(thrown)
      const parts = notTaken(error, records.length)
      this.#target.taken(parts?.taken.length ?? 0)
      return { error, of: failureClass(error), parts }
    }
    this.#target.taken(records.length)
    return undefined
  }

  /** Makes dead letters. Gives an error when there is no room for them. */
  bury(records: readonly Record[], error: Error): Error | undefined {
    if (this.#target.bury(records, error, this.#batch.attempts) !== undefined) return undefined
    return new DeadLettersFullError(`there is no room for a further dead letter: ${error.message}`, { cause: error })
  }

  /** Takes note of what the outlet took and refused by name. Gives why the rest has to wait, if it has to. */
  #settleParts({ taken, refused, rest }: NotTaken): Error | undefined {
    const batch = this.#batch
    const settled = new Set(taken)
    const givenUp = refused.filter(([at]) => {
      const record = batch.records[at] as Record
      const refusals = (batch.refusals.get(record) ?? 0) + 1
      batch.refusals.set(record, refusals)
      return refusals >= this.#after
    })
    let full: Error | undefined
    for (const [error, places] of bySaying(givenUp)) {
      const records = places.map((at) => batch.records[at] as Record)
      const noRoom = this.bury(records, error)
      if (noRoom === undefined) for (const at of places) settled.add(at)
      else full = noRoom
    }
    batch.records = batch.records.filter((_, at) => !settled.has(at))
    const [unavailable] = rest
    if (unavailable !== undefined) return unavailable[1]
    return full ?? (this.#after === Infinity ? refused[0]?.[1] : undefined)
  }

  /** Number of parts that may fail before the outlet is known to work. More in each try, so that in the end all are tried. */
  #probes(): number {
    const { records, attempts } = this.#batch
    return Math.ceil(Math.log2(records.length + 1)) + PROBES * 2 ** Math.min(attempts - this.#after, 20)
  }
}

/** Halves a batch, part by part, in the order of its records, until those that are refused are alone. */
class Halving {
  readonly #records: readonly Record[]
  readonly #batch: Pick<BatchPush, 'push' | 'bury'>
  readonly #settled = new Set<number>()
  /** Parts to be pushed, the next one last, each as the places of its records. */
  readonly #parts: (readonly number[])[] = []
  /** Records that failed alone while it is not known whether the outlet works, in their order. */
  #suspects: number[] = []
  #last: Failure
  /** Whether the outlet has taken something, or refused a record by name. */
  works: boolean
  #probes: number

  /**
   * @param failure - what came of the push of all of them
   * @param works - whether the outlet is known to work
   * @param probes - number of parts that may fail before it is known to work
   */
  constructor(
    records: readonly Record[],
    batch: Pick<BatchPush, 'push' | 'bury'>,
    failure: Failure,
    works: boolean,
    probes: number,
  ) {
    this.#records = records
    this.#batch = batch
    this.#last = failure
    this.works = works
    this.#probes = probes
  }

  /** Records that have to wait. */
  get left(): Record[] {
    return this.#records.filter((_, at) => !this.#settled.has(at))
  }

  /**
   * @param tries - number of times that a record is tried again that failed alone
   * @returns why what is left has to wait, if something is
   */
  async run(tries: number): Promise<Error | undefined> {
    let waits = this.#takeApart([...this.#records.keys()], this.#last)
    if (this.works) waits ??= await this.#judge(tries)
    while (waits === undefined) {
      const part = this.#parts.pop()
      if (part === undefined) break
      let failure = await this.#push(part)
      // in its turn: what is behind it is not pushed before it unless it fails again and again
      for (let tried = 0; tried < tries && part.length === 1 && isVague(failure); tried++)
        failure = await this.#push(part)
      if (failure !== undefined) waits = this.#takeApart(part, failure)
      if (this.works) waits ??= await this.#judge(tries)
    }
    return waits ?? (this.#suspects.length > 0 ? this.#last.error : undefined)
  }

  async #push(part: readonly number[]): Promise<Failure | undefined> {
    const failure = await this.#batch.push(part.map((at) => this.#records[at] as Record))
    if (failure === undefined) this.#settle(part)
    else this.#last = failure
    return failure
  }

  #settle(part: readonly number[]): void {
    for (const at of part) this.#settled.add(at)
    this.works = true
  }

  /** Takes a part apart that failed. Gives why all has to wait, if it has to. */
  #takeApart(part: readonly number[], { error, of, parts }: Failure): Error | undefined {
    if (parts !== undefined) return this.#settleParts(part, parts)
    if (of === 'unavailable') return error
    const [first, ...others] = part
    if (first === undefined) return undefined
    if (others.length > 0) {
      const middle = Math.ceil(part.length / 2)
      this.#parts.push(part.slice(middle), part.slice(0, middle))
    } else if (of === 'refused') {
      return this.#bury(first, error)
    } else {
      this.#suspects.push(first)
    }
    return this.works || of === 'refused' || this.#probes-- > 0 ? undefined : error
  }

  #settleParts(part: readonly number[], { taken, refused, rest, untried }: NotTaken): Error | undefined {
    this.#settle(taken.map((at) => part[at] as number))
    for (const [at, error] of refused) {
      const full = this.#bury(part[at] as number, error)
      if (full !== undefined) return full
    }
    if (untried.length > 0) this.#parts.push(untried.map((at) => part[at] as number))
    return rest[0]?.[1]
  }

  /** Tries those again that failed alone, as the outlet works. Gives why all has to wait, if it has to. */
  async #judge(tries: number): Promise<Error | undefined> {
    for (const at of this.#suspects.splice(0)) {
      let failure: Failure | undefined = this.#last
      for (let tried = 0; tried < tries && failure !== undefined; tried++) failure = await this.#push([at])
      if (failure === undefined) continue
      if (failure.of === 'unavailable') return failure.error
      const full = this.#bury(at, failure.parts?.refused[0]?.[1] ?? failure.error)
      if (full !== undefined) return full
    }
    return undefined
  }

  /** Makes a dead letter. Gives why all has to wait, when there is no room for it. */
  #bury(at: number, error: Error): Error | undefined {
    const full = this.#batch.bury([this.#records[at] as Record], error)
    if (full === undefined) this.#settled.add(at)
    return full
  }
}

/** Whether it is not known if a push failed because of its records or of its outlet. */
function isVague(failure: Failure | undefined): boolean {
  return failure?.of === 'unknown' && failure.parts === undefined
}

/** Places of records whose errors say the same, together. */
function bySaying(refused: NotTaken['refused']): (readonly [Error, readonly number[]])[] {
  const byText = new Map<string, [Error, number[]]>()
  for (const [at, error] of refused) {
    const same = byText.get(error.message)
    if (same === undefined) byText.set(error.message, [error, [at]])
    else same[1].push(at)
  }
  return [...byText.values()]
}
