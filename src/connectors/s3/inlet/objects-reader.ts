import { toError } from '../../../base/errors.js'
import { BodyError } from '../../http/errors.js'
import type { ListReader, ReadList } from '../../positioned-pulls.js'
import { isAbsent, S3Error } from '../errors.js'
import type { S3InletSettings } from './inlet-options.js'
import { ObjectsByKey, ObjectsByTime, type ListObjects, type NewObjects, type ObjectFilter } from './new-objects.js'
import { ChangedObjectError, etagOf, type BodySettings, type GetObject } from './object-body.js'
import { OpenedObject } from './opened-object.js'
import { compareKeys, positionAt, type Listed, type ObjectPosition, type Within } from './position.js'
import type { RecordCutters } from './record-cutter.js'

/** Bounds of a list: records, bytes of their content, and milliseconds after which no other object is begun. */
const LIST = { records: 4096, bytes: 262_144, time: 1000 }

/** What objects are read from, and where warnings of them go. */
export interface ObjectSource<R> {
  readonly list: ListObjects
  readonly get: (key: string) => GetObject
  /** Ends the requests that are under way. */
  readonly end: () => void
  readonly body: Omit<BodySettings, 'onCut'>
  /** Makes records of the payloads of an object, and adds them to a list. */
  readonly addRecords: (list: R[], payloads: readonly unknown[], key: string) => void
  /** Warns of an object that was not read as it should be. */
  readonly warn: (key: string, text: string) => void
  /** Makes the error of an object that cannot be read. */
  readonly toError: (key: string, reason: Error) => Error
}

/** An object to read, and the place at which to begin in it. */
interface Next {
  readonly object: Listed & { readonly size?: number; readonly etag?: string }
  readonly within: Within | undefined
}

/** Reads the new objects of one pull, list by list. */
export class ObjectsReader<R> implements ListReader<R, ObjectPosition> {
  readonly #source: ObjectSource<R>
  readonly #settings: S3InletSettings
  readonly #filter: ObjectFilter
  readonly #cutters: RecordCutters
  #position: ObjectPosition | undefined
  #objects: NewObjects | undefined
  /** Object that comes before those of the listing. */
  #first: Next | undefined
  /** Object that is read. */
  #current: { readonly object: Listed; readonly opened: OpenedObject } | undefined
  #failure: Error | undefined
  #isMore = true
  #isClosed = false
  /** Number of objects that it came behind. */
  #passed = 0

  constructor(source: ObjectSource<R>, settings: S3InletSettings, filter: ObjectFilter, cutters: RecordCutters) {
    this.#source = source
    this.#settings = settings
    this.#filter = filter
    this.#cutters = cutters
  }

  /** Its records, for the log. */
  get noun(): string {
    return `records of ${this.#passed} objects`
  }

  /**
   * Reads the next list; it is empty only at the end.
   *
   * @param position - position behind which to read
   * @throws {@link S3Error}, or the reason of the transfer's signal
   */
  async read(position: ObjectPosition | undefined): Promise<ReadList<R, ObjectPosition>> {
    // records before what was read are read again
    if (position !== this.#position) {
      await this.#leave()
      this.#begin(position)
    }
    const records: R[] = []
    try {
      if (this.#failure !== undefined) throw this.#failure
      await this.#read(records)
    } catch (thrown) {
      const failure = toError(thrown)
      // what cannot be read does not hold up the records before it
      if (records.length === 0 || this.#source.body.signal.aborted) {
        await this.close()
        throw failure
      }
      this.#failure = failure
    }
    return { records, position: this.#position, isMore: this.#isMore }
  }

  /** Ends its requests. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isMore = false
    this.#source.end()
    await this.#leave()
  }

  #begin(position: ObjectPosition | undefined): void {
    this.#position = position
    const { key, modified = 0, within } = position ?? { key: '' }
    this.#first = within && { object: { key, lastModified: modified }, within }
  }

  async #leave(): Promise<void> {
    this.#current?.opened.close()
    this.#current = undefined
    const objects = this.#objects
    this.#objects = undefined
    await objects?.close()
  }

  async #read(list: R[]): Promise<void> {
    let left = LIST.bytes
    let until = Infinity
    while (list.length < LIST.records && left > 0 && !this.#isClosed) {
      this.#current ??= await this.#openNext(until)
      if (this.#current === undefined) return
      const { object, opened } = this.#current
      const used = opened.used
      const taken = await this.#take(object, opened, { records: LIST.records - list.length, bytes: left })
      left -= opened.used - used
      this.#source.addRecords(list, taken, object.key)
      if (list.length > 0 && until === Infinity) until = performance.now() + LIST.time
    }
  }

  async #take(object: Listed, opened: OpenedObject, extent: { records: number; bytes: number }) {
    try {
      const taken = await opened.take(extent)
      if (opened.isOver || taken.length === 0) this.#end(object, opened)
      else this.#position = positionAt(object, this.#settings.order, opened.place)
      return taken
    } catch (thrown) {
      this.#current = undefined
      opened.close()
      const { records } = opened.place
      this.#judge(object, thrown, records > 0 ? `, after ${records} of its records` : '')
      return []
    }
  }

  #end(object: Listed, opened: OpenedObject): void {
    const { damage } = opened
    if (damage !== undefined) this.#source.warn(object.key, damage)
    opened.close()
    this.#current = undefined
    this.#pass(object)
  }

  /** Notes that an object was read, or cannot be. */
  #pass(object: Listed): void {
    this.#passed++
    this.#position = positionAt(object, this.#settings.order)
  }

  /** Opens the next object that can be read; `undefined` at the end, or when it is late. */
  async #openNext(until: number) {
    while (performance.now() < until && !this.#isClosed) {
      const next = await this.#next()
      if (next === undefined) {
        this.#isMore = false
        return undefined
      }
      const opened = await this.#open(next)
      if (opened !== undefined) return { object: next.object, opened }
    }
    return undefined
  }

  async #next(): Promise<Next | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return first
    if (this.#passed >= this.#settings.limit) return undefined
    const objects = (this.#objects ??= this.#list())
    const object = await objects.next()
    if (object !== undefined) return { object, within: undefined }
    const { passed } = objects
    const isBehind = passed !== undefined && compareKeys(passed, this.#position?.key ?? '') > 0
    if (isBehind) this.#position = { key: passed }
    return undefined
  }

  #list(): NewObjects {
    const { list } = this.#source
    return this.#settings.order === 'key'
      ? new ObjectsByKey(list, this.#position, this.#filter)
      : new ObjectsByTime(list, this.#position, this.#filter, this.#settings.limit - this.#passed)
  }

  async #open({ object, within }: Next): Promise<OpenedObject | undefined> {
    const { key, size } = object
    const { get, body } = this.#source
    const onCut = ({ message }: Error, offset: number) => {
      this.#source.warn(key, `its connection was cut at byte ${offset}, where it is read on: ${message}`)
    }
    if (size === 0 && within === undefined && this.#cutters.isNothing(key)) {
      this.#pass(object)
      return undefined
    }
    try {
      const settings = { ...body, onCut }
      const opened = await OpenedObject.open(object, within, get(key), settings, this.#settings, this.#cutters)
      if (!this.#comesLater(object, opened)) return opened
      opened.close()
      this.#pass(object)
      return undefined
    } catch (thrown) {
      const before = within === undefined || within.records === 0 ? '' : `, after ${within.records} of its records`
      this.#judge(object, thrown, before)
      return undefined
    }
  }

  /**
   * Whether an object was written to since it was listed, so that it comes again, in the order in which objects are written.
   */
  #comesLater({ lastModified, etag }: Next['object'], opened: OpenedObject): boolean {
    if (this.#settings.order === 'key' || (etag !== undefined && etagOf(etag) === opened.etag)) return false
    return opened.modified > lastModified
  }

  /**
   * Judges what went wrong with an object: it is read again, passed over, or the transfer fails.
   *
   * @param before - what was read of it before
   * @throws the error of the transfer
   */
  #judge(object: Listed, thrown: unknown, before: string): void {
    const { signal } = this.#source.body
    signal.throwIfAborted()
    if (this.#isClosed) return
    const { key } = object
    const reason = toError(thrown)
    if (isChanged(reason)) {
      this.#source.warn(key, `it was written to again${before}: it is read again from its start`)
      this.#first = { object, within: undefined }
    } else if (isAbsent(reason)) {
      this.#source.warn(key, `it was deleted${before === '' ? ' before it was read' : before}`)
      this.#pass(object)
    } else if (isOfObject(reason) && this.#settings.badObjects === 'skip') {
      this.#source.warn(key, `it is skipped${before}: ${reason.message}`)
      this.#pass(object)
    } else {
      throw reason instanceof S3Error ? reason : this.#source.toError(key, reason)
    }
  }
}

function isChanged(reason: Error): boolean {
  return reason instanceof ChangedObjectError || (reason instanceof S3Error && reason.status === 412)
}

/** Whether an error is of one object, and not of the storage. */
function isOfObject(reason: Error): boolean {
  if (reason instanceof S3Error) return reason.retryable === false || reason.serverCode === 'InvalidObjectState'
  return reason instanceof BodyError
}
