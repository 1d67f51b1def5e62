import { isOfCertificate } from '../../certificates.js'
import { HttpError } from '../errors.js'
import { isIdempotent } from '../methods.js'
import type { Outgoing } from './outgoing.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import { mayPass } from '../retry.js'

/** Statuses with which a server says that it has not looked at a request. */
const NOT_LOOKED_AT = new Set([425, 429])

/** Codes of errors that come before a request is sent. */
const BEFORE_SENDING = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'],
  ...['EADDRNOTAVAIL', 'UND_ERR_CONNECT_TIMEOUT'],
])

/** Statuses that are of a record when it has chosen where it is sent. */
const OF_TARGET = new Set([404, 405, 410])

/** Whether the server surely did nothing of a request that failed with this error. */
function wasNotDone({ failure, status = 0, retryAfter, cause }: HttpError): boolean {
  if (failure === 'status') return NOT_LOOKED_AT.has(status) || (status === 503 && retryAfter !== undefined)
  if (failure === 'redirect') return true
  if (!(cause instanceof Error)) return false
  const code = 'code' in cause ? String(cause.code) : ''
  const call = 'syscall' in cause ? cause.syscall : undefined
  if (BEFORE_SENDING.has(code) || call === 'connect' || call === 'getaddrinfo') return true
  if (isOfCertificate(cause) || /^(?:ERR_TLS_|ERR_SSL_|EPROTO$)/.test(code)) return true
  return /^Proxy response \(|before secure TLS connection was established/.test(cause.message)
}

/** Whether a request may be made again after this error, and that is worth it. */
export function mayRepeat(settings: HttpOutletSettings, outgoing: Outgoing, error: HttpError): boolean {
  // those of which the server says that it has not taken them
  if (error.failure === 'results') return error.retryable === true
  if (!mayPass(error, settings.retryStatuses)) return false
  return wasNotDone(error) || isRepeatable(settings, outgoing)
}

function isRepeatable({ idempotent }: HttpOutletSettings, { destination }: Outgoing): boolean {
  return idempotent ?? isIdempotent(destination.method)
}

/** Whether an error says that a request is too large. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof HttpError && error.failure === 'status' && error.status === 413
}

/** The error of a request after its last try, which says whether its records are refused. */
export function lastError(settings: HttpOutletSettings, outgoing: Outgoing, error: HttpError): HttpError {
  const { failure, status = 0, cause } = error
  if (failure === 'results' || failure === 'body') return error
  if (failure === 'status') {
    const ofRecord = outgoing.destination.id !== undefined && OF_TARGET.has(status)
    if (settings.refusedStatuses.has(status) || ofRecord) return Object.assign(error, { retryable: false })
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  // what undici does not send at all
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')
    return Object.assign(error, { retryable: false })
  const hint = doubt()
  if (hint === '') return Object.assign(error, { retryable: true })
  return new HttpError(failure, `${error.message}${hint}`, {
    cause,
    status: error.status,
    retryAfter: error.retryAfter,
    retryable: true,
  })

  /** What is not known of the request. */
  function doubt(): string {
    if (wasNotDone(error)) return ''
    const arrived = failure === 'status' ? '' : '; it may have arrived'
    if (isRepeatable(settings, outgoing) || !mayPass(error, settings.retryStatuses)) return arrived
    return `${arrived}; it was not sent again, as it may not be made twice: see the option idempotencyKey`
  }
}
