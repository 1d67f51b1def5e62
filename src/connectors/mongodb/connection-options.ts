import type { MongoClientOptions } from 'mongodb'
import type { Duration } from '../../base/duration.js'
import { count, given, timer, type Resolved, type Spec } from '../../base/options.js'
import { retry, type RetryOptions } from '../retry.js'
import { checkDatabase } from './names.js'
import { checkUrl, namesInQuery } from './url.js'

/** Options of the connection of an inlet or outlet to MongoDB. */
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

/** The options of the connection of an inlet or outlet. */
export const MONGO_CONNECTION_OPTIONS = {
  // these are checked together, and errors must not show all of them
  url: given<string>('undefined - made of `host` and `port`'),
  host: given<string>("'localhost'"),
  port: given<number>('27017'),
  database: given<string>("the one in the path of the `url`, otherwise 'databay'"),
  connectTimeout: timer(undefined, '10'),
  socketTimeout: timer(undefined, '60'),
  maxPoolSize: count(undefined, { shown: '4' }),
  retry: retry(),
} satisfies Spec<MongoConnectionOptions>

type ReadOptions = Resolved<typeof MONGO_CONNECTION_OPTIONS>

/**
 * {@link MongoConnectionOptions}, resolved. Lengths of time are in milliseconds; `undefined` is what the URL says, or else
 * a default.
 */
export interface MongoConnectionSettings extends Omit<ReadOptions, 'host' | 'port'> {
  readonly url: string
  /** Hosts and ports, without credentials. */
  readonly hosts: string
  readonly database: string
}

/**
 * Resolves what depends on more than one option.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @throws {@link InvalidOptionError}
 */
export function resolveConnection(connector: string, options: ReadOptions): MongoConnectionSettings {
  const { url, hosts, database } = checkUrl(connector, options)
  const { connectTimeout, socketTimeout, maxPoolSize, retry } = options
  return Object.freeze({
    url,
    hosts,
    database: checkDatabase(`${connector}.database`, options.database ?? database ?? 'databay'),
    connectTimeout: connectTimeout && Math.round(connectTimeout),
    socketTimeout: socketTimeout && Math.round(socketTimeout),
    maxPoolSize,
    retry,
  })
}

/** Options for the driver. An option of ours goes before what the URL says, and the URL before a default. */
export function driverOptions(settings: MongoConnectionSettings): MongoClientOptions {
  const { connectTimeout, socketTimeout, maxPoolSize } = settings
  const given = namesInQuery(settings.url)
  const choose = (name: keyof MongoClientOptions, option: number | undefined, otherwise: number) =>
    option === undefined && given.has(name.toLowerCase()) ? {} : { [name]: option ?? otherwise }
  return {
    ...choose('serverSelectionTimeoutMS', connectTimeout, 10_000),
    ...choose('connectTimeoutMS', connectTimeout, 10_000),
    ...choose('socketTimeoutMS', socketTimeout, 60_000),
    ...choose('waitQueueTimeoutMS', socketTimeout, 60_000),
    ...choose('maxPoolSize', maxPoolSize, 4),
    ...(given.has('appname') ? {} : { appName: 'databay' }),
  }
}
