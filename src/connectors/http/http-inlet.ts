import { toError } from '../../base/errors.js'
import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { Url } from '../../base/node-types.js'
import { Warnings } from '../../base/warnings.js'
import { Inlet } from '../../core/inlet.js'
import type { Update } from '../../core/update.js'
import type { Connection } from './agents.js'
import { bodyText } from './body-text.js'
import { DeliveredValidators } from './delivered-validators.js'
import { httpError, showUrl, type HttpError } from './errors.js'
import type { HttpResponse } from './exchange.js'
import { loadLosslessJson } from '../parse-json.js'
import { parseText } from './format.js'
import { resolveSettings, type HttpInletOptions, type HttpSettings } from './options.js'
import type { HttpRequest } from './request.js'
import type { Tries } from './retry.js'
import { RunningPulls } from './running-pulls.js'
import { selectRecords } from './select.js'
import { ifChanged, isSameVersion, validatorsOf } from './validators.js'

const importClient = () => import('./client.js')

const LOGGER = 'databay.HttpInlet'

type Client = typeof import('./client.js')

/** Modules and connection of an inlet that is started. */
interface Opened {
  readonly client: Client
  readonly connection: Connection
}

/** Counts of what was not read, over all bodies of a pull. */
interface Losses {
  /** Number of characters that became U+FFFD. */
  characters: number
  /** Number of bytes behind packed bodies. */
  bytes: number
}

/**
 * Pulls data from a URL. Needs the package undici: `npm install undici@^7.20.0`.
 *
 * A response other than 2xx is an error, and redirects are not followed unless `redirects` says so. A response without
 * a body gives no records. Failures that may pass are tried again. Inlets of one thread share their connections to a
 * server.
 *
 * @example
 * The payloads are what `select` gives, or what is said:
 * ```ts
 * new HttpInlet('https://example.com/todos', { select: (body: { items: Todo[] }) => body.items }) // HttpInlet<Todo>
 * new HttpInlet<Todo>('https://example.com/todos', { select: 'items' })
 * ```
 *
 * @typeParam T - type of the payloads; it is believed, not checked
 */
export class HttpInlet<T = unknown> extends Inlet<T> {
  readonly #settings: HttpSettings
  /** URL without secrets, for logs and errors. */
  readonly #shownUrl: string
  #opened: Promise<Opened> | undefined
  /** Whether the inlet was shut down, and not started since. */
  #stopped = false
  readonly #running = new RunningPulls()
  readonly #warnings = new Warnings(() => getLogger(LOGGER))
  /** Validators of the last response; `undefined` without `conditional`. */
  readonly #validators: DeliveredValidators | undefined

  /**
   * @param url - URL to pull from
   * @throws {@link InvalidOptionError}
   */
  constructor(url: string | Url, options: HttpInletOptions<T> = {}) {
    const settings = resolveSettings(url, options)
    super(options)
    this.#settings = settings
    this.#shownUrl = showUrl(settings.request.url)
    this.#validators = settings.conditional ? new DeliveredValidators() : undefined
  }

  override async onStart(): Promise<void> {
    this.#stopped = false
    await this.#open()
  }

  /** @throws {@link HttpError} when the request fails, its response cannot be used, or the inlet was shut down */
  async pull(update: Update): Promise<T | T[]> {
    const opened = await this.#open()
    // the inlet was shut down meanwhile: its connections may belong to others by now
    if (this.#stopped) throw this.#shutDown()
    const log = getLogger(LOGGER)
    log.info('%s pulling %s', String(update), this.#shownUrl)
    const losses = { characters: 0, bytes: 0 }
    const pulled = await this.#within(update, (tries) => this.#pull(opened, tries, update, losses))
    const { characters, bytes } = losses
    if (characters > 0) {
      const what = `bytes that are not of its charset: ${characters} characters became U+FFFD`
      this.#warnings.warn({ characters }, `${String(update)} ${this.#shownUrl} has ${what}`, update)
    }
    if (bytes > 0) {
      const what = `${bytes} bytes behind its packed body were left out`
      this.#warnings.warn({ bytes }, `${String(update)} ${this.#shownUrl}: ${what}`, update)
    }
    this.#warnings.well(String(this))
    log.info('%s received %s', String(update), this.#shownUrl)
    return pulled as T | T[]
  }

  /** Notes how a transfer has ended. With `conditional`, a response that was not delivered is requested again. */
  override onTransferEnd(update: Update, delivered: boolean): void {
    this.#validators?.ended(update, delivered)
  }

  override async onShutdown(): Promise<void> {
    const opening = this.#opened
    this.#opened = undefined
    this.#stopped = true
    this.#warnings.end(String(this))
    this.#running.stop(() => this.#shutDown())
    // when it could not be opened there is nothing to close
    const opened = await opening?.catch(() => undefined)
    await opened?.connection.close()
  }

  /** With `conditional`, the validators of the last response that was not in vain, and the pulls that buffers hold. */
  override saveState(): unknown {
    return this.#validators?.save()
  }

  override restoreState(state: unknown): void {
    this.#validators?.restore(state)
  }

  override toString(): string {
    const { origin, pathname } = this.#settings.request.url
    return `${this.constructor.name}(${origin}${pathname})`
  }

  /** Connection of this inlet, opened at the first call. A failed attempt is forgotten, so the next one may succeed. */
  #open(): Promise<Opened> {
    if (this.#stopped) return Promise.reject(this.#shutDown())
    this.#opened ??= open(this.#settings).catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  #shutDown(): HttpError {
    return httpError(this.#settings.request.url, 'connection', 'the inlet was shut down')
  }

  /** Does the work of a pull: until its time is up, its transfer is cancelled, or the inlet is shut down. */
  #within<R>(update: Update, work: (tries: Tries) => Promise<R>): Promise<R> {
    const { timeout, retry, retryStatuses, request, idempotent } = this.#settings
    let failed = ''
    const late = () => httpError(request.url, 'timeout', `no whole response within ${timeout} ms${failed}`)
    return this.#running.run(update.signal, timeout, late, (signal) =>
      work({
        retry: idempotent ? retry : { ...retry, retries: 0 },
        statuses: retryStatuses,
        signal,
        deadline: performance.now() + timeout,
        onRetry: (reason, attempt) => {
          failed = `; what failed before: ${reason.message}`
          const text = `${String(update)} trying again after try ${attempt}: ${reason.message}`
          this.#warnings.warn({ err: reason }, text, update)
        },
      }),
    )
  }

  /** Reads all pages, or with `next` unset the only one. */
  async #pull(opened: Opened, tries: Tries, update: Update, losses: Losses): Promise<unknown> {
    const { request, next, maxPages, maxBodySize } = this.#settings
    if (next === undefined) return this.#pullOne(opened, tries, update, losses)
    const pages = new opened.client.Pages(next, maxPages)
    const records: unknown[] = []
    let left = maxBodySize
    for (let asked: HttpRequest | undefined = request; asked !== undefined;) {
      const response = await this.#exchange(opened, tries, asked, left)
      const body = this.#parse(response, losses)
      left -= response.bytes.length
      // one by one, as a call takes only so many arguments
      const found = this.#select(response, body)
      for (const record of Array.isArray(found) ? (found as unknown[]) : [found]) records.push(record)
      asked = pages.after(asked, response, body)
    }
    return records
  }

  async #pullOne(opened: Opened, tries: Tries, update: Update, losses: Losses): Promise<unknown> {
    const { request, maxBodySize } = this.#settings
    const note = this.#validators?.begin(update)
    const known = this.#validators?.current
    const asked = known === undefined ? request : ifChanged(request, known)
    const response = await this.#exchange(opened, tries, asked, maxBodySize, known !== undefined)
    if (response.status === 304 && known !== undefined) return []
    const validators = note && validatorsOf(response.headers)
    // some servers send what is known as if it was not
    if (response.status === 200 && isSameVersion(known, validators)) return []
    const records = this.#select(response, this.#parse(response, losses))
    // only now, as an unusable response has to be requested again
    note?.(validators)
    return records
  }

  #exchange(
    { client, connection }: Opened,
    tries: Tries,
    request: HttpRequest,
    bodyLimit: number,
    mayBeUnchanged = false,
  ): Promise<HttpResponse> {
    const { statuses } = this.#settings
    const accepts = (status: number) =>
      (status === 304 && mayBeUnchanged) || (statuses?.has(status) ?? (status >= 200 && status < 300))
    const limits = { ...this.#settings, accepts, bodyLimit }
    return client.withTries(tries, () => client.exchange(connection, request, limits, tries.signal))
  }

  /** The records of a body: those that `select` finds, or else what it is. */
  #select({ request, status }: HttpResponse, body: unknown): unknown {
    const { select } = this.#settings
    if (body === undefined) return []
    if (select === undefined) return body
    try {
      return selectRecords(select, body)
    } catch (cause) {
      throw httpError(request.url, 'body', `select: ${toError(cause).message}`, { cause, status })
    }
  }

  /** Parses a response; `undefined` when it has no body. */
  #parse({ request, status, headers, bytes, leftOut }: HttpResponse, losses: Losses): unknown {
    losses.bytes += leftOut
    if (bytes.length === 0) return undefined
    const { format, charset, bigIntegers } = this.#settings
    try {
      const { text, replaced } = bodyText(bytes, headers['content-type'], charset)
      losses.characters += replaced
      return text === '' ? undefined : parseText(format, text, bigIntegers)
    } catch (cause) {
      throw httpError(request.url, 'body', toError(cause).message, { cause, status })
    }
  }
}

async function open(settings: HttpSettings): Promise<Opened> {
  const client = await importLater(importClient)
  if (settings.format !== 'text') loadLosslessJson()
  return { client, connection: await client.openConnection(settings) }
}
