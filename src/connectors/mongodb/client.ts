import type { Db, MongoClient } from 'mongodb'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { loadOptional } from '../../base/optional-packages.js'
import { Warnings } from '../../base/warnings.js'
import type { Update } from '../../core/update.js'
import { DatabaseError } from '../errors.js'
import { withRetries } from '../../base/retry.js'
import type { MongoConnectionSettings } from './connection-options.js'
import { driverOptions } from './driver-options.js'
import { DRIVER, type Mongo } from './driver.js'
import { databaseError, isRetryable } from './errors.js'
import { checkDatabase } from './names.js'
import { Opening } from '../opening.js'
import { RunningWork } from '../running-work.js'
import { shownUrl } from '../../base/url-credentials.js'

/** A client that is connected, the database in use, and the driver that they come from. */
export interface MongoSession {
  readonly mongo: Mongo
  readonly client: MongoClient
  readonly db: Db
}

/** The connection of one inlet or outlet to MongoDB. */
export class MongoConnection {
  readonly #connector: string
  readonly #settings: MongoConnectionSettings
  readonly #warnings: Warnings
  readonly #work = new RunningWork()
  readonly #opening = new Opening<Omit<MongoSession, 'db'>>()
  #session: MongoSession | undefined

  /** @param connector - name of the inlet or outlet, for errors and the log */
  constructor(connector: string, settings: MongoConnectionSettings) {
    this.#connector = connector
    this.#warnings = new Warnings(() => getLogger(`databay.${connector}`))
    this.#settings = settings
  }

  /** Name of the database that is used unless another is asked for. */
  get database(): string {
    return this.#settings.database
  }

  /** Session to work with; `undefined` unless connected. */
  get session(): MongoSession | undefined {
    return this.#session
  }

  /**
   * Connects, unless connected, and uses a database. Resolves with whether that was in use already.
   *
   * @throws {@link DatabaseError} when no server can be used in time
   */
  async open(database: string): Promise<boolean> {
    checkDatabase(`${this.#connector}.database`, database)
    if (this.#session?.db.databaseName === database) return true
    const opened = await this.#opening.open(() => this.#connect(database))
    if (opened !== undefined) this.#session = { ...opened, db: opened.client.db(database) }
    return false
  }

  /**
   * Closes the connection when running work has ended; cancelled work has a second to hear from the server. Does nothing
   * when it is closed.
   */
  async close(): Promise<void> {
    const closing = this.#opening.letGo()
    this.#warnings.end(this.#connector)
    this.#session = undefined
    await this.#work.end()
    const opened = await closing
    await opened?.client.close()
  }

  /**
   * Does work that {@link MongoConnection.close} waits for.
   *
   * @throws {@link DatabaseError} when not connected
   */
  async use<T>(work: (session: MongoSession) => Promise<T>): Promise<T> {
    if (this.#session === undefined) {
      const message = `${this.#connector}: not connected to ${this.#settings.hosts}: it is not started`
      throw new DatabaseError(message, { retryable: true })
    }
    return this.#work.run(work(this.#session))
  }

  /** Waits for a command unless the signal aborts, see {@link RunningWork.command}. */
  interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    return this.#work.command(signal, work)
  }

  /**
   * Makes a request of a transfer, and makes it again when it fails for a reason that may pass.
   *
   * @param doing - what the request does, for the log, such as `read shop.orders`
   * @throws the last error, or the reason of the transfer's signal
   */
  request<T>(update: Update, doing: string, send: () => Promise<T>): Promise<T> {
    return withRetries(this.#settings.retry, update.signal, send, (error) => {
      const again = isRetryable(error)
      if (again) {
        this.#warnings.warn({}, `${String(update)} tries again to ${doing}: ${error.message}`, update)
      }
      return again
    })
  }

  /** Makes a {@link DatabaseError} of an error of the driver, without the documents that it may hold. */
  toError(where: string, thrown: unknown): DatabaseError {
    return databaseError(`${this.#connector}: ${where}`, thrown)
  }

  async #connect(database: string): Promise<Omit<MongoSession, 'db'>> {
    const mongo = await loadOptional(DRIVER, this.#connector)
    const client = this.#makeClient(mongo)
    try {
      await client.connect()
      await client.db(database).command({ ping: 1 })
      return { mongo, client }
    } catch (error) {
      await client.close().catch(() => undefined)
      throw databaseError(`${this.#connector}: cannot connect to ${this.#settings.hosts}`, error)
    }
  }

  #makeClient(mongo: Mongo): MongoClient {
    const { url } = this.#settings
    try {
      return new mongo.MongoClient(url, driverOptions(this.#settings))
    } catch (cause) {
      // the message of the driver may quote a part of the password
      const why = url.includes('@') ? '' : ` (${toError(cause).message})`
      throw new InvalidOptionError(`${this.#connector}.url`, `a connection string of MongoDB${why}`, shownUrl(url))
    }
  }
}
