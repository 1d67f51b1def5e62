import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { Url } from '../../base/node-types.js'
import { Warnings } from '../../base/warnings.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { Cursor } from '../../core/cursor.js'
import type { Update } from '../../core/update.js'
import type { Connection } from './agents.js'
import { parseBody, recordsOf, type Losses } from './body-records.js'
import { DeliveredValidators } from './delivered-validators.js'
import { httpError, showUrl, type HttpError } from './errors.js'
import type { HttpResponse } from './exchange.js'
import { Lists } from '../lists.js'
import { loadLosslessJson } from '../parse-json.js'
import { resolveSettings, type HttpInletOptions, type HttpSettings } from './options.js'
import type { HttpRequest } from './request.js'
import type { Tries } from './retry.js'
import type { NextPage } from './next-link.js'
import { RunningPulls, type RunningPull } from './running-pulls.js'
import { checkValidators, ifChanged, isSameVersion, validatorsOf, type Validators } from './validators.js'

const importClient = () => import('./client.js')

const LOGGER = 'databay.HttpInlet'

type Client = typeof import('./client.js')

/** Modules and connection of an inlet that is started. */
interface Opened {
  readonly client: Client
  readonly connection: Connection
}

/** What all requests of a pull have in common. */
interface Pull extends Opened {
  readonly running: RunningPull
  readonly tries: Tries
  readonly losses: Losses
  readonly update: Update
  /** Durable cursor, if there is one. */
  readonly cursor: Cursor | undefined
}

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
  /** Whether the validators are kept as a durable cursor. */
  #isDurable = false

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
  async pull(update: Update, cursor?: Cursor): Promise<T | T[] | PulledStream<T>> {
    const opened = await this.#open()
    // the inlet was shut down meanwhile: its connections may belong to others by now
    if (this.#stopped) throw this.#shutDown()
    getLogger(LOGGER).info('%s pulling %s', String(update), this.#shownUrl)
    this.#isDurable = cursor?.durable === true
    const pull = this.#begin(opened, update, this.#isDurable ? cursor : undefined)
    let pulled: unknown
    try {
      pulled = await pull.running.within(() => this.#pull(pull))
      if (!(pulled instanceof Lists)) this.#received(pull)
    } finally {
      if (!(pulled instanceof Lists)) pull.running.end()
    }
    return pulled as T | T[] | Lists<T>
  }

  /** With `conditional`, the validators of the last response are the cursor. Otherwise all is requested again each time. */
  override get hasCursor(): boolean {
    return this.#settings.conditional
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
    return this.#isDurable ? undefined : this.#validators?.save()
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

  /** Lists of a pull that streams. */
  #lists(pull: Pull, first: unknown[], read: () => Promise<unknown[] | undefined>, close?: () => void): Lists<unknown> {
    const { running } = pull
    const readOn = async () => {
      running.signal.throwIfAborted()
      const list = await running.within(read)
      if (list === undefined) this.#received(pull)
      return list
    }
    return new Lists(first, readOn, () => {
      close?.()
      running.end()
    })
  }

  #pull(pull: Pull): Promise<unknown> {
    return this.#settings.next === undefined ? this.#pullOne(pull) : this.#pullPages(pull)
  }

  /** Reads pages: a list of each that has records. */
  async #pullPages(pull: Pull): Promise<unknown> {
    const { request, next, maxPages, maxBodySize, select } = this.#settings
    const pages = new pull.client.Pages(next as NextPage, maxPages)
    let left = maxBodySize
    let asked: HttpRequest | undefined = request
    const read = async (): Promise<unknown[] | undefined> => {
      while (asked !== undefined) {
        const response: HttpResponse = await this.#exchange(pull, asked, left)
        const body = parseBody(response, this.#settings, pull.losses)
        left -= response.bytes.length
        const records = [recordsOf(response, body, select)].flat()
        asked = pages.after(asked, response, body)
        if (records.length > 0) return records
      }
      return undefined
    }
    const first = (await read()) ?? []
    // it may be set by now
    return (asked as HttpRequest | undefined) === undefined ? first : this.#lists(pull, first, read)
  }

  async #pullOne(pull: Pull): Promise<unknown> {
    const { request, maxBodySize, format, select, bigIntegers } = this.#settings
    const { client, tries, losses } = pull
    const begun = this.#validators?.begin(pull.update)
    const known = pull.cursor === undefined ? this.#validators?.current : checkValidators(pull.cursor.value)
    const note =
      begun &&
      ((validators: Validators | undefined) => {
        begun(validators)
        pull.cursor?.advance(validators ?? {})
      })
    const asked = known === undefined ? request : ifChanged(request, known)
    const streams = format === 'ndjson' && select === undefined
    const { response, lines, first, validators, isKnown } = await client.withTries(tries, async () => {
      const response = await this.#exchangeOnce(pull, asked, maxBodySize, known !== undefined, streams)
      const validators = note && validatorsOf(response.headers)
      // some servers send what is known as if it was not
      const isKnown = response.status === 200 && isSameVersion(known, validators)
      if (isKnown) response.opened?.stream.close()
      const lines = isKnown || response.opened === undefined ? undefined : new client.JsonLines(response, bigIntegers)
      return { response, lines, first: await lines?.next(), validators, isKnown }
    })
    if (isKnown || (response.status === 304 && known !== undefined)) return []
    if (lines === undefined) {
      const records = recordsOf(response, parseBody(response, this.#settings, losses), select)
      // only now, as an unusable response has to be requested again
      note?.(validators)
      return records
    }
    const end = () => {
      losses.characters += lines.replaced
      losses.bytes += lines.leftOut
      note?.(validators)
    }
    if (lines.isOver) {
      end()
      return first ?? []
    }
    const readOn = async () => {
      const list = await lines.next()
      if (list === undefined) end()
      return list
    }
    return this.#lists(pull, first ?? [], readOn, () => {
      lines.close()
    })
  }

  #exchange(pull: Pull, request: HttpRequest, bodyLimit: number): Promise<HttpResponse> {
    return pull.client.withTries(pull.tries, () => this.#exchangeOnce(pull, request, bodyLimit))
  }

  #exchangeOnce(
    { client, connection, tries }: Pull,
    request: HttpRequest,
    bodyLimit: number,
    mayBeUnchanged = false,
    streams = false,
  ): Promise<HttpResponse> {
    const { statuses } = this.#settings
    const accepts = (status: number) =>
      (status === 304 && mayBeUnchanged) || (statuses?.has(status) ?? (status >= 200 && status < 300))
    return client.exchange(connection, request, { ...this.#settings, accepts, bodyLimit, streams }, tries.signal)
  }
}

async function open(settings: HttpSettings): Promise<Opened> {
  const client = await importLater(importClient)
  if (settings.format !== 'text') loadLosslessJson()
  return { client, connection: await client.openConnection(settings) }
}
