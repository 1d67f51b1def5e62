import { ImplementationError } from '../base/errors.js'
import type { PullCursor, PullVerdict } from '../core/transfer/delivery.js'
import type { Update } from '../core/update.js'
import { cursorText } from '../store/cursors.js'

/** A value of a cursor, and the same as JSON. */
export interface Mark {
  readonly value: unknown
  readonly text: string
}

/** A pull, from its beginning until it is known what came of it and of all before it. */
class Pull implements PullCursor {
  readonly durable = true
  readonly update: Update
  /** Value at which it began; `undefined` before the first. */
  readonly start: Mark | undefined
  /** Values of its lists, in their order. */
  readonly marks: (Mark | undefined)[] = []
  /** Whether it has given all that it had. */
  isComplete = false
  /** Whether what it gives is pulled again anyway, as something before it was not delivered. */
  isVoid = false
  /** Whether it is known what came of it. */
  isSettled = false
  /** Value behind what was delivered of it, once that is known. */
  result: Mark | undefined
  readonly #track: CursorTrack
  #own: Mark | undefined
  #isOver = false

  constructor(track: CursorTrack, update: Update, start: Mark | undefined) {
    this.#track = track
    this.update = update
    this.start = start
    this.#own = start
  }

  get value(): unknown {
    return this.#own?.value
  }

  advance(value: unknown): void {
    if (this.#isOver) throw new ImplementationError(`${this.#track.name}: cursor.advance() was called after its pull`)
    this.#own = { value, text: cursorText(value, this.#track.name) }
  }

  mark(): unknown {
    return this.#own
  }

  given(mark: unknown): void {
    this.marks.push(mark as Mark | undefined)
    if (!this.isVoid) this.#track.working = mark as Mark | undefined
  }

  complete(): void {
    this.isComplete = true
    this.#isOver = true
    if (!this.isVoid) this.#track.working = this.#own
  }

  end(): void {
    this.#isOver = true
  }

  /** Value behind a number of its lists. */
  behind(lists: number): Mark | undefined {
    if (this.isComplete && lists >= this.marks.length) return this.#own
    const at = Math.min(lists, this.marks.length)
    return at === 0 ? this.start : this.marks[at - 1]
  }
}

/**
 * How far one inlet has come: in its source, and with what was delivered of it.
 *
 * ```
 *   pulls      | delivered | held | failed | void |
 *   value      10          20     30
 *                          ^      ^
 *                          |      + working: the next pull begins here
 *                          + settled: all before it was delivered, so this is kept
 * ```
 */
export class CursorTrack {
  /** Name of the inlet among those of its link. */
  readonly name: string
  readonly version: number
  /** Value at which the next pull begins. */
  working: Mark | undefined
  /** Value that is on the disk. */
  kept: Mark | undefined
  #settled: Mark | undefined
  readonly #pulls: Pull[] = []

  /** @param kept - value that is on the disk */
  constructor(name: string, version: number, kept?: Mark) {
    this.name = name
    this.version = version
    this.kept = this.working = this.#settled = kept
  }

  /** Value before which all was delivered, if another one is on the disk. */
  get toKeep(): Mark | undefined {
    return this.#settled?.text === this.kept?.text ? undefined : this.#settled
  }

  /** Whether it is known of all pulls what came of them. */
  get isQuiet(): boolean {
    return this.#pulls.length === 0
  }

  /** Begins a pull. */
  begin(update: Update): PullCursor {
    const pull = new Pull(this, update, this.working)
    this.#pulls.push(pull)
    return pull
  }

  /** Notes that no more than so many lists of a pull came into rounds: what it gave beyond them is pulled again. */
  cutShort(update: Update, lists: number): void {
    const at = this.#pulls.findLastIndex((one) => one.update === update && !one.isSettled)
    const pull = this.#pulls[at]
    if (pull === undefined || pull.marks.length <= lists) return
    pull.marks.length = lists
    pull.isComplete = false
    if (pull.isVoid) return
    this.#voidAfter(at)
    this.working = pull.behind(lists)
  }

  /** Notes what came of a pull. After one that was not delivered, what came after it is pulled again. */
  settle({ update, delivered, rounds }: PullVerdict): void {
    const at = this.#pulls.findIndex((pull) => pull.update === update && !pull.isSettled)
    const pull = this.#pulls[at]
    if (pull === undefined) return
    pull.end()
    pull.isSettled = true
    pull.result = pull.behind(rounds.deliveredRounds)
    if (!delivered && rounds.deliveredRounds < pull.marks.length) {
      // what was delivered of it counts all the same, when all before it is
      pull.isVoid = true
      this.#voidAfter(at)
      this.working = pull.result
    }
    for (let first = this.#pulls[0]; first?.isSettled === true; first = this.#pulls[0]) {
      this.#settled = first.result
      this.#pulls.shift()
    }
  }

  /** Notes that what was pulled after a pull is pulled again. */
  #voidAfter(at: number): void {
    for (const later of this.#pulls.splice(at + 1)) later.isVoid = true
  }

  /** Notes that so many lists of a pull that goes on were delivered. */
  progress(update: Update, lists: number): void {
    const [first] = this.#pulls
    if (first?.update === update && !first.isSettled && lists > 0) {
      this.#settled = first.marks[Math.min(lists, first.marks.length) - 1] ?? this.#settled
    }
  }
}
