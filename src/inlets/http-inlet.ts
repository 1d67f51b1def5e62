import type { Buffer } from 'node:buffer'
import { checkBoolean, checkOptions, checkPath, checkCount } from '../check.js'
import { HttpError, type HttpFailure, InvalidOptionError, toError } from '../errors.js'
import { Inlet, type InletOptions } from '../inlet.js'
import type { Duration } from '../interval.js'
import { getLogger } from '../log.js'
import type { Update } from '../update.js'
import { BodyError, bodyText, parseJson, readBody } from './http-body.js'
import { openConnection, type Connection } from './http-connection.js'
import { resolveRequest, showUrl, type HttpHeaders, type HttpParams, type HttpRequest } from './http-request.js'

export interface HttpInletOptions extends InletOptions {
  /**
   * Parameters, added to the query of the URL.
   * @default {}
   */
  readonly params?: HttpParams
  /**
   * Headers of the request. They replace those of the same name that are sent otherwise: `accept-encoding`,
   * `user-agent`, and `authorization` from credentials in the URL.
   * @default {}
   */
  readonly headers?: HttpHeaders
  /**
   * Method of the request.
   * @default 'GET', or 'POST' when there is a `body`
   */
  readonly method?: string
  /**
   * Body of the request.
   * @default undefined - none
   */
  readonly body?: string | Uint8Array
  /**
   * Whether the response is parsed as JSON: an array is a record per element, anything else one record. Otherwise
   * the text of the response is one record.
   * @default true
   */
  readonly json?: boolean
  /**
   * Path of a file of certificates (PEM) of authorities to trust, in addition to those that Node has built in.
   * @default undefined - none
   */
  readonly cacert?: string
  /**
   * Time for a request in all, to the end of the response, in seconds or as a duration.
   * @default 60
   */
  readonly timeout?: number | Duration
  /**
   * Time to connect, with DNS and TLS, in seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Time from the request to the headers of the response, in seconds or as a duration.
   * @default the `timeout`
   */
  readonly headersTimeout?: number | Duration
  /**
   * Time between two parts of the response's body, in seconds or as a duration.
   * @default the `timeout`
   */
  readonly bodyTimeout?: number | Duration
  /**
   * Most bytes of a response's body, unpacked.
   * @default 104_857_600 - 100 MiB
   */
  readonly maxBodySize?: number
  /**
   * Statuses whose responses are taken. Any other is an error.
   * @default undefined - those from 200 to 299
   */
  readonly statuses?: readonly number[]
}

const OPTIONS = [
  ...(['metadata', 'params', 'headers', 'method', 'body', 'json', 'cacert'] as const),
  ...(['timeout', 'connectTimeout', 'headersTimeout', 'bodyTimeout', 'maxBodySize', 'statuses'] as const),
]

interface HttpResponse {
  readonly status: number
  readonly contentType: string | readonly string[] | undefined
  readonly body: Buffer
}

/**
 * Pulls data from a URL. Needs the package undici: `npm install undici@^7`.
 *
 * A response other than 2xx is an error, and redirects are not followed. A response without a body is no records.
 *
 * @typeParam T - type of the payloads; it is believed, not checked
 */
export class HttpInlet<T = unknown> extends Inlet<T> {
  readonly #request: HttpRequest
  readonly #json: boolean
  readonly #cacert: string | undefined
  readonly #maxBodySize: number
  readonly #statuses: ReadonlySet<number> | undefined
  /** For logs and errors. */
  readonly #shownUrl: string
  #connection: Promise<Connection> | undefined

  /**
   * @param url - where to pull from
   * @throws {@link InvalidOptionError}
   */
  constructor(url: string | URL, options: HttpInletOptions = {}) {
    super(checkOptions('HttpInlet', options, OPTIONS))
    this.#request = resolveRequest(url, options)
    this.#shownUrl = showUrl(this.#request.url)
    this.#json = checkBoolean('HttpInlet.json', options.json, true)
    this.#cacert = options.cacert === undefined ? undefined : checkPath('HttpInlet.cacert', options.cacert)
    this.#maxBodySize = checkCount('HttpInlet.maxBodySize', options.maxBodySize, 104_857_600)
    this.#statuses = checkStatuses(options.statuses)
  }

  override async onStart(): Promise<void> {
    await this.#connect()
  }

  /** @throws {@link HttpError} when the request fails, or its response cannot be used */
  async pull(update: Update): Promise<T | T[]> {
    const connection = await this.#connect()
    const log = getLogger('databay.HttpInlet')
    log.info('%s pulling %s', String(update), this.#shownUrl)
    const response = await this.#exchange(connection, update.signal)
    log.info('%s received %s', String(update), this.#shownUrl)
    return this.#parse(response)
  }

  override async onShutdown(): Promise<void> {
    const opening = this.#connection
    this.#connection = undefined
    // when it could not be opened there is nothing to close
    const connection = await opening?.catch(() => undefined)
    await connection?.agent.destroy()
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    const { origin, pathname } = this.#request.url
    return `${this.constructor.name}(${origin}${pathname})`
  }

  /** The connection of this inlet, opened at the first call. A failed try is forgotten, so the next one may do. */
  #connect(): Promise<Connection> {
    this.#connection ??= openConnection(this.#request, this.#cacert).catch((error: unknown) => {
      this.#connection = undefined
      throw error
    })
    return this.#connection
  }

  /** One request and its whole response, within the time for both. */
  async #exchange(connection: Connection, stopped: AbortSignal): Promise<HttpResponse> {
    const { timeout } = this.#request
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeout)
    try {
      return await this.#send(connection, AbortSignal.any([stopped, late.signal]))
    } catch (cause) {
      if (stopped.aborted) throw toError(stopped.reason)
      if (cause instanceof HttpError) throw cause
      if (late.signal.aborted) throw this.#error('timeout', `no whole response within ${timeout} ms`)
      const error = toError(cause)
      const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
      const failure = TIMEOUTS.has(code) ? 'timeout' : 'connection'
      // when every address of a host failed, only the code says why
      throw this.#error(failure, error.message || code, { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  async #send(connection: Connection, signal: AbortSignal): Promise<HttpResponse> {
    const { url, method, headers, body } = this.#request
    const { agent, request } = connection
    const response = await request(url, {
      dispatcher: agent,
      method,
      headers,
      body,
      signal,
    })
    const status = response.statusCode
    if (!this.#accepts(status)) {
      // read on, so that the connection can be used again
      await response.body.dump().catch(() => undefined)
      throw this.#error('status', `the response has the status ${status}`, { status })
    }
    const { 'content-type': contentType, 'content-encoding': encoding } = response.headers
    try {
      return { status, contentType, body: await readBody(response.body, encoding, this.#maxBodySize) }
    } catch (cause) {
      response.body.on('error', () => undefined).destroy()
      if (cause instanceof BodyError) throw this.#error('body', cause.message, { cause, status })
      throw cause
    }
  }

  #accepts(status: number): boolean {
    return this.#statuses === undefined ? status >= 200 && status < 300 : this.#statuses.has(status)
  }

  /** The records of a response. */
  #parse(response: HttpResponse): T | T[] {
    const { status, contentType, body } = response
    if (body.length === 0) return []
    try {
      const text = bodyText(body, contentType)
      return (this.#json ? parseJson(text) : text) as T | T[]
    } catch (cause) {
      throw this.#error('body', toError(cause).message, { cause, status })
    }
  }

  #error(failure: HttpFailure, message: string, options?: ErrorOptions & { status?: number }): HttpError {
    return new HttpError(failure, `HttpInlet: ${this.#shownUrl}: ${message}`, options)
  }
}

/** Codes of undici's errors that say that a time ran out. */
const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

function checkStatuses(statuses: readonly number[] | undefined): ReadonlySet<number> | undefined {
  if (statuses === undefined) return undefined
  const valid = Array.isArray(statuses) && statuses.length > 0
  if (!valid || !statuses.every((status) => Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new InvalidOptionError('HttpInlet.statuses', 'a list of statuses from 200 to 599', statuses)
  }
  return new Set(statuses)
}
