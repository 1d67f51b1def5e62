import { DatabayError, toError, type DatabayErrorOptions } from '../../base/errors.js'
import { DatabaseError } from '../errors.js'
import { connectionFailure } from '../tls-failure.js'

/** A record is for a MongoDB collection that does not exist, and that the outlet must not create. */
export class MongoCollectionNotFound extends DatabayError {
  static override readonly code = 'DATABAY_MONGO_COLLECTION_NOT_FOUND'

  /** Name of the collection. */
  readonly collection: string

  constructor(collection: string, message: string, options?: DatabayErrorOptions) {
    super(message, options)
    this.collection = collection
  }
}

/** Code of a duplicate: another document has the same `_id`, or the same value of another unique field. */
export const DUPLICATE = 11000

/** Codes that stand for "another time" or "another server", from the driver's specification of retries. */
const RETRYABLE_CODES = new Set([6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** Names of the driver's errors of the connection. The error of a bulk write without a code wraps one of them. */
const OF_CONNECTION = new Set(
  ['Network', 'NetworkTimeout', 'PoolCleared', 'PoolClosed', 'ServerSelection', 'WaitQueueTimeout', 'BulkWrite'].map(
    (name) => `Mongo${name}Error`,
  ),
)

/** Whether a request that failed with this error may succeed when it is made again. */
export function isRetryable(error: Error): boolean {
  if ('code' in error && typeof error.code === 'number') return isRetryableCode(error.code)
  return OF_CONNECTION.has(error.name)
}

/** Code of a cursor that the server does not know, or not any more. */
const CURSOR_NOT_FOUND = 43

/** Whether a server has forgotten a cursor, with the rest of its documents. */
export function hasLostCursor(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === CURSOR_NOT_FOUND
}

/** Whether a code stands for "another time", rather than for a fault of the request, and the request is made again at once. */
export function isRetryableCode(code: number): boolean {
  return RETRYABLE_CODES.has(code)
}

/** Makes a {@link DatabaseError} of an error of the driver, without the documents that it may hold. */
export function databaseError(what: string, thrown: unknown): DatabaseError {
  const error = toError(thrown)
  const serverCode = 'code' in error && typeof error.code === 'number' ? error.code : undefined
  // a failed write holds its documents
  const cause = error.name === 'MongoBulkWriteError' ? undefined : error
  // without a code, its connection broke
  const retryable = cause === undefined && serverCode === undefined ? true : undefined
  return new DatabaseError(`${what}: ${withoutValues(reasonOf(error))}`, { cause, serverCode, retryable })
}

/** What went wrong. Why no server could be reached the driver keeps by server, and may say only how long it waited. */
function reasonOf(error: Error): string {
  const message = error.message || error.name
  const servers = 'reason' in error ? (error.reason as { readonly servers?: unknown } | undefined)?.servers : undefined
  if (!(servers instanceof Map)) return message
  const errors = [...servers.values()].map((server: { readonly error?: unknown } | undefined) => server?.error)
  const first = errors.find((one) => one instanceof Error)
  if (first === undefined) return message
  const why = connectionFailure(first.cause instanceof Error ? first.cause : first, 'without tls')
  return message.includes(first.message) ? why : `${message}: ${why}`
}

/** A write that a server refused, as the driver tells it. */
interface RefusedWrite {
  readonly code: number
  readonly errmsg?: string | undefined
}

/**
 * Makes the error of a document that a server refused.
 *
 * @param where - name of its collection, with that of the database
 */
export function refusalError(where: string, { code: serverCode, errmsg }: RefusedWrite): DatabaseError {
  const index = /index: (\S+)/.exec(errmsg ?? '')?.[1]
  const why =
    serverCode === DUPLICATE
      ? `another document has the same unique key${index === undefined ? '' : ` (index ${index})`}`
      : withoutValues(errmsg ?? 'no reason given')
  const message = `MongoOutlet: ${where} refused a document (code ${serverCode}): ${why}`
  return new DatabaseError(message, { serverCode, retryable: false })
}

/** Message of a server without the values that it quotes, as they are parts of a document. */
function withoutValues(message: string): string {
  const text = message.replace(/\{[^]*\}/, '{\u2026}')
  return text.length > 300 ? `${text.slice(0, 300)}\u2026` : text
}
