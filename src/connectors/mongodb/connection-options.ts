import type { Duration } from '../../base/duration.js'
import { count, custom, given, timer, type Resolved, type Spec } from '../../base/options.js'
import { revealed, type Secret } from '../../base/secret.js'
import { retry, type RetryOptions } from '../../base/retry.js'
import { checkDatabase } from './names.js'
import { checkUrl } from './url.js'

/** Options of the connection of an inlet or outlet to MongoDB. */
export interface MongoConnectionOptions {
  /**
   * Connection string, like `mongodb://user:password@host:27017/?tls=true`. Its own settings, such as
   * `socketTimeoutMS`, count unless an option here overrides them.
   * @default undefined - made of `host` and `port`
   */
  readonly url?: string | Secret
  /**
   * Address of the server. Not together with `url`.
   * @default 'localhost'
   */
  readonly host?: string | Secret
  /**
   * Port of the server. Not together with `url`.
   * @default 27017
   */
  readonly port?: number
  /**
   * Name of the database.
   * @default the one in the path of the `url`, otherwise 'databay'
   */
  readonly database?: string | Secret
  /**
   * Time to find a usable server and to connect to it, in seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Time for a reply of the server, or for a connection to become free, in seconds or as a duration.
   * @default 60
   */
  readonly socketTimeout?: number | Duration
  /**
   * Most open connections to a server. Each inlet and outlet has its own.
   * @default 4
   */
  readonly maxPoolSize?: number
  /**
   * Retries of a request that failed for a reason that may pass, such as a broken connection or a server that steps
   * down.
   * @default { retries: 3, minDelay: 0.1, maxDelay: 10 }
   */
  readonly retry?: RetryOptions
}

/** Table of the options of the connection of an inlet or outlet. */
export const MONGO_CONNECTION_OPTIONS = {
  // these are checked together, and errors must not show all of their values
  url: custom(reveal, 'undefined - made of `host` and `port`'),
  host: custom(reveal, "'localhost'"),
  port: given<number>('27017'),
  database: custom(reveal, "the one in the path of the `url`, otherwise 'databay'"),
  connectTimeout: timer(undefined, '10'),
  socketTimeout: timer(undefined, '60'),
  maxPoolSize: count(undefined, { shown: '4' }),
  retry: retry(),
} satisfies Spec<MongoConnectionOptions>

function reveal(_name: string, value: string | Secret | undefined): string | undefined {
  return revealed(value)
}

type ReadOptions = Resolved<typeof MONGO_CONNECTION_OPTIONS>

/**
 * {@link MongoConnectionOptions}, resolved. Lengths of time are in milliseconds. `undefined` stands for the value in
 * the URL, or else a default.
 */
export interface MongoConnectionSettings extends Omit<ReadOptions, 'host' | 'port'> {
  readonly url: string
  /** Hosts and ports, without credentials. */
  readonly hosts: string
  readonly database: string
}

/**
 * Resolves options that depend on each other.
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
