import type { MaybePromise } from '../base/maybe-promise.js'

const DONE = { done: true, value: undefined } as const

/**
 * Lists that an inlet gives one after the other, with something to close at their end. Unlike that of a generator,
 * `return()` also ends a step that is under way, and a stream that was never asked for a list.
 */
export class Lists<T> implements AsyncIterableIterator<T[], void> {
  #first: T[] | undefined
  readonly #read: () => Promise<T[] | undefined>
  readonly #close: () => MaybePromise<void>
  #closed: Promise<void> | undefined

  /**
   * @param first - the first list
   * @param read - reads the next list; `undefined` is the end. It may fail once it is closed: nobody hears of it
   * @param close - closes what is read from. It is called once
   */
  constructor(first: T[], read: () => Promise<T[] | undefined>, close: () => MaybePromise<void>) {
    this.#first = first
    this.#read = read
    this.#close = close
  }

  async next(): Promise<IteratorResult<T[], void>> {
    if (this.#closed !== undefined) return DONE
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return { done: false, value: first }
    let list: T[] | undefined
    try {
      list = await this.#read()
    } catch (thrown) {
      if (this.#isClosed()) return DONE
      await this.#end()
      throw thrown
    }
    if (this.#isClosed()) return DONE
    if (list !== undefined) return { done: false, value: list }
    await this.#end()
    return DONE
  }

  async return(): Promise<IteratorResult<T[], void>> {
    await this.#end()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Whether it was closed while a list was read. */
  #isClosed(): boolean {
    return this.#closed !== undefined
  }

  #end(): Promise<void> {
    this.#first = undefined
    return (this.#closed ??= (async () => this.#close())())
  }
}
