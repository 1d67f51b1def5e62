import type { AwsV4Signer } from 'aws4fetch'
import type { Dispatcher } from 'undici'
import type { Warnings } from '../../base/warnings.js'
import type { Connection } from '../http/agents.js'
import { environment } from '../http/environment.js'
import { retryAfter } from '../http/retry.js'
import { urlOf, type S3Query } from './address.js'
import { contentOf } from './body.js'
import type { S3ConnectionSettings } from './connection-options.js'
import { CredentialSource, type UsedCredentials } from './credentials.js'
import { connectionError, refusalError, type S3Error } from './errors.js'
import type { S3Caller, S3Headers, S3Request, S3Response, S3Stream } from './request.js'
import { readXml } from './xml.js'

/** Most bytes of a response that is read whole. */
const LONGEST_TEXT = 67_108_864
/** Difference of clocks from which on it is taken for the reason of a refusal that gives none, in milliseconds. */
const SKEWED = 240_000

/** What signed requests are made of. */
export interface Signing {
  /** Name of the inlet or outlet, for errors. */
  readonly connector: string
  /** The bucket, for errors. */
  readonly where: string
  readonly settings: S3ConnectionSettings
  readonly warnings: Warnings
  readonly connection: Connection
  readonly Signer: typeof AwsV4Signer
}

/** Signs and sends the requests of one connection: with credentials that are valid, and the time of the storage. */
export class SignedRequests {
  readonly #signing: Signing
  readonly #credentials: CredentialSource
  /** Keys of signatures, by the day and credentials for which they are. */
  readonly #keys = new Map<string, ArrayBuffer>()
  /** How far the clock of the storage is ahead of ours, in milliseconds. */
  #skew = 0

  constructor(signing: Signing) {
    this.#signing = signing
    this.#credentials = new CredentialSource(signing.connector, signing.settings.credentials, environment)
  }

  /**
   * Makes a request, whose response is read whole.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async send(caller: S3Caller, request: S3Request): Promise<S3Response> {
    const { status, headers, stream } = await this.stream(caller, request)
    const text = await this.#textOf(caller, request, stream)
    // a request that takes long may have a response of 200 before it fails
    if (text.includes('<Error>')) {
      const xml = readXml(text)
      if (xml?.name === 'Error') throw this.#toError(request, 500, xml, headers)
    }
    return { status, headers, text }
  }

  /**
   * Makes a request, whose response is read piece by piece. It is sent with other credentials or another time when the storage
   * says that these have passed.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async stream(caller: S3Caller, request: S3Request): Promise<S3Stream> {
    for (let again = true; ; again = false) {
      const credentials = await this.#credentials.get()
      const { statusCode: status, headers, body: stream } = await this.#sendOnce(caller, request, credentials)
      if (status >= 200 && status < 300) return { status, headers, stream }
      const text = await this.#textOf(caller, request, stream)
      const error = this.#toError(request, status, readXml(text), headers)
      const mayPass = again && (this.#learnsTime(caller, error, headers) || this.#renews(error, credentials))
      if (!mayPass) throw error
    }
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#signing.connection.close()
  }

  /** Connector, action and place of a request, for errors. */
  nameOf({ method, key, query = {} }: S3Request): string {
    const { connector, where } = this.#signing
    const place = key === undefined ? where : `${key} in ${where}`
    return `${connector}: cannot ${actionOf(method, key, query)} ${place}`
  }

  async #sendOnce(
    { signal }: S3Caller,
    request: S3Request,
    credentials: UsedCredentials,
  ): Promise<Dispatcher.ResponseData> {
    const { settings, connection, Signer } = this.#signing
    const { bucketUrl, region, socketTimeout } = settings
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
        body: body === undefined ? null : contentOf(body),
        headersTimeout: socketTimeout,
        bodyTimeout: socketTimeout,
        signal,
      })
    } catch (thrown) {
      signal.throwIfAborted()
      throw connectionError(this.nameOf(request), thrown)
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
      throw connectionError(this.nameOf(request), thrown)
    }
  }

  /** Makes the error of a request that the storage refuses, of what it says. */
  #toError(request: S3Request, status: number, xml: ReturnType<typeof readXml>, headers: S3Headers): S3Error {
    const said = xml?.name === 'Error' ? xml : undefined
    // a response to HEAD has no body
    const serverCode = said?.text('Code') ?? (status === 404 && request.method === 'HEAD' ? 'NotFound' : undefined)
    const refusal = {
      ...{ status, serverCode, message: said?.text('Message'), argument: said?.text('ArgumentName') },
      retryAfter: retryAfter(headers['retry-after'], headers['date']),
    }
    const region = headers['x-amz-bucket-region'] ?? said?.text('Region')
    const isElsewhere = typeof region === 'string' && region !== this.#signing.settings.region
    const hint = isElsewhere ? `: the bucket is in the region ${region}: see the option region` : ''
    return refusalError(this.nameOf(request), refusal, hint)
  }

  /** Learns the time of the storage, if a request was refused for its time. Returns whether it has learned it. */
  #learnsTime(caller: S3Caller, { serverCode, status }: S3Error, { date }: S3Headers): boolean {
    const skew = (typeof date === 'string' ? Date.parse(date) : Number.NaN) - Date.now()
    if (Number.isNaN(skew)) return false
    const isSkewed = Math.abs(skew - this.#skew) > SKEWED
    if (serverCode !== 'RequestTimeTooSkewed' && !(serverCode === undefined && status === 403 && isSkewed)) return false
    this.#skew = skew
    const [seconds, than] = [Math.round(Math.abs(skew) / 1000), skew < 0 ? 'behind' : 'ahead of']
    const text = `${this.#signing.where}: the clock of the storage is ${seconds} s ${than} that of this machine`
    this.#signing.warnings.warn({}, `${text}: requests are signed with the time of the storage`, caller)
    return true
  }

  /** Has credentials renewed that the storage does not take any more. Returns whether that can be done. */
  #renews({ serverCode }: S3Error, credentials: UsedCredentials): boolean {
    if (!this.#credentials.canRenew || serverCode === undefined || !RENEWED.has(serverCode)) return false
    this.#credentials.expire(credentials)
    return true
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

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
