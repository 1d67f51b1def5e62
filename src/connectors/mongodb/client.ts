import { setTimeout as delay } from 'node:timers/promises'
import type { Db, MongoClient } from 'mongodb'
import { checkCount } from '../../base/check.js'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { DatabaseError } from '../errors.js'
import { LONGEST_TIMER, toMilliseconds, type Duration } from '../../base/duration.js'
import { DRIVER, type Mongo } from './driver.js'
import { databaseError } from './errors.js'
import { checkUrl, namesInQuery, shown } from './url.js'
import { loadOptional } from '../../base/optional-packages.js'
import { checkRetry, type RetryOptions, type RetrySettings } from '../retry.js'

/** Options of what talks to MongoDB, about where and how. */
export interface MongoConnectionOptions {
  /**
   * Connection string, like `mongodb://user:password@host:27017/?tls=true`. What it sets itself, such as
   * `socketTimeoutMS`, is kept unless an option here says otherwise.
   * @default undefined - made of `host` and `port`
   */
  readonly url?: string
  /**
   * Address of the server. Not together with `url`.
   * @default 'localhost'
   */
  readonly host?: string
  /**
   * Port of the server. Not together with `url`.
   * @default 27017
   */
  readonly port?: number
  /**
   * Name of the database.
   * @default the one in the path of the `url`, otherwise 'databay'
   */
  readonly database?: string
  /**
   * Time to find a server that can be used, and to connect to it, in seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Time for a reply of the server, or for one of the connections to become free, in seconds or as a duration.
   * @default 60
   */
  readonly socketTimeout?: number | Duration
  /**
   * Most connections to a server that are open at once. Each instance has its own.
   * @default 4
   */
  readonly maxPoolSize?: number
  /**
   * How a request that may succeed another time is tried again: when the connection breaks, or the server steps down.
   * @default { retries: 3, minDelay: 0.1, maxDelay: 10 }
   */
  readonly retry?: RetryOptions
}

/** Names of the {@link MongoConnectionOptions}. */
export const MONGO_CONNECTION_OPTIONS = [
  ...(['url', 'host', 'port', 'database', 'connectTimeout', 'socketTimeout', 'maxPoolSize', 'retry'] as const),
]

/** How long closing waits for commands that nobody waits for any more, in milliseconds. */
const GRACE = 1000

/** A client that is connected, the database in use, and the driver they come from. */
export interface MongoSession {
  readonly mongo: Mongo
  readonly client: MongoClient
  readonly db: Db
}

/** The connection of one inlet or outlet: options, client, running work. */
export class MongoConnection {
  /** Name of the database in use unless another is asked for. */
  readonly database: string
  readonly retry: RetrySettings
  readonly #connector: string
  readonly #url: string
  /** Hosts and ports, without credentials. */
  readonly #hosts: string
  readonly #timeouts: { readonly connect: number | undefined; readonly socket: number | undefined }
  readonly #maxPoolSize: number | undefined
  #client: Promise<{ mongo: Mongo; client: MongoClient }> | undefined
  #session: MongoSession | undefined
  readonly #running = new Set<Promise<unknown>>()
  /** What was begun and may be told to stop: then it goes on for as long as a command takes that was sent. */
  readonly #begun = new Set<Promise<unknown>>()

  /**
   * @param connector - name of the inlet or outlet, for errors
   * @throws {@link InvalidOptionError}
   */
  constructor(connector: string, options: MongoConnectionOptions) {
    this.#connector = connector
    const parts = checkUrl(connector, options)
    this.#url = parts.url
    this.#hosts = parts.hosts
    this.database = checkDatabase(`${connector}.database`, options.database ?? parts.database ?? 'databay')
    const time = (option: 'connectTimeout' | 'socketTimeout') => checkTime(`${connector}.${option}`, options[option])
    this.#timeouts = { connect: time('connectTimeout'), socket: time('socketTimeout') }
    this.#maxPoolSize =
      options.maxPoolSize === undefined ? undefined : checkCount(`${connector}.maxPoolSize`, options.maxPoolSize, 4)
    this.retry = checkRetry(`${connector}.retry`, options.retry)
  }

  /** What work is done with; `undefined` unless connected. */
  get session(): MongoSession | undefined {
    return this.#session
  }

  /**
   * Connects, unless it is, and uses a database. Resolves with whether that was in use already.
   *
   * @throws {@link DatabaseError} when no server can be used in time
   */
  async open(database: string): Promise<boolean> {
    checkDatabase(`${this.#connector}.database`, database)
    if (this.#session?.db.databaseName === database) return true
    const opening = (this.#client ??= this.#connect(database))
    try {
      const { mongo, client } = await opening
      if (this.#client === opening) this.#session = { mongo, client, db: client.db(database) }
    } catch (error) {
      if (this.#client === opening) this.#client = undefined
      throw error
    }
    return false
  }

  /**
   * Closes the connection when running work has ended; what was told to stop has a second to hear from the server. Does
   * nothing when it is closed.
   */
  async close(): Promise<void> {
    const closing = this.#client
    this.#client = undefined
    this.#session = undefined
    await Promise.allSettled(this.#running)
    if (this.#begun.size > 0) {
      const enough = new AbortController()
      const ended = Promise.allSettled(this.#begun)
      await Promise.race([ended, delay(GRACE, undefined, { signal: enough.signal }).catch(() => undefined)])
      enough.abort()
    }
    // when it could not be opened there is nothing to close
    const opened = await closing?.catch(() => undefined)
    await opened?.client.close()
  }

  /**
   * Does work that {@link MongoConnection.close} waits for.
   *
   * @throws {@link DatabaseError} when not connected
   */
  async use<T>(work: (session: MongoSession) => Promise<T>): Promise<T> {
    if (this.#session === undefined) {
      throw new DatabaseError(`${this.#connector}: not connected to ${this.#hosts}: it is not started`)
    }
    const running = work(this.#session)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /**
   * As {@link unlessAborted}: {@link MongoConnection.close} waits for the work a while, also when it was told to stop, so
   * that what it has sent is not cut off.
   */
  async interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    this.#begun.add(work)
    const forget = () => this.#begun.delete(work)
    work.then(forget, forget)
    return unlessAborted(signal, work)
  }

  /** An error of the driver as one of ours, without what documents it may hold. */
  toError(where: string, thrown: unknown): DatabaseError {
    return databaseError(`${this.#connector}: ${where}`, thrown)
  }

  async #connect(database: string): Promise<{ mongo: Mongo; client: MongoClient }> {
    const mongo = await loadOptional(DRIVER, this.#connector)
    const client = this.#makeClient(mongo)
    try {
      await client.connect()
      await client.db(database).command({ ping: 1 })
      return { mongo, client }
    } catch (error) {
      await client.close().catch(() => undefined)
      throw databaseError(`${this.#connector}: cannot connect to ${this.#hosts}`, error)
    }
  }

  #makeClient(mongo: Mongo): MongoClient {
    const given = namesInQuery(this.#url)
    // an option is stronger than the URL, and the URL is stronger than a default
    const choose = (name: string, option: number | undefined, otherwise: number) =>
      option === undefined && given.has(name.toLowerCase()) ? {} : { [name]: option ?? otherwise }
    const { connect, socket } = this.#timeouts
    try {
      return new mongo.MongoClient(this.#url, {
        ...choose('serverSelectionTimeoutMS', connect, 10_000),
        ...choose('connectTimeoutMS', connect, 10_000),
        ...choose('socketTimeoutMS', socket, 60_000),
        ...choose('waitQueueTimeoutMS', socket, 60_000),
        ...choose('maxPoolSize', this.#maxPoolSize, 4),
        ...(given.has('appname') ? {} : { appName: 'databay' }),
      })
    } catch (cause) {
      // what the driver says of a URL may quote a part of its password
      const why = this.#url.includes('@') ? '' : ` (${toError(cause).message})`
      throw new InvalidOptionError(`${this.#connector}.url`, `a connection string of MongoDB${why}`, shown(this.#url))
    }
  }
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it aborts: then nobody knows what became of it. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop: (() => void) | undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(toError(signal.reason))
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** Name of a collection. */
export function checkCollection(option: string, value: unknown): string {
  // what MongoDB does not allow, and the collections that are its own
  if (typeof value !== 'string' || value === '' || /[$\0]|^system\.|^\.|\.$|\.\./.test(value)) {
    throw new InvalidOptionError(option, 'the name of a collection', value)
  }
  return value
}

function checkDatabase(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || /[/\\. "$*<>:|?\0]/.test(value)) {
    throw new InvalidOptionError(option, 'the name of a database', shown(value))
  }
  return value
}

function checkTime(option: string, value: number | Duration | undefined): number | undefined {
  if (value === undefined) return undefined
  const milliseconds = toMilliseconds(option, value)
  if (milliseconds > LONGEST_TIMER) throw new InvalidOptionError(option, 'at most 24 days', value)
  return Math.round(milliseconds)
}
