import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { Url as URL } from '../../base/node-types.js'
import { scrub } from '../../base/scrub.js'
import type { Secret } from '../../base/secret.js'
import type { Untyped } from '../../base/untyped.js'
import { Warnings } from '../../base/warnings.js'
import { Outlet } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { Opening } from '../opening.js'
import { loadLosslessJson } from '../parse-json.js'
import { RunningWork } from '../running-work.js'
import type { Connection } from './agents.js'
import { httpError } from './errors.js'
import { isIdempotent } from './methods.js'
import type { HttpOutletOptions } from './outlet/outlet-options.js'
import { resolveOutletOptions, type HttpOutletSettings } from './outlet/outlet-settings.js'
import type { SizeLimit } from './outlet/size-limit.js'

const importAgents = () => import('./agents.js')
const importPush = () => import('./outlet/push.js')

/**
 * Time for which an idle connection is kept for requests that may not be made twice, in milliseconds. A server may close it just as
 * a request is sent, and nobody knows whether that arrived. Servers keep theirs for two seconds at least.
 */
const SHORTLY = 1000

/** What pushes need. */
interface Opened {
  readonly connection: Connection
  readonly code: typeof import('./outlet/push.js')
  /** Size of requests that the server takes. */
  readonly limit: SizeLimit
}

/**
 * Sends records to a URL: each with a request of its own, or many as a batch. Needs the package undici:
 * `npm install undici@^7.20.0`.
 *
 * A record is taken when its request is answered with a status from 200 to 299. Statuses such as 422 refuse it; the others, and a
 * server that cannot be reached, mean that it is to be sent another time. A request that may have arrived is made again only
 * when it may be made twice: by its method, with an `idempotencyKey`, or with `idempotent: true`.
 *
 * @example
 * ```ts
 * new HttpOutlet('https://example.com/orders', { idempotencyKey: ([order]) => order.payload.id })
 * new HttpOutlet('https://example.com/orders', { send: 'batch', format: 'ndjson', gzip: true })
 * new HttpOutlet('https://example.com/orders', { method: 'PUT', target: ({ payload }) => String(payload.id) })
 * ```
 *
 * @typeParam T - type of the payloads
 */
export class HttpOutlet<T = Untyped> extends Outlet<T> {
  /** Whether payloads are only read: not where functions of the options, or a class that extends this one, get them. */
  override readonly readsOnly: boolean
  readonly #settings: HttpOutletSettings
  readonly #warnings = new Warnings(() => getLogger('databay.HttpOutlet'))
  /** Pushes that are under way. */
  readonly #pushes = new RunningWork()
  readonly #opening = new Opening<Opened>()

  /**
   * @param url - URL with http: or https:, which may have credentials
   * @throws {@link InvalidOptionError}
   */
  constructor(url: string | URL | Secret, options: HttpOutletOptions<T> = {}) {
    const settings = resolveOutletOptions(url, options)
    super(options)
    this.#settings = settings
    const { target, body, results, idempotencyKey } = settings
    const handsOn = [target, body, results, idempotencyKey].some((option) => typeof option === 'function')
    // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
    this.readsOnly = !handsOn && Object.is(this.push, HttpOutlet.prototype.push)
  }

  /** Prepares connections. It sends nothing: whether the server can be reached, the first push shows. */
  override async onStart(): Promise<void> {
    await this.#opening.open(() => open(this.#settings))
  }

  /** Closes connections when running pushes have ended. */
  override async onShutdown(): Promise<void> {
    const opened = this.#opening.letGo()
    this.#warnings.end(String(this))
    await this.#pushes.end()
    await (await opened)?.connection.close()
  }

  override saveState(): unknown {
    return undefined
  }

  /**
   * Sends a batch.
   *
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link HttpError} when none were, for one reason
   */
  async push(records: Record<T>[], update: Update): Promise<void> {
    const { opened } = this.#opening
    if (opened === undefined) {
      const options = { retryable: true }
      throw httpError(this.#settings.url, 'connection', 'the outlet is not started', options, 'HttpOutlet')
    }
    const { code, connection, limit } = opened
    const pushing = { settings: this.#settings, connection, warnings: this.#warnings, limit }
    await this.#pushes.run(code.pushRecords(pushing, records, update))
    this.#warnings.well(String(this))
  }

  override toString(): string {
    const { origin, pathname } = this.#settings.url
    return `${this.constructor.name}(${scrub(`${origin}${pathname}`)})`
  }
}

async function open(settings: HttpOutletSettings): Promise<Opened> {
  const { openConnection } = await importLater(importAgents)
  const code = await importLater(importPush)
  if (settings.format === 'form' || settings.results !== undefined) loadLosslessJson()
  const isRepeatable = settings.idempotent ?? isIdempotent(settings.method)
  const connection = await openConnection({ ...settings, ...(!isRepeatable && { keepAlive: SHORTLY }) }, 'HttpOutlet')
  return { code, limit: new code.SizeLimit(), connection }
}
