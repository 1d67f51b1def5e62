import type { Duration } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import { count, custom, given, timer, type Resolved, type Spec } from '../../base/options.js'
import { revealed, type Secret } from '../../base/secret.js'
import { retry, type RetryOptions } from '../../base/retry.js'
import { shownUrl } from '../../base/url-credentials.js'
import { checkTls, type PostgresTls, type TlsSettings } from './tls.js'
import { checkUrl, NO_URL } from './url.js'

/** Options of the connection of an inlet or outlet to PostgreSQL. */
export interface PostgresConnectionOptions {
  /**
   * Connection string, like `postgres://user:password@host:5432/database?sslmode=verify-full`. Options here override
   * its parts.
   * @default undefined - the other options, and what the driver takes from `PGHOST` and the like
   */
  readonly url?: string | Secret
  /**
   * Address of the server, or the folder of its socket.
   * @default the one of the `url`, `PGHOST` or 'localhost'
   */
  readonly host?: string | Secret
  /**
   * Port of the server.
   * @default the one of the `url`, `PGPORT` or 5432
   */
  readonly port?: number
  /**
   * Name of the database.
   * @default the one of the `url`, `PGDATABASE` or the name of the user
   */
  readonly database?: string | Secret
  /**
   * Name of the user.
   * @default the one of the `url`, `PGUSER` or that of the process
   */
  readonly user?: string | Secret
  /**
   * Password of the user.
   * @default the one of the `url`, `PGPASSWORD` or none
   */
  readonly password?: string | Secret
  /**
   * Encryption of the connection: `true`, `false`, or an object with `ca`, `cert` and `key` (paths of PEM files),
   * `serverName`, and `verify`. Certificates are verified unless `verify` is `false`.
   * @default what the `sslmode` of the `url` says, otherwise none
   */
  readonly tls?: boolean | PostgresTls
  /**
   * Time to connect, or for a connection to become free, in seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Longest time without a word of the server while it answers, in seconds or as a duration. Then the statement is
   * cancelled, and its connection is closed.
   * @default 60
   */
  readonly socketTimeout?: number | Duration
  /**
   * Most open connections. Each inlet and outlet has its own.
   * @default 4
   */
  readonly maxPoolSize?: number
  /**
   * Name by which the server shows the connections, as in `pg_stat_activity`.
   * @default 'databay'
   */
  readonly applicationName?: string
  /**
   * Retries of a request that failed for a reason that may pass, such as a broken connection, a server that restarts or
   * a conflict with another transaction.
   * @default { retries: 3, minDelay: 0.1, maxDelay: 10 }
   */
  readonly retry?: RetryOptions
}

/** Table of the options of the connection of an inlet or outlet. */
export const POSTGRES_CONNECTION_OPTIONS = {
  // these are checked together, and errors must not show all of their values
  url: custom(reveal, 'undefined - the other options, and what the driver takes from `PGHOST` and the like'),
  host: custom(reveal, "the one of the `url`, `PGHOST` or 'localhost'"),
  port: given<number>('the one of the `url`, `PGPORT` or 5432'),
  database: custom(reveal, 'the one of the `url`, `PGDATABASE` or the name of the user'),
  user: custom(reveal, 'the one of the `url`, `PGUSER` or that of the process'),
  password: custom(reveal, 'the one of the `url`, `PGPASSWORD` or none'),
  tls: custom(checkTls, 'what the `sslmode` of the `url` says, otherwise none'),
  connectTimeout: timer(undefined, '10'),
  socketTimeout: timer(60_000),
  maxPoolSize: count(4),
  applicationName: custom(checkText, "'databay'"),
  retry: retry(),
} satisfies Spec<PostgresConnectionOptions>

function reveal(_name: string, value: string | Secret | undefined): string | undefined {
  return revealed(value)
}

function checkText(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '' && !value.includes('\0'))) return value
  throw new InvalidOptionError(name, 'a string that is not empty', value)
}

type ReadOptions = Resolved<typeof POSTGRES_CONNECTION_OPTIONS>

/** {@link PostgresConnectionOptions}, resolved. Lengths of time are in milliseconds. `undefined` is left to the driver. */
export interface PostgresConnectionSettings {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  /** Encryption; `undefined`: as `PGSSLMODE` says. */
  readonly tls: boolean | TlsSettings | undefined
  /** Settings of the session, as `-c name=value`. */
  readonly options: string | undefined
  readonly connectTimeout: number
  readonly socketTimeout: number
  readonly maxPoolSize: number
  readonly applicationName: string
  readonly retry: ReadOptions['retry']
}

/**
 * Resolves options that depend on each other.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @throws {@link InvalidOptionError}
 */
export function resolveConnection(connector: string, options: ReadOptions): PostgresConnectionSettings {
  const url = options.url === undefined ? NO_URL : checkUrl(`${connector}.url`, options.url)
  const { socketTimeout, maxPoolSize, retry } = options
  const text = (name: 'host' | 'database' | 'user' | 'password') => {
    const value: unknown = options[name]
    if (value === undefined) return url[name]
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
    const got = name === 'host' || name === 'database' ? shownUrl(value) : typeof value
    throw new InvalidOptionError(`${connector}.${name}`, 'a string that is not empty', got)
  }
  const host = text('host')
  if (host !== undefined && !/^(?:\/.*|[^\s/@?#,[\]]+)$/.test(host)) {
    throw new InvalidOptionError(`${connector}.host`, 'the name or address of a host', shownUrl(host))
  }
  return Object.freeze({
    host,
    port: checkPort(`${connector}.port`, options.port) ?? url.port,
    database: text('database'),
    user: text('user'),
    password: text('password'),
    tls: options.tls ?? url.tls,
    options: url.options,
    connectTimeout: Math.round(options.connectTimeout ?? url.connectTimeout ?? 10_000),
    socketTimeout: Math.round(socketTimeout),
    maxPoolSize,
    applicationName: options.applicationName ?? url.applicationName ?? 'databay',
    retry,
  })
}

function checkPort(option: string, port: number | undefined): number | undefined {
  if (port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65_535)) return port
  throw new InvalidOptionError(option, 'an integer from 1 to 65535', port)
}
