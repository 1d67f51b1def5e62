import { getLogger } from '../../base/log.js'
import { importLater } from '../../base/libraries.js'
import { loadOptional } from '../../base/optional-packages.js'
import { withRetries } from '../../base/retry.js'
import { Warnings } from '../../base/warnings.js'
import { Opening } from '../opening.js'
import { RunningWork } from '../running-work.js'
import type { S3Query } from './address.js'
import type { S3ConnectionSettings } from './connection-options.js'
import { SIGNER } from './driver.js'
import { isRetryable, S3Error } from './errors.js'
import type { S3Object } from './listing.js'
import type { S3Caller, S3Request, S3Response, S3Stream } from './request.js'
import type { SignedRequests } from './signed-requests.js'

const importParts = () => import('./parts.js')

/** What an open connection works with. */
interface Session {
  readonly parts: typeof import('./parts.js')
  readonly requests: SignedRequests
}

/** One page of a listing, and when it was made by the clock of the storage, in milliseconds since 1970. */
export interface ListedPage {
  readonly objects: readonly S3Object[]
  readonly time: number
  readonly isLast: boolean
}

/** The connection of one inlet or outlet to a bucket of S3. */
export class S3Connection {
  readonly #connector: string
  readonly #settings: S3ConnectionSettings
  readonly #warnings: Warnings
  readonly #work = new RunningWork()
  readonly #opening = new Opening<Session>()

  /** @param connector - name of the inlet or outlet, for errors and the log */
  constructor(connector: string, settings: S3ConnectionSettings) {
    this.#connector = connector
    this.#settings = settings
    this.#warnings = new Warnings(() => getLogger(`databay.${connector}`))
  }

  /** The bucket, with the host of the storage unless that is AWS. */
  get where(): string {
    const { bucket, host } = this.#settings
    return host === undefined ? bucket : `${bucket} at ${host}`
  }

  /**
   * Opens the connection, and looks whether the bucket can be used.
   *
   * @throws {@link S3Error} when the storage cannot be reached, does not take the credentials, or has no such bucket
   */
  async open(): Promise<void> {
    await this.#opening.open(() => this.#open())
  }

  /** Closes the connection when running work has ended. Does nothing when it is closed. */
  async close(): Promise<void> {
    const session = this.#opening.letGo()
    this.#warnings.end(this.#connector)
    await this.#work.end()
    await (await session)?.requests.close()
  }

  /**
   * Does work that {@link S3Connection.close} waits for.
   *
   * @throws {@link S3Error} when not connected
   */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#session()
    return this.#work.run(work())
  }

  /**
   * Makes a request, and makes it again when it fails for a reason that may pass. Its response is read whole.
   *
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  send(caller: S3Caller, request: S3Request): Promise<S3Response> {
    const { requests } = this.#session()
    return this.#trying(caller, () => requests.send(caller, request))
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
    const { requests } = this.#session()
    const headers = { ...(range !== undefined && { range }), ...(ifMatch !== undefined && { 'if-match': ifMatch }) }
    const request: S3Request = { method: 'GET', key, headers }
    return this.#trying(caller, () => requests.stream(caller, request))
  }

  /**
   * Lists objects in the order of their keys, page by page, each with the time of the storage.
   *
   * @param startAfter - key behind which the list begins; `undefined` for all keys
   * @throws {@link S3Error}, or the reason of the caller's signal
   */
  async *list(caller: S3Caller, prefix: string, startAfter?: string): AsyncGenerator<ListedPage> {
    const { parts, requests } = this.#session()
    let query: S3Query = {
      'list-type': '2',
      'encoding-type': 'url',
      ...(prefix !== '' && { prefix }),
      ...(startAfter !== undefined && startAfter !== '' && { 'start-after': startAfter }),
    }
    for (;;) {
      const { text, headers } = await this.send(caller, { method: 'GET', query })
      const fail = (why: string) => new S3Error(`${requests.nameOf({ method: 'GET', query })}: ${why}`)
      const page = parts.readListing(text, fail)
      const { objects, isCut, next } = page
      const time = Date.parse(String(headers['date']))
      yield { objects, time: Number.isNaN(time) ? Date.now() : time, isLast: !isCut }
      if (!isCut) return
      const last = objects.at(-1)?.key
      // a storage that tells no token knows keys
      const goesOn = next !== undefined ? { 'continuation-token': next } : last !== undefined && { 'start-after': last }
      if (goesOn === false) throw fail('the list is cut, and nothing says where it goes on')
      if (Object.entries(goesOn).every(([name, value]) => query[name] === value)) throw fail('the list does not go on')
      query = { ...query, ...goesOn }
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

  #session(): Session {
    const session = this.#opening.opened
    if (session !== undefined) return session
    throw new S3Error(`${this.#connector}: not connected to ${this.where}: it is not started`, { retryable: true })
  }

  async #open(): Promise<Session> {
    const [connector, where, settings, warnings] = [this.#connector, this.where, this.#settings, this.#warnings]
    const { AwsV4Signer: Signer } = await loadOptional(SIGNER, connector)
    const parts = await importLater(importParts)
    const connection = await parts.openConnection(settings, connector)
    const requests = new parts.SignedRequests({ connector, where, settings, warnings, connection, Signer })
    try {
      const caller = { signal: new AbortController().signal }
      // a prefix of no key, as some storages cannot cut a listing short
      const query = { 'list-type': '2', 'max-keys': '1', prefix: '.databay/nothing' }
      await this.#trying(caller, () => requests.send(caller, { method: 'GET', query }))
    } catch (error) {
      // credentials may be for writing or reading alone
      if (!(error instanceof S3Error && error.serverCode === 'AccessDenied')) {
        await requests.close()
        throw error
      }
    }
    return { parts, requests }
  }

  #trying<T>(caller: S3Caller, work: () => Promise<T>): Promise<T> {
    return withRetries(this.#settings.retry, caller.signal, work, (error) => {
      if (!isRetryable(error)) return false
      this.#warnings.warn({}, `${textOf(caller)}tries again: ${error.message}`)
      const asked = error instanceof S3Error ? error.retryAfter : undefined
      // a storage that asks for minutes may be back before
      return asked === undefined || Math.min(asked, this.#settings.retry.maxDelay)
    })
  }
}

/** Text of a caller for the log; the empty text of one that has none of its own. */
function textOf(caller: S3Caller): string {
  return caller.toString === Object.prototype.toString ? '' : `${String(caller)} `
}
