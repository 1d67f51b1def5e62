import type picomatch from 'picomatch'
import { lazy } from '../../../base/libraries.js'
import type { ListedPage } from '../client.js'
import { S3Error } from '../errors.js'
import type { S3Object } from '../listing.js'
import { compareKeys, compareModified, isModifiedAfter, type ObjectPosition } from './position.js'

const loadMatcher = lazy<typeof picomatch>('picomatch')

/** Most objects that are held at once of those that a listing of all gives. */
const MOST_HELD = 10_000

/** Lists objects in the order of their keys, page by page, behind a key if one is given. */
export type ListObjects = (startAfter?: string) => AsyncIterable<ListedPage>

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

function isTooYoung({ lastModified }: S3Object, time: number, { settle }: ObjectFilter): boolean {
  // the time is one of whole seconds
  return settle > 0 && lastModified > time - settle
}

/** New objects in the order of their keys. */
export class ObjectsByKey implements NewObjects {
  readonly #pages: AsyncIterator<ListedPage>
  readonly #filter: ObjectFilter
  readonly #start: string | undefined
  #objects: readonly S3Object[] = []
  /** Time at which they were listed. */
  #time = 0
  /** Last key of the page before. */
  #before: string | undefined
  #at = 0
  #isOver = false
  passed: string | undefined

  constructor(list: ListObjects, after: ObjectPosition | undefined, filter: ObjectFilter) {
    this.#pages = list(after?.key)[Symbol.asyncIterator]()
    this.#filter = filter
    this.#start = after?.key
  }

  async next(): Promise<S3Object | undefined> {
    while (!this.#isOver) {
      const object = this.#objects[this.#at]
      if (object === undefined) {
        await this.#turn()
        continue
      }
      const isRead = !isFolder(object) && this.#filter.matches(object.key)
      // what is not yet to be read holds up what comes after it
      if (isRead && isTooYoung(object, this.#time, this.#filter)) break
      this.#at++
      if (isRead) return object
      this.passed = object.key
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
    this.#at = 0
    if (step.done === true) {
      this.#isOver = true
      return
    }
    const { objects, time, isLast } = step.value
    const start = this.#start
    // a storage may not know where to begin
    const behind = start === undefined ? objects : objects.filter(({ key }) => compareKeys(key, start) > 0)
    this.#time = time
    this.#objects = this.#inOrder(behind, isLast)
  }

  /**
   * The objects of a page in order. A storage that puts some in another order is good for one page: of more, it would pass
   * over others.
   */
  #inOrder(objects: readonly S3Object[], isLast: boolean): readonly S3Object[] {
    const keys = this.#before === undefined ? [] : [this.#before]
    for (const { key } of objects) keys.push(key)
    this.#before = keys.at(-1)
    const isInOrder = keys.every((key, at) => at === 0 || compareKeys(key, keys[at - 1] as string) > 0)
    if (isInOrder) return objects
    const isAlone = isLast && keys.length === objects.length
    if (isAlone) return objects.toSorted((a, b) => compareKeys(a.key, b.key))
    throw new S3Error(`S3Inlet: ${NO_ORDER}`)
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
    if (!isModifiedAfter(object, this.#after) || isTooYoung(object, time, this.#filter)) return false
    return !isFolder(object) && this.#filter.matches(key)
  }
}
