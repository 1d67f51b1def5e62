import type { MongoClientOptions } from 'mongodb'
import { checkCount } from '../../base/check.js'
import { LONGEST_TIMER, toMilliseconds, type Duration } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import { checkRetry, type RetryOptions, type RetrySettings } from '../retry.js'
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

/** Names of the {@link MongoConnectionOptions}. */
export const MONGO_CONNECTION_OPTIONS = [
  'url',
  'host',
  'port',
  'database',
  'connectTimeout',
  'socketTimeout',
  'maxPoolSize',
  'retry',
] as const

/** {@link MongoConnectionOptions}, resolved. Lengths of time are in milliseconds. */
export interface MongoConnectionSettings {
  readonly url: string
  /** Hosts and ports, without credentials. */
  readonly hosts: string
  readonly database: string
  /** `undefined`: what the URL says, or a default; so are the next two. */
  readonly connectTimeout: number | undefined
  readonly socketTimeout: number | undefined
  readonly maxPoolSize: number | undefined
  readonly retry: RetrySettings
}

/**
 * Checks and resolves options.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @throws {@link InvalidOptionError}
 */
export function resolveConnection(connector: string, options: MongoConnectionOptions): MongoConnectionSettings {
  const { url, hosts, database } = checkUrl(connector, options)
  const { maxPoolSize } = options
  return Object.freeze({
    url,
    hosts,
    database: checkDatabase(`${connector}.database`, options.database ?? database ?? 'databay'),
    connectTimeout: checkTime(`${connector}.connectTimeout`, options.connectTimeout),
    socketTimeout: checkTime(`${connector}.socketTimeout`, options.socketTimeout),
    maxPoolSize: maxPoolSize === undefined ? undefined : checkCount(`${connector}.maxPoolSize`, maxPoolSize, 4),
    retry: checkRetry(`${connector}.retry`, options.retry),
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

function checkTime(option: string, value: number | Duration | undefined): number | undefined {
  if (value === undefined) return undefined
  const milliseconds = toMilliseconds(option, value)
  if (milliseconds > LONGEST_TIMER) throw new InvalidOptionError(option, 'at most 24 days', value)
  return Math.round(milliseconds)
}
