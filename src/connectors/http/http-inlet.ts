import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { Url } from '../../base/node-types.js'
import { scrub } from '../../base/scrub.js'
import type { Secret } from '../../base/secret.js'
import { Warnings } from '../../base/warnings.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { Cursor } from '../../core/cursor.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Update } from '../../core/update.js'
import { DeliveredSince, sinceOf } from './inlet/delivered-since.js'
import { DeliveredValidators } from './inlet/delivered-validators.js'
import { httpError, showUrl, type HttpError } from './errors.js'
import { Lists } from '../lists.js'
import { loadLosslessJson } from '../parse-json.js'
import type { HttpInletOptions } from './inlet/inlet-options.js'
import { resolveInletOptions, type HttpInletSettings } from './inlet/inlet-settings.js'
import type { Tries } from './retry.js'
import { Reading, type Opened, type Pull } from './inlet/reading.js'
import { RunningPulls } from './inlet/running-pulls.js'
import { SincePull } from './inlet/since-pull.js'

const importClient = () => import('./inlet/client.js')

const LOGGER = 'databay.HttpInlet'

/**
 * Pulls data from a URL. Needs the package undici: `npm install undici@^7.20.0`.
 *
 * A response other than 2xx is an error, and redirects are not followed unless `redirects` says so. A response without
 * a body gives no records. Failures that may pass are tried again. Inlets of one thread share their connections to a
 * server. Pages, and long bodies of JSON lines, stream.
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
  readonly #settings: HttpInletSettings
  /** URL without secrets, for logs and errors. */
  readonly #shownUrl: string
  #opened: Promise<Opened> | undefined
  /** Whether the inlet was shut down, and not started since. */
  #stopped = false
  readonly #running = new RunningPulls()
  readonly #warnings = new Warnings(() => getLogger(LOGGER))
  /** Validators of the last response; `undefined` without `conditional`. */
  readonly #validators: DeliveredValidators | undefined
  /** Value of `since`; `undefined` without that option. */
  readonly #since: DeliveredSince | undefined
  /** The pull with `since` that began last. */
  #lastPull: Promise<void> = Promise.resolve()
  /** Whether the validators, or the value of `since`, are kept as a durable cursor. */
  #isDurable = false

  /**
   * @param url - URL to pull from
   * @throws {@link InvalidOptionError}
   */
  constructor(url: string | Url | Secret, options: HttpInletOptions<T> = {}) {
    const settings = resolveInletOptions(url, options)
    super(options)
    this.#settings = settings
    this.#shownUrl = showUrl(settings.request.url)
    this.#validators = settings.conditional ? new DeliveredValidators() : undefined
    this.#since = settings.since === undefined ? undefined : new DeliveredSince()
  }

  override async onStart(): Promise<void> {
    this.#stopped = false
    await this.#open()
  }

  /** @throws {@link HttpError} when the request fails, its response cannot be used, or the inlet was shut down */
  async pull(update: Update, cursor?: Cursor): Promise<T | T[] | PulledStream<T>> {
    const opened = await this.#open()
    // the inlet was shut down meanwhile: its connections may belong to others by now
    if (this.#stopped) throw this.#shutDown()
    getLogger(LOGGER).info('%s pulling %s', String(update), this.#shownUrl)
    this.#isDurable = cursor?.durable === true
    const pull = this.#begin(opened, update, this.#isDurable ? cursor : undefined)
    let pulled: unknown
    try {
      const since = await this.#beginSince(pull)
      const onEnd = () => {
        this.#received(pull)
      }
      const reading = new Reading(this.#settings, { ...pull, since, validators: this.#validators, onEnd })
      pulled = await pull.running.within(() => reading.read())
      if (!(pulled instanceof Lists)) onEnd()
    } finally {
      if (!(pulled instanceof Lists)) pull.running.end()
    }
    return pulled as T | T[] | Lists<T>
  }

  /**
   * With `since` its value, and with `conditional` the validators of the last response, are the cursor. Otherwise all is requested
   * again each time.
   */
  override get hasCursor(): boolean {
    return this.#settings.conditional || this.#since !== undefined
  }

  override get redelivers(): boolean {
    return this.hasCursor
  }

  /** A request that may change something at the server. */
  override get pullEffect(): string | undefined {
    const { method } = this.#settings.request
    return method === 'GET' ? undefined : `sends ${method} requests`
  }

  /** Notes how a transfer has ended. With `conditional` or `since`, what was not delivered is requested again. */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#validators?.ended(update, delivered)
    this.#since?.ended(update, delivered, rounds?.deliveredRounds)
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

  /** With `conditional` or `since`, where the next pull goes on, and the pulls that buffers hold. */
  override saveState(): unknown {
    return this.#isDurable ? undefined : (this.#validators ?? this.#since)?.save()
  }

  override restoreState(state: unknown): void {
    this.#validators?.restore(state)
    this.#since?.restore(state)
  }

  override toString(): string {
    const { origin, pathname } = this.#settings.request.url
    return `${this.constructor.name}(${scrub(`${origin}${pathname}`)})`
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

  #begin(opened: Opened, update: Update, cursor: Cursor | undefined): Pull {
    const { timeout, retry, retryStatuses, request, idempotent } = this.#settings
    let failed = ''
    const late = () => httpError(request.url, 'timeout', `no whole response within ${timeout} ms${failed}`)
    const running = this.#running.begin(update.signal, timeout, late)
    const tries: Tries = {
      retry: idempotent ? retry : { ...retry, retries: 0 },
      statuses: retryStatuses,
      signal: running.signal,
      get deadline() {
        return performance.now() + running.left
      },
      onRetry: (reason, attempt) => {
        failed = `; what failed before: ${reason.message}`
        const text = `${String(update)} trying again after try ${attempt}: ${reason.message}`
        this.#warnings.warn({ err: reason }, text, update)
      },
    }
    return { ...opened, running, tries, losses: { characters: 0, bytes: 0 }, update, cursor }
  }

  /** Gives a pull its value of `since`. It waits until the pull before has ended: that is where it goes on. */
  async #beginSince({ update, cursor, running }: Pull): Promise<SincePull | undefined> {
    const { since, request, maxPages } = this.#settings
    const places = this.#since
    if (since === undefined || places === undefined) return undefined
    const before = this.#lastPull
    this.#lastPull = running.ended
    await running.waitFor(before)
    const value = (cursor === undefined ? places.begin() : sinceOf(cursor.value)) ?? since.first
    const onPage = (start: unknown, records: number, value: unknown) => {
      // nobody takes the page any more
      if (running.isOver) return
      if (cursor === undefined) places.add(update, start, records, value)
      else if (value !== start && value !== undefined) cursor.advance({ since: value })
    }
    const onDisorder = () => {
      const what = `records do not come in the order of ${since.record?.join('.')}, so what breaks may lose some`
      this.#warnings.warn({}, `${this.#shownUrl}: ${what}: see order: 'any' of the option since`, update)
    }
    return new SincePull(since, request, value, maxPages, { onPage, onDisorder })
  }

  /** Logs that all of a pull is there. */
  #received({ losses: { characters, bytes }, update }: Pull): void {
    if (characters > 0) {
      const what = `bytes that are not of its charset: ${characters} characters became U+FFFD`
      this.#warnings.warn({ characters }, `${String(update)} ${this.#shownUrl} has ${what}`, update)
    }
    if (bytes > 0) {
      const what = `${bytes} bytes behind its packed body were left out`
      this.#warnings.warn({ bytes }, `${String(update)} ${this.#shownUrl}: ${what}`, update)
    }
    this.#warnings.well(String(this))
    getLogger(LOGGER).info('%s received %s', String(update), this.#shownUrl)
  }
}

async function open(settings: HttpInletSettings): Promise<Opened> {
  const client = await importLater(importClient)
  if (settings.format !== 'text') loadLosslessJson()
  return { client, connection: await client.openConnection(settings) }
}
