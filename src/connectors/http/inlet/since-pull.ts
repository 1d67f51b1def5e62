import { toError } from '../../../base/errors.js'
import { fieldAt } from '../../../base/field-path.js'
import { isPromiseLike } from '../../../base/maybe-promise.js'
import { httpError } from '../errors.js'
import { changedRequest, type HttpRequest } from '../request.js'
import { fitsParam, type Since, type SincePage } from './since.js'
import { compareValues } from './since-order.js'

/** What a {@link SincePull} tells. */
export interface SinceEvents {
  /**
   * A page was taken.
   *
   * @param start - value from which on the page comes again
   * @param value - value behind it
   */
  readonly onPage: (start: unknown, records: number, value: unknown) => void
  /** Records do not come in order, though they should. */
  readonly onDisorder: () => void
}

/** The value of `since` in the course of one pull: what to ask with, and how far its pages lead. */
export class SincePull {
  readonly #since: Since
  readonly #base: HttpRequest
  readonly #events: SinceEvents
  #pagesLeft: number
  #value: unknown
  /** Greatest value of the pull's records. */
  #greatest: unknown
  #isOrdered: boolean

  /**
   * @param base - the request without a value
   * @param value - value to begin with; `undefined` for none
   * @param maxPages - most pages that it asks for
   */
  constructor(since: Since, base: HttpRequest, value: unknown, maxPages: number, events: SinceEvents) {
    this.#since = since
    this.#base = base
    this.#value = value
    this.#pagesLeft = maxPages
    this.#isOrdered = since.isOrdered
    this.#events = events
  }

  /**
   * Request with the value.
   *
   * @throws {@link HttpError} when the value cannot be sent
   */
  ask(): HttpRequest {
    const { param, request } = this.#since
    const value = this.#value
    try {
      if (request !== undefined) return changedRequest(this.#base, request(value) ?? {})
      if (value === undefined || param === undefined) return this.#base
      if (!fitsParam(value)) throw new Error(`a value of type ${typeof value} is no parameter: see its option request`)
      return changedRequest(this.#base, { params: { [param]: value } })
    } catch (cause) {
      throw this.#failure(cause)
    }
  }

  /**
   * Takes a page.
   *
   * @param isLast - whether no further page is known
   * @returns request for what is behind it, if the pull is to ask again
   * @throws {@link HttpError} when it has no usable value
   */
  take(page: SincePage, isLast: boolean): HttpRequest | undefined {
    const start = this.#value
    const { next, more } = this.#since
    let isMore = false
    try {
      if (next === undefined) this.#takeRecords(page.records)
      else this.#value = plainValue(next(page)) ?? start
      // with the same value, it would be the same page
      isMore = isLast && --this.#pagesLeft > 0 && this.#value !== start && more?.(page) === true
      if (isLast && !isMore) this.#end()
    } catch (cause) {
      throw this.#failure(cause)
    }
    this.#events.onPage(start, page.records.length, this.#value)
    return isMore ? this.ask() : undefined
  }

  /** Where records come in any order, only all of them say how far they lead. */
  #end(): void {
    if (!this.#isOrdered && this.#greatest !== undefined) this.#value = this.#further(this.#value, this.#greatest)
  }

  #takeRecords(records: readonly unknown[]): void {
    const path = this.#since.record ?? []
    for (const record of records) {
      const value = plainValue(fieldAt(record, path))
      if (value === undefined) throw new Error(`a record has no ${path.join('.')}`)
      const further = this.#further(this.#greatest, value)
      if (this.#isOrdered && further !== value) {
        this.#isOrdered = false
        this.#events.onDisorder()
      }
      this.#greatest = further
    }
    if (this.#isOrdered && records.length > 0) this.#value = this.#further(this.#value, this.#greatest)
  }

  /** The greater one of two values. Of values without an order, it is the later one. */
  #further(one: unknown, other: unknown): unknown {
    if (one === undefined) return other
    const order = compareValues(one, other)
    if (order === undefined && !this.#since.isOrdered) {
      throw new Error(`the values of ${this.#since.record?.join('.')} have no order: they are no numbers or times`)
    }
    return order !== undefined && order > 0 ? one : other
  }

  #failure(cause: unknown): Error {
    return httpError(this.#base.url, 'since', `since: ${toError(cause).message}`, { cause })
  }
}

/** A value as JSON can keep it; `undefined` where there is none. */
function plainValue(value: unknown): unknown {
  if (isPromiseLike(value)) throw new Error('value() gave a promise, but must give the value at once')
  if (value === null || value === '') return undefined
  return typeof value === 'bigint' ? String(value) : value
}
