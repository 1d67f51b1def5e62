import type { PoolClient, PoolConfig } from 'pg'
import { getLogger } from '../../base/log.js'
import { loadOptional } from '../../base/optional-packages.js'
import { withRetries } from '../../base/retry.js'
import { Warnings } from '../../base/warnings.js'
import type { Update } from '../../core/update.js'
import { DatabaseError } from '../errors.js'
import { Opening } from '../opening.js'
import { RunningWork } from '../running-work.js'
import { cancelOnServer } from './cancel.js'
import type { PostgresConnectionSettings } from './connection-options.js'
import { DRIVER, type Pg } from './driver.js'
import { tlsOptions } from './driver-tls.js'
import { databaseError, isRetryable } from './errors.js'
import { Lease } from './lease.js'
import { endSession, makeSession, type Session } from './session.js'

/** Time for which a connection stays open without use, in milliseconds. */
const IDLE = 120_000

/** The connections of one inlet or outlet to PostgreSQL. */
export class PostgresConnection {
  readonly #connector: string
  readonly #settings: PostgresConnectionSettings
  readonly #warnings: Warnings
  readonly #work = new RunningWork()
  readonly #leases = new Set<Lease>()
  readonly #opening = new Opening<Session>()
  #where: string

  /** @param connector - name of the inlet or outlet, for errors and the log */
  constructor(connector: string, settings: PostgresConnectionSettings) {
    this.#connector = connector
    this.#settings = settings
    this.#warnings = new Warnings(() => getLogger(`databay.${connector}`))
    const { host, port, database } = settings
    this.#where = shownPlace(host ?? 'localhost', port, database)
  }

  /** Host and database, for errors and logs. */
  get where(): string {
    return this.#where
  }

  /**
   * The driver.
   *
   * @throws {@link DatabaseError} when not connected
   */
  get pg(): Pg {
    return this.#open().pg
  }

  /**
   * Connects, unless connected. Resolves with whether it was connected already.
   *
   * @throws {@link DatabaseError} when no connection comes about in time, or the server refuses the credentials
   */
  async open(): Promise<boolean> {
    const wasOpen = this.#opening.opened !== undefined
    await this.#opening.open(() => this.#connect())
    return wasOpen
  }

  /**
   * Closes the connections when running work has ended; cancelled work has a second to hear from the server. Does nothing
   * when they are closed.
   */
  async close(): Promise<void> {
    const closing = this.#opening.letGo()
    this.#warnings.end(this.#connector)
    await this.#work.end()
    for (const lease of this.#leases) lease.end(true)
    const session = await closing
    if (session !== undefined) await endSession(session)
  }

  /**
   * Does work that {@link PostgresConnection.close} waits for.
   *
   * @throws {@link DatabaseError} when not connected
   */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#open()
    return this.#work.run(work())
  }

  /** Waits for work unless the signal aborts, see {@link RunningWork.command}. */
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
        const { message } = this.toError(this.#where, error)
        this.#warnings.warn({}, `${String(update)} tries again to ${doing}: ${message}`, update)
      }
      return again
    })
  }

  /** Makes a {@link DatabaseError} of an error of the driver or the server, without the values of rows. */
  toError(where: string, thrown: unknown): DatabaseError {
    return databaseError(`${this.#connector}: ${where}`, thrown)
  }

  /**
   * Does work with a connection of its own. When the signal aborts, what the connection does is cancelled on the server, and
   * the connection is closed; so it is after a failure that leaves a transaction open.
   *
   * @throws what the work throws, or the reason of the signal
   */
  async withClient<T>(signal: AbortSignal, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const lease = await this.checkOut(signal)
    try {
      const result = await work(lease.client)
      lease.end(false)
      return result
    } catch (thrown) {
      lease.end(false)
      throw lease.failure ?? thrown
    }
  }

  /**
   * Gives a connection for the time until {@link Lease.end}.
   *
   * @throws the driver's error, or the reason of the signal
   */
  async checkOut(signal: AbortSignal): Promise<Lease> {
    const { pg, pool, config } = this.#open()
    signal.throwIfAborted()
    const connecting = pool.connect()
    try {
      const client = await this.#work.command(signal, connecting)
      const lease = new Lease(client, signal, this.#settings.socketTimeout, {
        cancel: () => this.#work.run(cancelOnServer(pg, config, client, this.#settings.connectTimeout)),
        ended: () => this.#leases.delete(lease),
      })
      this.#leases.add(lease)
      return lease
    } catch (thrown) {
      // one that comes too late goes back
      connecting.then(
        (client) => {
          client.release()
        },
        () => undefined,
      )
      throw thrown
    }
  }

  #open(): Session {
    const session = this.#opening.opened
    if (session !== undefined) return session
    const message = `${this.#connector}: not connected to ${this.#where}: it is not started`
    throw new DatabaseError(message, { retryable: true })
  }

  async #connect(): Promise<Session> {
    const pg = await loadOptional(DRIVER, this.#connector)
    const config = await this.#config()
    const session = makeSession(pg, config)
    // also what the driver takes from the environment
    const { host, port, database } = new pg.Client(config)
    this.#where = shownPlace(host, port, database)
    try {
      const client = await session.pool.connect()
      client.release()
      return session
    } catch (error) {
      await endSession(session)
      throw this.toError(`cannot connect to ${this.#where}`, error)
    }
  }

  async #config(): Promise<PoolConfig> {
    const { host, port, database, user, password, options, applicationName, connectTimeout, maxPoolSize } =
      this.#settings
    const ssl = await tlsOptions(this.#connector, this.#settings.tls)
    return {
      host,
      port,
      database,
      user,
      password,
      ...(ssl !== undefined && { ssl }),
      ...(options !== undefined && { options }),
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeout,
      max: maxPoolSize,
      idleTimeoutMillis: IDLE,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
    }
  }
}

function shownPlace(host: string, port: number | undefined, database: string | undefined): string {
  const place = port === undefined || port === 5432 ? host : `${host}:${port}`
  return database === undefined ? place : `${place}/${database}`
}
