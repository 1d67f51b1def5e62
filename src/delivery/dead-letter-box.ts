import { getLogger } from '../base/log.js'
import { plainError, type PlainError } from '../base/plain-error.js'
import type { DeadLetterSettings } from '../core/delivery-options.js'
import type { Record } from '../core/record.js'
import type { Fate, Refusal } from '../core/transfer/delivery.js'
import type { Update } from '../core/update.js'
import { encodeRecords, type Body } from '../store/codec.js'
import type { DeadLetter, DeadTry } from '../store/dead-letters.js'
import type { LinkChanges, LinkStore } from '../store/link-store.js'
import type { LetterOrigins } from './letter-origins.js'

/** What a link does with dead letters in its next commit. */
export type DeadChanges = Pick<LinkChanges, 'dead' | 'deadTried' | 'deadLimit'>

/**
 * The dead letters of a link that are to be written with its next cursor. They are not written before: should the process be
 * killed, their records are pulled again, and refused again.
 */
export class DeadLetterBox {
  readonly #name: string
  readonly #store: LinkStore
  readonly #settings: DeadLetterSettings | false
  readonly #origins: LetterOrigins
  #letters: DeadLetter[] = []
  #tried: DeadTry[] = []
  /** Number of letters in the store, as far as this link knows; `undefined` when that was not looked up. */
  #stored: number | undefined
  #groups = 0

  /** @param name - of the link, for the log */
  constructor(name: string, store: LinkStore, settings: DeadLetterSettings | false, origins: LetterOrigins) {
    this.#name = name
    this.#store = store
    this.#settings = settings
    this.#origins = origins
  }

  /** Number of letters that are not written. */
  get size(): number {
    return this.#letters.length + this.#tried.length
  }

  /**
   * Adds records, each as a letter. Those that a replay has read from the store stay the letters that they were.
   *
   * @returns `undefined` when the link has no dead letters, or no more of them fit
   */
  add(refusal: Refusal, update: Update): Fate | undefined {
    if (this.#settings === false) return undefined
    const { records } = refusal
    const known = records.filter((record) => this.#origins.of(record) !== undefined)
    const isFull = this.#settings.whenFull !== 'dropOldest' && !this.#hasRoom(records.length - known.length)
    if (isFull && this.#settings.whenFull === 'wait') return undefined
    this.#groups++
    const group = `${String(update)}#${this.#store.opened.epoch}.${this.#groups}`
    const error = plainError(refusal.error)
    for (const record of isFull ? known : records) this.#addOne(record, refusal, error, group)
    return isFull ? 'dropped' : 'dead'
  }

  /** What is to be written. */
  take(): DeadChanges {
    if (this.size === 0 || this.#settings === false) return {}
    const { max, maxAge, whenFull } = this.#settings
    return {
      dead: this.#letters,
      deadTried: this.#tried,
      deadLimit: { before: Date.now() - maxAge, ...(whenFull === 'dropOldest' && { max }) },
    }
  }

  /**
   * Notes that what was to be written is.
   *
   * @param forgotten - number of older letters that were deleted for it
   */
  written({ dead = [], deadTried = [] }: DeadChanges, forgotten: number): void {
    this.#letters = this.#letters.slice(dead.length)
    this.#tried = this.#tried.slice(deadTried.length)
    if (this.#stored !== undefined) this.#stored += dead.length
    if (forgotten === 0) return
    // some of them were not counted
    this.#stored = undefined
    getLogger('databay.Delivery').warn(
      `${this.#name}: ${forgotten} dead letters were too old or too many: they are dropped`,
    )
  }

  #addOne(record: Record, refusal: Refusal, error: PlainError, group: string): void {
    const { stage, node, place, outlet, attempts = 1 } = refusal
    const code = typeof error.code === 'string' ? { code: error.code } : {}
    const at = Date.now()
    const origin = this.#origins.of(record)
    if (origin !== undefined) {
      origin.isRefused = true
      this.#tried.push({ id: origin.id, attempts: origin.attempts + attempts, ...code, error, at })
      return
    }
    const body = this.#bodyOf(record)
    const where = { stage, node, place, ...(outlet !== undefined && { outlet }), group }
    this.#letters.push({ ...where, at, attempts, ...code, error, ...(body && { body }) })
  }

  #bodyOf(record: Record): Body | undefined {
    if (this.#settings === false || !this.#settings.payload) return undefined
    const { redact } = this.#settings
    try {
      return encodeRecords([redact === undefined ? record : redact(record)])
    } catch (thrown) {
      const { message } = plainError(thrown)
      getLogger('databay.Delivery').warn(`${this.#name}: a dead letter is kept without its record: ${message}`)
      return undefined
    }
  }

  /** Whether so many letters fit. Asks the store only when they may not. Those that are too old go with the next commit. */
  #hasRoom(count: number): boolean {
    if (this.#settings === false) return false
    if (count === 0) return true
    const { max, maxAge } = this.#settings
    const needed = this.#letters.length + count
    if (this.#stored === undefined || this.#stored + needed > max) this.#stored = this.#count()
    if (this.#stored + needed > max && maxAge < Infinity) this.#stored = this.#count(Date.now() - maxAge)
    return this.#stored + needed <= max
  }

  /** Number of letters in the store. @param since - time of the first of them */
  #count(since?: number): number {
    const { store, deadLetters, opened } = this.#store
    return store.read(() => deadLetters.count({ link: opened.id, ...(since !== undefined && { since }) }))
  }
}
