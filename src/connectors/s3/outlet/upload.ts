import { createHash } from 'node:crypto'
import { toError } from '../../../base/errors.js'
import { getLogger } from '../../../base/log.js'
import { bodyOf, type S3Body } from '../body.js'
import type { S3Connection } from '../client.js'
import type { S3Caller, S3Headers, S3Request } from '../request.js'
import { isAbsent, S3Error } from '../errors.js'
import { escapeXml, readXml } from '../xml.js'

/** Where and how an object is stored. */
export interface Destination {
  readonly connection: Pick<S3Connection, 'send' | 'where'>
  readonly key: string
  readonly headers: { readonly [name: string]: string }
}

/** Time in which the storage has to forget an upload that has failed, in milliseconds. */
const ABORT_TIME = 5000

/** Most parts of an object. */
const MOST_PARTS = 10_000

/**
 * Stores an object in one request. It is there as a whole, or not at all.
 *
 * @throws {@link S3Error}, or the reason of the caller's signal
 */
export async function putObject(to: Destination, caller: S3Caller, body: S3Body): Promise<void> {
  const { connection, key, headers } = to
  await connection.send(caller, { method: 'PUT', key, headers, body })
}

/**
 * An upload of an object in parts. The object is there once it is completed, as a whole.
 *
 * ```
 *   begun --> part, part, ... --> completed
 *     |             |----------> aborted, and the storage has forgotten the parts
 * ```
 */
export class MultipartUpload {
  readonly #to: Destination
  readonly #id: string
  /** Time at which it began, by the clock of the storage. */
  readonly #begunAt: number
  /** Etags of the parts, by their numbers less one. */
  readonly #etags: string[] = []
  #size = 0
  #begun = 0

  private constructor(to: Destination, id: string, begunAt: number) {
    this.#to = to
    this.#id = id
    this.#begunAt = begunAt
  }

  /** @throws {@link S3Error}, or the reason of the caller's signal */
  static async begin(to: Destination, caller: S3Caller): Promise<MultipartUpload> {
    const { connection, key, headers } = to
    const request: S3Request = { method: 'POST', key, query: { uploads: '' }, headers }
    const { text, headers: given } = await connection.send(caller, request)
    const id = readXml(text)?.text('UploadId')
    if (id !== undefined && id !== '') return new MultipartUpload(to, id, Date.parse(String(given['date'])))
    throw new S3Error(`S3Outlet: ${key} in ${connection.where}: the storage gave no id for an upload`, {
      retryable: true,
    })
  }

  /**
   * Uploads the next part. Several may be under way.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async add(caller: S3Caller, body: S3Body): Promise<void> {
    const { connection, key } = this.#to
    const number = ++this.#begun
    this.#size += body.size
    if (number > MOST_PARTS) {
      const message = `S3Outlet: ${key} in ${connection.where}: more than ${MOST_PARTS} parts: see the option partSize`
      throw new S3Error(message, { retryable: true })
    }
    const request: S3Request = {
      method: 'PUT',
      key,
      query: { partNumber: String(number), uploadId: this.#id },
      body,
    }
    const { headers } = await connection.send(caller, request)
    this.#etags[number - 1] = String(headers['etag'] ?? '')
  }

  /**
   * Makes the object of the parts, which have all been uploaded. When the storage does not say whether it has, it is asked.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async complete(caller: S3Caller): Promise<void> {
    const { connection, key } = this.#to
    const parts = this.#etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    )
    const body = bodyOf([Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)])
    const headers = { 'content-type': 'application/xml' }
    try {
      const query = { uploadId: this.#id }
      const { text } = await connection.send(caller, { method: 'POST', key, query, headers, body })
      if (readXml(text)?.name === 'CompleteMultipartUploadResult') return
      throw new S3Error(`S3Outlet: ${key} in ${connection.where}: the storage does not say whether it is complete`, {
        retryable: true,
      })
    } catch (error) {
      caller.signal.throwIfAborted()
      // a reply that was lost: the upload is gone when the object is there
      const isUnsure = isAbsent(error) || (error instanceof S3Error && error.retryable === true)
      if (!isUnsure || !(await this.#isThere(caller))) throw error
    }
  }

  /** Has the storage forget the parts. Never rejects: an upload that stays shows nothing, but it is stored. */
  async abort(): Promise<void> {
    const { connection, key } = this.#to
    const caller = { signal: AbortSignal.timeout(ABORT_TIME) }
    try {
      await connection.send(caller, { method: 'DELETE', key, query: { uploadId: this.#id } })
    } catch (error) {
      if (isAbsent(error)) return
      getLogger('databay.S3Outlet').warn(
        'S3Outlet: the parts of an upload that failed are still stored, of %s in %s: %s',
        key,
        connection.where,
        toError(error).message,
      )
    }
  }

  /** Whether the object that the parts make is there. */
  async #isThere(caller: S3Caller): Promise<boolean> {
    const { connection, key } = this.#to
    try {
      const { headers } = await connection.send(caller, { method: 'HEAD', key })
      const etag = bare(headers['etag'])
      const expected = etagOfParts(this.#etags)
      if (expected !== undefined) return etag === expected
      // an older object may be as long; storages tell times in seconds
      const isNew = Date.parse(String(headers['last-modified'])) >= this.#begunAt - 2000
      return isNew && Number(headers['content-length']) === this.#size
    } catch {
      caller.signal.throwIfAborted()
      return false
    }
  }
}

/** Etag of the object that parts make; `undefined` when those of the parts do not tell. */
function etagOfParts(etags: readonly string[]): string | undefined {
  const hash = createHash('md5')
  for (const etag of etags) {
    if (!MD5.test(bare(etag))) return undefined
    hash.update(Buffer.from(bare(etag), 'hex'))
  }
  return `${hash.digest('hex')}-${etags.length}`
}

const MD5 = /^[\da-f]{32}$/

function bare(etag: S3Headers[string]): string {
  return String(etag ?? '')
    .replaceAll('"', '')
    .toLowerCase()
}
