import type picomatch from 'picomatch'
import { lazy } from '../../base/libraries.js'
import { S3Error } from './errors.js'
import type { S3Object } from './listing.js'
import { compareKeys, compareModified, isModifiedAfter, type ObjectPosition } from './position.js'

const loadMatcher = lazy<typeof picomatch>('picomatch')

/** Most objects that are held at once of those that a listing of all gives. */
const MOST_HELD = 10_000

/** One page of a listing. */
export interface ObjectPage {
  readonly objects: readonly S3Object[]
  /** Time of the storage at which it was listed, in milliseconds. */
  readonly time: number
}

/** Lists objects in the order of their keys, page by page, behind a key if one is given. */
export type ListObjects = (startAfter?: string) => AsyncIterable<ObjectPage>

/** Which objects are read. */
export interface ObjectFilter {
  /** Whether an object is to be read, by its key. */
  readonly matches: (key: string) => boolean
  /** Least age of objects, in milliseconds. */
  readonly settle: number
}

/** Objects to read, one after the other. */
export interface NewObjects {
  /** Gives the next object; `undefined` when there is none. */
  next(): Promise<S3Object | undefined>
  /** Key up to which all that is listed was given or is not to be read; `undefined` where that makes no difference. */
  readonly passed: string | undefined
  /** Ends the listing. */
  close(): Promise<void>
}

/** Makes the filter of keys of a pattern: one without a slash is of the last part of keys. */
export function keyFilter(pattern: string | undefined): (key: string) => boolean {
  if (pattern === undefined) return () => true
  const isMatch = loadMatcher()(pattern, { dot: true })
  if (pattern.includes('/')) return isMatch
  return (key) => isMatch(key.slice(key.lastIndexOf('/') + 1))
}

/** Whether an object only stands for a folder. */
function isFolder({ key, size }: S3Object): boolean {
  return key.endsWith('/') && size === 0
}

/** New objects in the order of their keys. */
export class ObjectsByKey implements NewObjects {
  readonly #pages: AsyncIterator<ObjectPage>
  readonly #filter: ObjectFilter
  readonly #order: KeyOrder
  #page: ObjectPage = { objects: [], time: 0 }
  #at = 0
  #isOver = false
  passed: string | undefined

  constructor(list: ListObjects, after: ObjectPosition | undefined, filter: ObjectFilter) {
    this.#pages = list(after?.key)[Symbol.asyncIterator]()
    this.#filter = filter
    this.#order = new KeyOrder(after?.key)
  }

  async next(): Promise<S3Object | undefined> {
    while (!this.#isOver) {
      const object = this.#page.objects[this.#at]
      if (object === undefined) {
        await this.#turn()
        continue
      }
      const { key, lastModified } = object
      if (!this.#order.add(key)) {
        this.#at++
        continue
      }
      const isRead = !isFolder(object) && this.#filter.matches(key)
      // what is not yet to be read holds up what comes after it
      if (isRead && lastModified > this.#page.time - this.#filter.settle) break
      this.#at++
      if (isRead) return object
      this.passed = key
    }
    this.#isOver = true
    return undefined
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#pages.return?.()
  }

  async #turn(): Promise<void> {
    const step = await this.#pages.next()
    if (step.done === true) this.#isOver = true
    else this.#page = step.value
    this.#at = 0
  }
}

/**
 * Order of the keys of a listing: that of their bytes, or that of JavaScript, as some storages have it. Both are the same but
 * for rare characters.
 */
class KeyOrder {
  readonly #start: string | undefined
  #before: string | undefined
  #isOfBytes = true
  #isOfUnits = true

  /** @param start - key behind which the listing begins; `undefined` for all keys */
  constructor(start: string | undefined) {
    this.#start = start
  }

  /** Adds a key. Returns whether it is behind the start: a storage may not know where to begin. */
  add(key: string): boolean {
    const before = this.#before
    if (before === undefined) {
      const start = this.#start
      if (start !== undefined && key <= start && compareKeys(key, start) <= 0) return false
    } else {
      this.#isOfBytes &&= compareKeys(key, before) > 0
      this.#isOfUnits &&= key > before
      if (!this.#isOfBytes && !this.#isOfUnits) throw new S3Error(`S3Inlet: ${NO_ORDER}`)
    }
    this.#before = key
    return true
  }
}

const NO_ORDER = "the storage lists keys in no order, as directory buckets do: see order: 'modified'"

/** New objects in the order in which they were written: the first ones of a listing of all, as many as are held at once. */
export class ObjectsByTime implements NewObjects {
  readonly #list: ListObjects
  readonly #filter: ObjectFilter
  readonly #most: number
  #after: ObjectPosition | undefined
  #held: S3Object[] = []
  #at = 0
  /** Whether there are more behind those that are held. */
  #isMore = true
  #isClosed = false
  readonly passed = undefined

  constructor(list: ListObjects, after: ObjectPosition | undefined, filter: ObjectFilter, most = MOST_HELD) {
    this.#list = list
    this.#after = after
    this.#filter = filter
    this.#most = most
  }

  async next(): Promise<S3Object | undefined> {
    if (this.#at >= this.#held.length && this.#isMore) await this.#select()
    const object = this.#held[this.#at++]
    if (object !== undefined) this.#after = { key: object.key, modified: object.lastModified }
    return object
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#isMore = false
    this.#held = []
    return Promise.resolve()
  }

  async #select(): Promise<void> {
    const held: S3Object[] = []
    let isMore = false
    const cut = (most: number) => {
      if (held.length <= most) return
      held.sort(compareModified)
      isMore ||= held.length > this.#most
      held.length = Math.min(held.length, this.#most)
    }
    for await (const { objects, time } of this.#list()) {
      if (this.#isClosed) return
      for (const object of objects) if (this.#isNew(object, time)) held.push(object)
      cut(2 * this.#most)
    }
    cut(0)
    this.#held = held
    this.#at = 0
    this.#isMore = isMore
  }

  #isNew(object: S3Object, time: number): boolean {
    const { key, lastModified } = object
    if (Number.isNaN(lastModified)) {
      throw new S3Error("S3Inlet: the storage lists objects without the times of their writing: see order: 'key'")
    }
    if (!isModifiedAfter(object, this.#after) || lastModified > time - this.#filter.settle) return false
    return !isFolder(object) && this.#filter.matches(key)
  }
}
