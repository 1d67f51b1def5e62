import { isPromiseLike } from '../../base/maybe-promise.js'
import { toError } from '../../base/errors.js'
import { isRecord, type Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import type { ExplainedStage, ShownRecord } from '../protocol/explanation.js'
import { MOST_COMPARED, pairsOf, snapshotsOf, type Snapshots } from './record-diff.js'
import { recordText } from './shown-value.js'

/** How records are shown. */
export interface Look {
  /** Most records of each stage. */
  readonly records: number
  readonly redact: boolean
}

type Numbers = 'calls' | 'took' | 'recordsIn' | 'recordsOut' | 'changed' | 'dropped' | 'added'

/** A stage of a link whose calls are watched: it notes what goes in and comes out. */
export class WatchedStage {
  readonly #about: Pick<ExplainedStage, 'stage' | 'node' | 'outlet'>
  readonly #look: Look
  readonly #counts: { [name in Numbers]: number } = {
    calls: 0,
    took: 0,
    recordsIn: 0,
    recordsOut: 0,
    changed: 0,
    dropped: 0,
    added: 0,
  }
  readonly #batches: number[] = []
  readonly #shown: ShownRecord[] = []
  /** Number of records that the stage holds back. */
  held: () => number = () => 0
  /** Tells the part that nothing was delivered, unless it was told what came of the transfer. */
  tell: (update: Update) => void | Promise<void> = () => undefined

  constructor(about: Pick<ExplainedStage, 'stage' | 'node' | 'outlet'>, look: Look) {
    this.#about = about
    this.#look = look
  }

  /**
   * Watches a call.
   *
   * @param given - what it is given; `undefined` for a pull
   * @param took - takes note of what it gave
   */
  watch<T>(work: () => T, took: (value: Awaited<T>) => void): T {
    this.#counts.calls++
    const since = performance.now()
    const end = () => {
      this.#counts.took += performance.now() - since
    }
    let value: T
    try {
      value = work()
    } catch (thrown) {
      end()
      throw thrown
    }
    if (!isPromiseLike(value)) {
      end()
      took(value as Awaited<T>)
      return value
    }
    return (value as PromiseLike<Awaited<T>>).then(
      (given) => {
        end()
        took(given)
        return given
      },
      (thrown: unknown) => {
        end()
        throw toError(thrown)
      },
    ) as T
  }

  /** Adds time to that of the calls, in milliseconds. */
  spend(time: number): void {
    this.#counts.took += time
  }

  /** Notes records that an inlet gave. */
  pulled(records: readonly unknown[]): void {
    this.#counts.recordsOut += records.length
    for (const one of records.slice(0, this.#look.records)) this.#show('pulled', isRecord(one) ? one.payload : one)
  }

  /** Watches a call of a processor. */
  process<T>(records: readonly Record[], work: () => T): T {
    const before = snapshotsOf(records, this.#look.redact)
    const held = this.#held()
    const counts = this.#counts
    counts.recordsIn += records.length
    const failed = () => {
      for (const { payload } of records.slice(0, this.#look.records)) this.#show('failed', payload)
    }
    try {
      const result = this.watch(work, (given) => {
        if (Array.isArray(given)) this.#compare(before, records.length, given as Record[], this.#held() - held)
      })
      if (isPromiseLike(result)) result.then(undefined, failed)
      return result
    } catch (thrown) {
      failed()
      throw thrown
    }
  }

  /** Notes batches: those that a grouper gave. */
  grouped(records: number, batches: readonly (readonly Record[])[]): void {
    this.#counts.recordsIn += records
    for (const batch of batches) {
      this.#counts.recordsOut += batch.length
      this.#batches.push(batch.length)
      if (this.#shown.length >= this.#look.records) continue
      const [first] = batch
      const more = batch.length > 1 ? ` and ${batch.length - 1} more` : ''
      if (first !== undefined) this.#shown.push({ kind: 'batch', text: `${this.#text(first.payload)}${more}` })
    }
  }

  /** Notes a batch that an outlet would be given. */
  pushed(batch: readonly Record[]): void {
    this.#counts.calls++
    this.#counts.recordsIn += batch.length
    this.#batches.push(batch.length)
    for (const { payload } of batch.slice(0, this.#look.records)) this.#show('pushed', payload)
  }

  /** What went through the stage. */
  read(): ExplainedStage {
    return { ...this.#about, ...this.#counts, held: this.#held(), batches: this.#batches, shown: this.#shown }
  }

  #compare(before: Snapshots, given: number, out: readonly Record[], taken: number): void {
    const counts = this.#counts
    counts.recordsOut += out.length
    if (before.length === MOST_COMPARED || out.length > MOST_COMPARED) {
      const more = out.length + taken - given
      counts.dropped += Math.max(0, -more)
      counts.added += Math.max(0, more)
      return
    }
    const pairs = pairsOf(before, out.filter(isRecord), this.#look.redact)
    let held = taken
    for (const { text, isIn, isOut, fields } of pairs) {
      if (!isOut) {
        // what a buffer has taken in is not gone
        const isHeld = held-- > 0
        if (!isHeld) counts.dropped++
        this.#showText(isHeld ? 'held' : 'dropped', text)
      } else if (!isIn) {
        // nor is what it lets go of new
        const isReleased = held++ < 0
        if (!isReleased) counts.added++
        this.#showText(isReleased ? 'same' : 'added', text)
      } else if (fields.length === 0) this.#showText('same', text)
      else {
        counts.changed++
        if (this.#shown.length < this.#look.records) this.#shown.push({ kind: 'changed', text, fields })
      }
    }
  }

  #showText(kind: ShownRecord['kind'], text: string): void {
    if (this.#shown.length < this.#look.records) this.#shown.push({ kind, text })
  }

  #show(kind: ShownRecord['kind'], payload: unknown): void {
    if (this.#shown.length < this.#look.records) this.#shown.push({ kind, text: this.#text(payload) })
  }

  #text(payload: unknown): string {
    return recordText(payload, this.#look.redact)
  }

  #held(): number {
    try {
      return this.held()
    } catch {
      return 0 // the transfer tells what is wrong with its size
    }
  }
}
