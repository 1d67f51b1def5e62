import { DatabayError, toError, type DatabayErrorOptions } from '../../base/errors.js'
import { scrub } from '../../base/scrub.js'
import { certificateHint, isOfCertificate } from '../certificates.js'
import { connectionFailure } from '../tls-failure.js'

/** Options of an {@link S3Error}. */
export interface S3ErrorOptions extends DatabayErrorOptions {
  readonly status?: number | undefined
  readonly serverCode?: string | undefined
  readonly retryAfter?: number | undefined
}

/**
 * A storage of S3 cannot be reached, or refuses a request. The message names the connector, the bucket and the key, and
 * shows neither credentials nor content.
 */
export class S3Error extends DatabayError {
  static override readonly code = 'DATABAY_S3'

  /** Status of the response; `undefined` when there was none. */
  readonly status: number | undefined
  /** Code under which S3 knows the error, like `'NoSuchBucket'`; `undefined` when it gave none. */
  readonly serverCode: string | undefined
  /** Time after which the storage asks to come again, in milliseconds; `undefined` when it does not ask. */
  readonly retryAfter: number | undefined

  constructor(message: string, options?: S3ErrorOptions) {
    super(message, options)
    this.status = options?.status
    this.serverCode = options?.serverCode
    this.retryAfter = options?.retryAfter
  }
}

/** Codes of a key or an object that is refused each time. */
const OF_OBJECT = new Set([
  ...['EntityTooLarge', 'KeyTooLongError', 'KeyTooLong', 'InvalidURI', 'InvalidObjectName'],
  ...['XMinioInvalidObjectName', 'XMinioInvalidResourceName'],
])

/** Codes of a request that may succeed when it is made again at once. */
const PASSING = new Set([
  ...['SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout', 'OperationAborted', 'TemporaryRedirect'],
  ...['Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequests', 'SlowDownRead', 'SlowDownWrite'],
  // what arrived is not what was sent
  ...['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody', 'XAmzContentChecksumMismatch'],
])

/** Codes of what is not there, which need not be an error. */
const ABSENT = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload'])

/** Statuses of a server that has too much to do, or trouble of its own. */
const PASSING_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504])

/** What a server said of a request that it refuses. */
export interface Refusal {
  readonly status: number
  readonly serverCode: string | undefined
  readonly message: string | undefined
  /** Argument that is not right, of the error `InvalidArgument`. */
  readonly argument?: string | undefined
  /** Time after which to come again, in milliseconds. */
  readonly retryAfter?: number | undefined
}

/**
 * Makes the error of a request that the server refuses.
 *
 * @param what - connector, place and action
 * @param hint - what to do about it
 */
export function refusalError(what: string, refusal: Refusal, hint = ''): S3Error {
  const { status, serverCode, message, argument, retryAfter } = refusal
  const why = [serverCode ?? `the response has the status ${status}`, message].filter(Boolean).join(': ')
  const retryable = isOfObject(serverCode, argument) ? false : isOfStorage(status, serverCode) ? true : undefined
  return new S3Error(`${what}: ${shortened(why)}${hint}`, { status, serverCode, retryAfter, retryable })
}

/** Makes the error of a request that has no response. */
export function connectionError(what: string, thrown: unknown): S3Error {
  const cause = toError(thrown)
  const why = connectionFailure(cause, 'by http://')
  const hint = certificateHint(cause, { authority: 'cacert' })
  return new S3Error(`${what}: ${shortened(why)}${hint}`, { cause, retryable: true })
}

/** Whether a request that failed with this error may succeed when it is made again at once. */
export function isRetryable(error: Error): boolean {
  if (!(error instanceof S3Error)) return false
  const { status, serverCode, cause } = error
  if (status === undefined) return error.retryable === true && cause instanceof Error && !isOfTrust(cause)
  return (serverCode !== undefined && PASSING.has(serverCode)) || PASSING_STATUSES.has(status)
}

/** Whether an error says that an object or an upload is not there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof S3Error && error.serverCode !== undefined && ABSENT.has(error.serverCode)
}

function isOfObject(serverCode: string | undefined, argument: string | undefined): boolean {
  if (serverCode === 'InvalidArgument') return /key/i.test(argument ?? '')
  return serverCode !== undefined && OF_OBJECT.has(serverCode)
}

/** Whether a server lets nobody in, or not now, rather than refusing this object. */
function isOfStorage(status: number, serverCode: string | undefined): boolean {
  if (serverCode !== undefined && (PASSING.has(serverCode) || OF_STORAGE.has(serverCode))) return true
  return status >= 500 || status === 429 || status === 401 || status === 403 || (status >= 300 && status < 400)
}

/** Codes of a bucket, of credentials and of a configuration: nothing is wrong with the object. */
const OF_STORAGE = new Set([
  ...['NoSuchBucket', 'InvalidBucketName', 'AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'NotSignedUp'],
  ...['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired'],
  ...['RequestTimeTooSkewed', 'RequestExpired', 'AuthorizationHeaderMalformed', 'PermanentRedirect', 'IllegalLocation'],
  ...[
    'InvalidObjectState',
    'QuotaExceeded',
    'XMinioAdminBucketQuotaExceeded',
    'XMinioStorageFull',
    'KMS.DisabledException',
  ],
])

/** Whether a connection failed for want of trust, of encryption or of a name: that does not pass by itself. */
function isOfTrust(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return isOfCertificate(error) || /ERR_(TLS|SSL|OSSL)|ERR_INVALID/.test(code)
}

function shortened(text: string): string {
  const clean = scrub(text).replaceAll(/\s+/g, ' ')
  return clean.length > 300 ? `${clean.slice(0, 300)}\u2026` : clean
}
