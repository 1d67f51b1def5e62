import { getSystemErrorMap } from 'node:util'

/**
 * What a failure is of. `refused`: of a record, which will be refused each time. `unavailable`: of the outlet or source, which
 * is down, full, or does not let us in; that passes. `unknown`: the error does not tell.
 */
export type FailureClass = 'refused' | 'unavailable' | 'unknown'

/** Most errors on the way from an error to its causes, and most errors that are looked at in all. */
const MAX_DEPTH = 16
const MAX_ERRORS = 1000

/**
 * The class of a failure. The error itself has the say, then its causes. What it is about is known by its fields `retryable`,
 * `code`, `name` and `status`, so that it can be of any library, and of another thread. Never throws.
 */
export function failureClass(error: unknown): FailureClass {
  return classOf(error, MAX_DEPTH, { errors: MAX_ERRORS })
}

function classOf(error: unknown, depth: number, left: { errors: number }): FailureClass {
  if (typeof error !== 'object' || error === null || depth === 0 || left.errors-- <= 0) return 'unknown'
  const retryable = field(error, 'retryable')
  if (retryable === false) return 'refused'
  if (retryable === true || isOfOutlet(error)) return 'unavailable'
  const cause = classOf(field(error, 'cause'), depth - 1, left)
  if (cause !== 'unknown') return cause
  const errors = field(error, 'errors')
  return Array.isArray(errors) ? ofAll(errors.map((one) => classOf(one, depth - 1, left))) : 'unknown'
}

/** One error that passes makes all of them worth another try; records are refused only when no other error is there. */
function ofAll(classes: readonly FailureClass[]): FailureClass {
  if (classes.includes('unavailable')) return 'unavailable'
  return classes.length > 0 && classes.every((one) => one === 'refused') ? 'refused' : 'unknown'
}

/** A field of an error, `undefined` where it cannot be read. */
function field(error: object, name: string): unknown {
  try {
    return (error as { readonly [name: string]: unknown })[name]
  } catch {
    return undefined
  }
}

function isOfOutlet(error: object): boolean {
  const [code, name] = [field(error, 'code'), field(error, 'name')]
  if (isPassingStatus(field(error, 'status')) || isPassingStatus(field(error, 'statusCode'))) return true
  if (typeof code === 'string' && (isOutletCode(code) || isLostRequest(code, error))) return true
  if (typeof name !== 'string') return false
  // those of MongoDB have a number for a code; so has a DOMException, and its name says what it is
  if (name === 'AbortError' || name.endsWith('TimeoutError') || MONGO_NAMES.has(name)) return true
  // its documents were on their way when the connection broke
  if (name === 'MongoBulkWriteError' && code === undefined) return true
  const ofServer = field(error, 'serverCode') ?? (name.startsWith('Mongo') ? code : undefined)
  return isPassingMongoCode(ofServer) || (name.startsWith('Mongo') && hasPassingLabel(error))
}

/** Whether an error is that of an `HttpInlet` that got no answer. */
function isLostRequest(code: string, error: object): boolean {
  const failure = code === 'DATABAY_HTTP' ? field(error, 'failure') : undefined
  return failure === 'connection' || failure === 'timeout'
}

/** Whether a status of HTTP says that the server lets nobody in, or not now, rather than what is wrong with a request. */
export function isPassingStatus(status: unknown): boolean {
  return typeof status === 'number' && (PASSING_STATUSES.has(status) || (status >= 500 && status <= 599))
}

const PASSING_STATUSES = new Set([401, 403, 404, 407, 408, 425, 429])

/** Names that the system has for its errors, with those of its resolver of names. */
const SYSTEM_CODES = new Set([
  ...[...getSystemErrorMap().values()].map(([code]) => code),
  ...['EDQUOT', 'ESTALE', 'ENOTFOUND', 'ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'EFORMERR', 'EBADRESP', 'ECANCELLED'],
])

/** What is wrong with the call itself, so that it may be the record's doing: a name that is too long, a directory for a file. */
const OF_CALL = new Set([
  ...['E2BIG', 'EINVAL', 'EILSEQ', 'EISDIR', 'EMSGSIZE', 'ENAMETOOLONG', 'EOVERFLOW', 'ERANGE', 'ECHARSET'],
  ...['UND_ERR_INVALID_ARG', 'UND_ERR_INVALID_RETURN_VALUE', 'UND_ERR_NOT_SUPPORTED'],
  ...['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'UND_ERR_RESPONSE', 'UND_ERR_REQ_RETRY'],
])

/** Codes of connections: of undici, HTTP, TLS and its certificates, sockets and streams; and of being told to stop. */
const OF_CONNECTION =
  /^(UND_ERR|HPE_|ABORT_ERR$|ERR_(TLS|SSL|OSSL|SOCKET|STREAM_(DESTROYED|PREMATURE_CLOSE|WRITE_AFTER_END)|HTTP2_(GOAWAY|SESSION|STREAM))|HOSTNAME_MISMATCH$|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))|(^|_)(CERT|CRL)(_|$)/

/** Errors of this package that are of an outlet, though they have no cause that says so. */
const OWN_CODES = new Set(
  ['TRANSFER_TIMEOUT', 'TRANSFER_CANCELLED', 'START_TIMEOUT', 'THREAD_LOST', 'MISSING_DEPENDENCY'].map(
    (code) => `DATABAY_${code}`,
  ),
)

function isOutletCode(code: string): boolean {
  if (OF_CALL.has(code)) return false
  return SYSTEM_CODES.has(code) || OWN_CODES.has(code) || OF_CONNECTION.test(code)
}

/** Names of errors of MongoDB's driver that are of the connection, its pool or its credentials. */
const MONGO_NAMES = new Set(
  [
    ...['Network', 'NetworkTimeout', 'ServerSelection', 'System', 'PoolCleared', 'PoolClosed', 'NotConnected'],
    ...['TopologyClosed', 'ServerClosed', 'ClientClosed', 'StalePrimary', 'ExpiredSession', 'UnexpectedServerResponse'],
    ...['MissingCredentials', 'MissingDependency', 'AWS', 'OIDC', 'Azure', 'GCP', 'Kerberos', 'WriteConcern'],
  ].map((name) => `Mongo${name}Error`),
)

/** Labels with which servers of MongoDB, and their driver, say that an error passes. */
const PASSING_LABELS = ['RetryableWriteError', 'TransientTransactionError', 'RetryableError', 'SystemOverloadedError']

function hasPassingLabel(error: object): boolean {
  const labels = field(error, 'errorLabels')
  return Array.isArray(labels) && labels.some((label) => PASSING_LABELS.includes(label as string))
}

/** Whether a code of a server of MongoDB is of the server, and not of a document. */
export function isPassingMongoCode(code: unknown): boolean {
  return typeof code === 'number' && PASSING_MONGO_CODES.has(code)
}

const PASSING_MONGO_CODES = new Set([
  // hosts that cannot be reached, and networks that are slow
  ...[6, 7, 89, 202, 262, 317, 9001],
  // no primary, or no longer; a server that starts, stops, or lost the cursor
  ...[43, 91, 133, 134, 189, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436],
  // locks, conflicts, a full disk, too little memory, a limit of time
  ...[24, 46, 50, 112, 146, 225, 14031, 462],
  // not everywhere written yet, or as much as was asked for is not to be had
  ...[64, 79, 100],
  // credentials and rights
  ...[11, 13, 18, 31, 33, 391, 8000],
])
