import type { Splitter } from '../../files/splitter.js'
import type { S3InletSettings } from './inlet-options.js'
import { ChangedObjectError, ObjectBody, type BodySettings, type BodyStart, type GetObject } from './object-body.js'
import { ObjectContent } from './object-content.js'
import { CutRecords, WholeRecords, type Extent, type ObjectRecords } from './object-records.js'
import type { Within } from './position.js'
import type { RecordCutters } from './record-cutter.js'
import { readWhole } from './whole-content.js'

/** An object that is being read, and how far. */
export class OpenedObject {
  readonly key: string
  readonly #body: ObjectBody
  readonly #content: ObjectContent
  readonly #records: ObjectRecords

  private constructor(key: string, body: ObjectBody, content: ObjectContent, records: ObjectRecords) {
    this.key = key
    this.#body = body
    this.#content = content
    this.#records = records
  }

  /**
   * Opens an object.
   *
   * @param from - place at which to begin; `undefined` for the start
   * @throws {@link ChangedObjectError}, or the error of the request
   */
  static async open(
    { key, ...listed }: { readonly key: string } & BodyStart['listed'],
    from: Within | undefined,
    get: GetObject,
    settings: BodySettings,
    rules: S3InletSettings,
    cutters: RecordCutters,
  ): Promise<OpenedObject> {
    const kind = cutters.formatOf(key)
    const splitter = cutters.splitterOf(kind)
    if (from !== undefined && !isPlaceOf(splitter, from)) {
      throw new ChangedObjectError('it is read in another format now')
    }
    const offset = from === undefined || from.packed ? 0 : from.offset
    const body = new ObjectBody(get, { offset, etag: from?.etag, listed }, settings)
    await body.open()
    const { format } = kind
    const isText = format !== 'bytes'
    const start = { offset: from?.offset ?? 0, packed: offset > 0 ? false : from?.packed }
    const content = new ObjectContent(body, start, { gzip: rules.gzip, isText })
    if (splitter !== undefined) return new OpenedObject(key, body, content, new CutRecords(content, splitter, from))
    const read = (bytes: Parameters<typeof readWhole>[1]) =>
      readWhole(format as 'json' | 'whole' | 'bytes', bytes, rules)
    const records = new WholeRecords(content, rules.maxObjectSize, read, from?.records ?? 0)
    return new OpenedObject(key, body, content, records)
  }

  /** Tag of what it holds; `''` where the storage tells none. */
  get etag(): string {
    return this.#body.etag
  }

  /** Time at which it was modified, in milliseconds and rounded down to seconds; NaN where nobody says. */
  get modified(): number {
    return this.#body.modified
  }

  /** Whether all its records were taken. */
  get isOver(): boolean {
    return this.#records.isOver
  }

  /** Number of bytes of its content that were used so far. */
  get used(): number {
    return this.#records.used
  }

  /** Place behind what was taken. */
  get place(): Within {
    return { ...this.#records.place(), etag: this.etag, packed: this.#content.packed }
  }

  /** What was not taken as it stands in the object; `undefined` when all was. */
  get damage(): string | undefined {
    const { damaged, damage = '' } = this.#records
    if (damaged > 0) return `${damaged} not taken as they are: ${damage}`
    const { leftOut } = this.#content
    return leftOut > 0 ? `${leftOut} bytes behind its packed content were left out` : undefined
  }

  /**
   * Takes the next records: some, or none at the end.
   *
   * @throws {@link BodyError} when there is one that cannot be read
   */
  take(extent: Extent): Promise<readonly unknown[]> {
    return this.#records.take(extent)
  }

  close(): void {
    this.#content.close()
  }
}

/** Whether a place was reached by what reads the object now. */
function isPlaceOf(splitter: Splitter<unknown, unknown> | undefined, { offset, state }: Within): boolean {
  return splitter === undefined ? offset === 0 && state === undefined : splitter.isState(state)
}
