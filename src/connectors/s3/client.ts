import type { AwsV4Signer } from 'aws4fetch'
import type { Dispatcher } from 'undici'
import { getLogger } from '../../base/log.js'
import { importLater } from '../../base/libraries.js'
import type { Signal } from '../../base/node-types.js'
import { loadOptional } from '../../base/optional-packages.js'
import { withRetries } from '../../base/retry.js'
import { Warnings } from '../../base/warnings.js'
import { Update } from '../../core/update.js'
import type { Connection } from '../http/agents.js'
import { environment } from '../http/environment.js'
import { RunningWork } from '../running-work.js'
import { urlOf, type S3Query } from './address.js'
import type { S3Body } from './body.js'
import type { S3ConnectionSettings } from './connection-options.js'
import { CredentialSource, type UsedCredentials } from './credentials.js'
import { SIGNER } from './driver.js'
import { connectionError, isRetryable, refusalError, S3Error } from './errors.js'
import type { S3Object } from './listing.js'

const importParts = () => import('./parts.js')

type Parts = typeof import('./parts.js')

/** Who makes a request, such as an update: its text is for the log. */
export interface S3Caller {
  /** Ends the request when it aborts. */
  readonly signal: Signal
}

/** Request of S3, apart from its bucket. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Key of an object. Default: none, for the bucket itself. */
  readonly key?: string
  readonly query?: S3Query
  /** Headers by their names in lower case. */
  readonly headers?: { readonly [name: string]: string }
  /** Content; it must not change before it is sent. */
  readonly body?: S3Body | undefined
}

/** Headers of a response, by their names in lower case. */
export interface S3Headers {
  readonly [name: string]: string | readonly string[] | undefined
}

/** Response of S3 that was read whole. */
export interface S3Response {
  readonly status: number
  readonly headers: S3Headers
  readonly text: string
}

/** Response of S3 whose content is read piece by piece. */
export interface S3Stream {
  readonly status: number
  readonly headers: S3Headers
  readonly stream: Dispatcher.ResponseData['body']
}

/** One page of a listing, and when it was made by the clock of the storage, in milliseconds since 1970. */
export interface ListedPage {
  readonly objects: readonly S3Object[]
  readonly time: number
  readonly isLast: boolean
}

/** A connection that is open. */
export interface S3Session {
  readonly parts: Parts
  readonly Signer: typeof AwsV4Signer
  readonly connection: Connection
}

/** Most bytes of a response that is read whole. */
const LONGEST_TEXT = 67_108_864
/** Difference of clocks from which on it is taken for the reason of a refusal that gives none, in milliseconds. */
const SKEWED = 240_000

/** The connection of one inlet or outlet to a bucket of S3. */
export class S3Connection {
  readonly #connector: string
  readonly #settings: S3ConnectionSettings
  readonly #warnings: Warnings
  readonly #work = new RunningWork()
  readonly #credentials: CredentialSource
  /** Keys of signatures, by the day and credentials for which they are. */
  readonly #keys = new Map<string, ArrayBuffer>()
  /** How far the clock of the storage is ahead of ours, in milliseconds. */
  #skew = 0
  #opening: Promise<S3Session> | undefined
  #session: S3Session | undefined

  /** @param connector - name of the inlet or outlet, for errors and the log */
  constructor(connector: string, settings: S3ConnectionSettings) {
    this.#connector = connector
    this.#settings = settings
    this.#warnings = new Warnings(() => getLogger(`databay.${connector}`))
    this.#credentials = new CredentialSource(connector, settings.credentials, environment)
  }

  /** The bucket, with the host of the storage unless that is AWS. */
  get where(): string {
    const { bucket, host } = this.#settings
    return host === undefined ? bucket : `${bucket} at ${host}`
  }

  /**
   * Opens the connection, and looks whether the bucket can be used. Resolves with whether it was open already.
   *
   * @throws {@link S3Error} when the storage cannot be reached, does not take the credentials, or has no such bucket
   */
  async open(): Promise<boolean> {
    if (this.#session !== undefined) return true
    const opening = (this.#opening ??= this.#open())
    try {
      const session = await opening
      if (this.#opening === opening) this.#session = session
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      throw error
    }
    return false
  }

  /** Closes the connection when running work has ended. Does nothing when it is closed. */
  async close(): Promise<void> {
    const closing = this.#opening
    this.#warnings.end(this.#connector)
    this.#opening = undefined
    this.#session = undefined
    await this.#work.end()
    // a connection that could not be opened needs no closing
    const opened = await closing?.catch(() => undefined)
    await opened?.connection.close()
  }

  /**
   * Does work that {@link S3Connection.close} waits for.
   *
   * @throws {@link S3Error} when not connected
   */
  async use<T>(work: (session: S3Session) => Promise<T>): Promise<T> {
    return this.#work.run(work(this.#opened()))
  }

  /**
   * Makes a request, and makes it again when it fails for a reason that may pass. Its response is read whole.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  send(caller: S3Caller, request: S3Request): Promise<S3Response> {
    return this.#sendBy(this.#opened(), caller, request)
  }

  /**
   * Reads an object piece by piece. Only the beginning of the response is tried again.
   *
   * @param condition - `range` like `bytes=10-`, and `ifMatch`, the etag that the object must have
   * @throws {@link S3Error}, or the reason of the caller's signal; its status is 412 when the object has another etag
   */
  get(
    caller: S3Caller,
    key: string,
    { range, ifMatch }: { readonly range?: string; readonly ifMatch?: string } = {},
  ): Promise<S3Stream> {
    const session = this.#opened()
    const headers = { ...(range !== undefined && { range }), ...(ifMatch !== undefined && { 'if-match': ifMatch }) }
    const request: S3Request = { method: 'GET', key, headers }
    return this.#trying(caller, async () => {
      const { statusCode: status, headers, body: stream } = await this.#exchange(session, caller, request)
      return { status, headers, stream }
    })
  }

  /**
   * Lists objects in the order of their keys, page by page, each with the time of the storage.
   *
   * @param startAfter - key behind which the list begins; `undefined` for all keys
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async *list(caller: S3Caller, prefix: string, startAfter?: string): AsyncGenerator<ListedPage> {
    const { parts } = this.#opened()
    let query: S3Query = {
      'list-type': '2',
      'encoding-type': 'url',
      ...(prefix !== '' && { prefix }),
      ...(startAfter !== undefined && startAfter !== '' && { 'start-after': startAfter }),
    }
    for (;;) {
      const { text, headers } = await this.send(caller, { method: 'GET', query })
      const page = parts.readListing(text)
      if (page === undefined) throw new S3Error(`${this.#named({ method: 'GET', query })}: the response is no listing`)
      const { objects, isCut, next } = page
      const time = Date.parse(String(headers['date']))
      yield { objects, time: Number.isNaN(time) ? Date.now() : time, isLast: !isCut }
      if (!isCut) return
      const last = objects.at(-1)?.key
      if (next !== undefined) query = { ...query, 'continuation-token': next }
      // a storage that tells no token knows keys
      else if (last !== undefined) query = { ...query, 'start-after': last }
      else
        throw new S3Error(
          `${this.#named({ method: 'GET', query })}: the list is cut, and nothing says where it goes on`,
        )
    }
  }

  /** Does work that {@link S3Connection.close} waits for, and nobody else. */
  async background(work: Promise<void>): Promise<void> {
    await this.#work.run(work).catch(() => undefined)
  }

  /** Warns of something that concerns a caller; see {@link Warnings}. */
  warn(text: string, caller: S3Caller): void {
    this.#warnings.warn({}, text, caller)
  }

  #opened(): S3Session {
    if (this.#session !== undefined) return this.#session
    throw new S3Error(`${this.#connector}: not connected to ${this.where}: it is not started`, { retryable: true })
  }

  async #open(): Promise<S3Session> {
    const { connectTimeout, cacert, proxy } = this.#settings
    const { AwsV4Signer } = await loadOptional(SIGNER, this.#connector)
    const parts = await importLater(importParts)
    const connection = await parts.openConnection({ connectTimeout, cacert, proxy }, this.#connector)
    const session = { parts, Signer: AwsV4Signer, connection }
    try {
      // a prefix of no key, as some storages cannot cut a listing short
      const query = { 'list-type': '2', 'max-keys': '1', prefix: '.databay/nothing' }
      await this.#sendBy(session, { signal: new AbortController().signal }, { method: 'GET', query })
    } catch (error) {
      // credentials may be for writing or reading alone
      if (!(error instanceof S3Error && error.serverCode === 'AccessDenied')) {
        await connection.close()
        throw error
      }
    }
    return session
  }

  #sendBy(session: S3Session, caller: S3Caller, request: S3Request): Promise<S3Response> {
    return this.#trying(caller, async () => {
      const { statusCode: status, headers, body } = await this.#exchange(session, caller, request)
      const text = await this.#textOf(caller, request, body)
      // a request that takes long may have a response of 200 before it fails
      if (text.includes('<Error>')) this.#throwRefusal(session, request, text, headers)
      return { status, headers, text }
    })
  }

  #throwRefusal({ parts }: S3Session, request: S3Request, text: string, headers: S3Headers): void {
    const xml = parts.readXml(text)
    if (xml?.name === 'Error') throw this.toError(request, 500, xml, headers)
  }

  #trying<T>(caller: S3Caller, work: () => Promise<T>): Promise<T> {
    return withRetries(this.#settings.retry, caller.signal, work, (error) => {
      const again = isRetryable(error)
      if (again) this.#warnings.warn({}, `${textOf(caller)}tries again: ${error.message}`, caller)
      return again
    })
  }

  /** Sends a request, with other credentials or another time when the storage says that these have passed. */
  async #exchange(session: S3Session, caller: S3Caller, request: S3Request): Promise<Dispatcher.ResponseData> {
    for (let again = true; ; again = false) {
      const credentials = await this.#credentials.get()
      const response = await this.#sendOnce(session, caller, request, credentials)
      if (response.statusCode >= 200 && response.statusCode < 300) return response
      const error = await this.#refusalOf(session, caller, request, response)
      const mayPass = again && (this.#learnsTime(caller, error, response.headers) || this.#renews(error, credentials))
      if (!mayPass) throw error
    }
  }

  async #sendOnce(
    { parts, Signer, connection }: S3Session,
    { signal }: S3Caller,
    request: S3Request,
    credentials: UsedCredentials,
  ): Promise<Dispatcher.ResponseData> {
    const { bucketUrl, region, socketTimeout } = this.#settings
    const { method, key, query, headers, body } = request
    const url = urlOf(bucketUrl, key, query)
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    // one for each day and each of few credentials
    if (this.#keys.size > 16) this.#keys.clear()
    const signed = await new Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': body?.sha256 ?? EMPTY_SHA256 },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      service: 's3',
      region,
      cache: this.#keys,
      datetime: timeText(Date.now() + this.#skew),
    }).sign()
    signal.throwIfAborted()
    try {
      return await connection.send(url, {
        method,
        headers: { ...Object.fromEntries(signed.headers), ...(body && { 'content-length': String(body.size) }) },
        body: body === undefined ? null : parts.contentOf(body),
        headersTimeout: socketTimeout,
        bodyTimeout: socketTimeout,
        signal,
      })
    } catch (thrown) {
      signal.throwIfAborted()
      throw connectionError(this.#named(request), thrown)
    }
  }

  async #textOf({ signal }: S3Caller, request: S3Request, body: Dispatcher.ResponseData['body']): Promise<string> {
    try {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length
        if (size > LONGEST_TEXT) throw new Error(`the response has more than ${LONGEST_TEXT} bytes`)
        chunks.push(chunk)
      }
      return new TextDecoder().decode(chunks.length === 1 ? chunks[0] : joined(chunks, size))
    } catch (thrown) {
      signal.throwIfAborted()
      throw connectionError(this.#named(request), thrown)
    }
  }

  async #refusalOf(
    { parts }: S3Session,
    caller: S3Caller,
    request: S3Request,
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
  ): Promise<S3Error> {
    const text = await this.#textOf(caller, request, body)
    return this.toError(request, status, parts.readXml(text), headers)
  }

  /** Makes the error of a request that the storage refuses, of what it says. */
  toError(request: S3Request, status: number, xml: ReturnType<Parts['readXml']>, headers: S3Headers): S3Error {
    const said = xml?.name === 'Error' ? xml : undefined
    // a response to HEAD has no body
    const serverCode = said?.text('Code') ?? (status === 404 && request.method === 'HEAD' ? 'NotFound' : undefined)
    const refusal = { status, serverCode, message: said?.text('Message'), argument: said?.text('ArgumentName') }
    const region = headers['x-amz-bucket-region'] ?? said?.text('Region')
    const isElsewhere = typeof region === 'string' && region !== this.#settings.region
    const hint = isElsewhere ? `: the bucket is in the region ${region}: see the option region` : ''
    return refusalError(this.#named(request), refusal, hint)
  }

  /** Learns the time of the storage, if a request was refused for its time. Returns whether it has learned it. */
  #learnsTime(caller: S3Caller, { serverCode, status }: S3Error, { date }: S3Headers): boolean {
    const skew = (typeof date === 'string' ? Date.parse(date) : Number.NaN) - Date.now()
    if (Number.isNaN(skew)) return false
    const isSkewed = Math.abs(skew - this.#skew) > SKEWED
    if (serverCode !== 'RequestTimeTooSkewed' && !(serverCode === undefined && status === 403 && isSkewed)) return false
    this.#skew = skew
    const [seconds, than] = [Math.round(Math.abs(skew) / 1000), skew < 0 ? 'behind' : 'ahead of']
    const text = `${this.where}: the clock of the storage is ${seconds} s ${than} that of this machine`
    this.#warnings.warn({}, `${text}: requests are signed with the time of the storage`, caller)
    return true
  }

  /** Has credentials renewed that the storage does not take any more. Returns whether that can be done. */
  #renews({ serverCode }: S3Error, credentials: UsedCredentials): boolean {
    if (!this.#credentials.canRenew || serverCode === undefined || !RENEWED.has(serverCode)) return false
    this.#credentials.expire(credentials)
    return true
  }

  /** Connector, place and action, for errors. */
  #named({ method, key, query = {} }: S3Request): string {
    const place = key === undefined ? this.where : `${key} in ${this.where}`
    return `${this.#connector}: cannot ${actionOf(method, key, query)} ${place}`
  }
}

/** Codes that say that credentials are not taken any more. */
const RENEWED = new Set(['ExpiredToken', 'TokenRefreshRequired', 'InvalidToken', 'InvalidAccessKeyId'])

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const ACTIONS = { GET: 'read', HEAD: 'look for', PUT: 'write', POST: 'write', DELETE: 'delete' } as const

function actionOf(method: S3Request['method'], key: string | undefined, query: S3Query): string {
  if (key === undefined) return 'list'
  return 'uploadId' in query ? `${ACTIONS[method]} a multipart upload of` : ACTIONS[method]
}

/** A time as signatures have it, like `20150830T123600Z`. */
function timeText(time: number): string {
  return new Date(time).toISOString().replaceAll(/[:-]|\.\d{3}/g, '')
}

/** Text of a caller for the log; the empty text of one that has none. */
function textOf(caller: S3Caller): string {
  return caller instanceof Update ? `${String(caller)} ` : ''
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
