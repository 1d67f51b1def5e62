import { ImplementationError, sortOf } from '../../base/errors.js'
import { isPromiseLike, type MaybePromise } from '../../base/maybe-promise.js'
import type { PullCursor } from './delivery.js'
import type { Waits } from './waits.js'

/** Number of single values that make a round. */
const MOST_SINGLE = 2048

/** Time that single values are waited for to make a round together, in milliseconds, from the first one on. */
const GATHER_TIME = 100

/** Time from which on a stream makes others in its thread wait noticeably, in milliseconds. */
export const STRETCH = 5

/** What is given step by step: an iterator whose steps may be promises. */
interface Steps {
  next(): unknown
  return?(): unknown
}

/** A step of an iterator, as it should be. */
interface Step {
  readonly done?: unknown
  readonly value?: unknown
}

/** Last step of an iterator. */
const OVER: Step = { done: true }

/** The end of a stream. */
export const END = Symbol('end')

/** What comes of one step of a stream: a list that was yielded, single values that came together, or the end. */
export type Yielded = readonly unknown[] | typeof END

/**
 * The iterator of a value that an inlet has returned: of a generator, of an object with `next()`, or of an async iterable.
 * `undefined` for data, which sets, maps, strings and lists are.
 */
export function stepsOf(value: unknown): Steps | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    const { [Symbol.asyncIterator]: iterate, next } = value as Partial<AsyncIterable<unknown>> & { next?: unknown }
    if (typeof iterate === 'function') return iterate.call(value)
    return typeof next === 'function' ? (value as Steps) : undefined
  } catch {
    return undefined // a payload that cannot be read is a payload
  }
}

/**
 * What an inlet gives over time: a list is given as it was yielded, single values are gathered. One list is asked for
 * after the other.
 */
export class PulledStream {
  readonly #steps: Steps
  readonly #waits: Waits
  /** Single values that wait to be given together. */
  #values: unknown[] = []
  /** When the first of these came. */
  #firstAt = 0
  /** A step that is under way; it may be one of which nobody waits for the end, as the values before it were given. */
  #pending: Promise<unknown> | undefined
  /** What came behind single values: it is given next, or thrown. */
  #behind: { readonly list?: readonly unknown[]; readonly mark?: unknown; readonly failure?: unknown } | undefined
  readonly #cursor: PullCursor | undefined
  /** Mark of the cursor at the last single value. */
  #mark: unknown
  #ended = false
  /** Number of values that came after it was told to end. */
  #refused = 0
  #isAsync = false
  /** When the latest step was begun, and since when no turn of the event loop was waited for. */
  #now = 0
  #since = 0

  constructor(steps: Steps, waits: Waits, cursor?: PullCursor) {
    this.#steps = steps
    this.#cursor = cursor
    this.#waits = waits
  }

  /** Whether its steps may take time without holding the thread up. */
  get isAsync(): boolean {
    return this.#isAsync
  }

  /** Whether the iterator has ended, or was told to. */
  get hasEnded(): boolean {
    return this.#ended
  }

  /** Whether it gives no more: the iterator has ended, and what came of it was given. */
  get isOver(): boolean {
    return this.#ended && this.#behind === undefined
  }

  /** Takes what came of it and was not given. Gives the number of values. */
  takeLeft(): number {
    const left = this.#values.length + (this.#behind?.list?.length ?? 0)
    this.#values = []
    this.#behind = undefined
    return left
  }

  /**
   * Gives the next list.
   *
   * @throws what the iterator throws; {@link ImplementationError} on what is no data
   */
  next(): MaybePromise<Yielded> {
    const behind = this.#behind
    this.#behind = undefined
    if (behind !== undefined) {
      if ('failure' in behind) throw behind.failure
      this.#cursor?.given(behind.mark)
      return behind.list as Yielded
    }
    if (this.#ended) return END
    this.#since = this.#waits.now()
    return this.#goOn() ?? this.#later()
  }

  /** Tells the iterator to end, unless it has. Gives what its `return()` gives: see {@link PulledStream.refuse}. */
  end(): unknown {
    if (this.#ended) return undefined
    this.#ended = true
    this.#cursor?.end()
    return this.#steps.return?.()
  }

  /** Makes a further step of an iterator that was told to end, and yielded instead. */
  goOnToEnd(): unknown {
    return this.#steps.next()
  }

  /**
   * Counts what an iterator yielded though it was told to end, as from the `finally` of a generator: nobody takes it.
   *
   * @param step - what its `return()`, or a step after it, gave
   * @returns number of values; `undefined` when it has ended
   */
  async refuse(step: unknown): Promise<number | undefined> {
    const { done, value } = (step ?? {}) as Step
    const yielded: unknown = Boolean(done) ? undefined : await value
    if (yielded === undefined) return undefined
    const values = Array.isArray(yielded) ? yielded.length : 1
    this.#refused += values
    return values
  }

  /** Takes the number of values that came after it was told to end. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }

  /** Takes steps as long as they are there at once; gives `undefined` when one is to be waited for. */
  #goOn(): Yielded | undefined {
    while (this.#pending === undefined) {
      try {
        const step = this.#step()
        if (step instanceof Promise) {
          this.#pending = step
          break
        }
        const yielded = this.#take(step)
        if (yielded !== undefined) return yielded
      } catch (thrown) {
        return this.#fail(thrown)
      }
    }
    return undefined
  }

  /** Waits for the step that is under way, and goes on. */
  #later(): Promise<Yielded> {
    return new Promise((resolve, reject) => {
      let over = false
      let stopTimer: (() => void) | undefined
      const end = (give: () => void) => {
        over = true
        stopTimer?.()
        give()
      }
      const goOn = (take: () => Yielded | undefined) => {
        // its values were given as time was over: whoever calls next() waits for this step
        if (over) return
        this.#pending = undefined
        try {
          const yielded = take() ?? this.#goOn()
          if (yielded === undefined) wait()
          else
            end(() => {
              resolve(yielded)
            })
        } catch (thrown) {
          end(() => {
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as thrown
            reject(thrown)
          })
        }
      }
      const wait = () => {
        const giveAll = () => {
          end(() => {
            resolve(this.#takeValues())
          })
        }
        if (this.#values.length > 0) stopTimer ??= this.#waits.after(GATHER_TIME, giveAll)
        this.#pending?.then(
          (step) => {
            goOn(() => this.#take(step))
          },
          (thrown: unknown) => {
            this.#ended = true
            goOn(() => this.#fail(thrown))
          },
        )
      }
      wait()
    })
  }

  /** Makes a step of the iterator: after a turn of the event loop, when it has made many without one. */
  #step(): MaybePromise<unknown> {
    this.#now = this.#waits.now()
    if (this.#now - this.#since <= STRETCH) return this.#call()
    return this.#waits.turn().then(() => {
      this.#since = this.#now = this.#waits.now()
      return this.#ended ? OVER : this.#call()
    })
  }

  #call(): MaybePromise<unknown> {
    let step: unknown
    try {
      step = this.#steps.next()
    } catch (thrown) {
      this.#ended = true
      throw thrown
    }
    if (isPromiseLike(step)) {
      this.#isAsync = true
      return Promise.resolve(step)
    }
    const { done, value } = (step ?? {}) as Step
    if (Boolean(done) || !isPromiseLike(value)) return step
    this.#isAsync = true
    return Promise.resolve(value).then((awaited) => ({ done: false, value: awaited }))
  }

  /** Takes what a step gave; gives `undefined` when it was a single value, behind which others may follow. */
  #take(step: unknown): Yielded | undefined {
    if (typeof step !== 'object' || step === null) {
      return this.#fail(new ImplementationError(`next() gave ${sortOf(step)}: expected { done, value }`))
    }
    const { done, value } = step as Step
    const values = this.#values
    if (Boolean(done)) {
      if (value !== undefined) return this.#fail(new ImplementationError(RETURNED))
      this.#ended = true
      this.#cursor?.complete()
      return values.length > 0 ? this.#takeValues() : END
    }
    const mark = this.#cursor?.mark()
    if (Array.isArray(value)) {
      if (values.length === 0) {
        this.#cursor?.given(mark)
        return value as unknown[]
      }
      this.#behind = { list: value, mark }
      return this.#takeValues()
    }
    if (value === undefined) return this.#fail(new ImplementationError(YIELDED_NOTHING))
    this.#mark = mark
    if (values.push(value) === 1) this.#firstAt = this.#now
    return values.length === MOST_SINGLE || this.#now - this.#firstAt > GATHER_TIME ? this.#takeValues() : undefined
  }

  #takeValues(): Yielded {
    const values = this.#values
    this.#values = []
    this.#cursor?.given(this.#mark)
    return values
  }

  /** Ends with an error: once the values that came before it are given. */
  #fail(thrown: unknown): Yielded {
    this.#cursor?.end()
    if (this.#values.length === 0) throw thrown
    this.#behind = { failure: thrown }
    return this.#takeValues()
  }
}

const RETURNED = 'pull() is a generator that returned a value: yield it'

const YIELDED_NOTHING = 'pull() yielded undefined: yield [] for no records, or null for a record of null'
