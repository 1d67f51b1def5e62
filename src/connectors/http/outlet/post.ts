import type { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import type { Dispatcher } from 'undici'
import { lazy } from '../../../base/libraries.js'
import type { Connection } from '../agents.js'
import { ACCEPTED_ENCODINGS } from '../content-encoding.js'
import { httpError, type HttpError } from '../errors.js'
import { dump } from '../exchange.js'
import { urlInHeader } from '../header-url.js'
import type { Outgoing } from './outgoing.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import type { SentHeaders } from '../request-headers.js'
import { retryAfter } from '../retry.js'
import { headOf, type ResponseHead } from './response-head.js'
import type { Slot } from './slot.js'
import { accepts } from '../statuses.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** Statuses of redirects that keep the method and the body of a request. */
const KEEP_BODY = new Set([307, 308])

/**
 * Sends a request once, and follows its redirects.
 *
 * @returns the response, whose status is accepted; with `results` its body is to be read
 * @throws {@link HttpError} of a status that is not accepted, or the error of undici, or the reason of the slot's signal
 */
export async function post(
  connection: Connection,
  settings: HttpOutletSettings,
  outgoing: Outgoing,
  slot: Slot,
): Promise<Dispatcher.ResponseData | ResponseHead> {
  const { headersTimeout, bodyTimeout, statuses, redirects, results, maxBodySize } = settings
  const { method } = outgoing.destination
  const headers = headersOf(settings, outgoing)
  const body = settings.gzip ? await packed(outgoing) : outgoing.body
  let { url } = outgoing.destination
  for (let left = redirects; ; left--) {
    const options = { method, headers, body, headersTimeout, bodyTimeout }
    const response =
      results === undefined
        ? await headOf(connection, url, options, maxBodySize, slot)
        : await connection.send(url, { ...options, signal: slot.signal })
    const { statusCode: status } = response
    if (accepts(statuses, status)) return response
    if (response.body !== undefined) await dump(response)
    const location = KEEP_BODY.has(status) && redirects > 0 ? [response.headers['location']].flat()[0] : undefined
    if (location === undefined) throw refusal(settings, response)
    if (left === 0) throw failed(settings, 'redirect', `more than ${redirects} redirects`, status)
    url = movedWithin(settings, url, urlInHeader(location), status)
  }
}

/** Headers of a request as they are sent. */
function headersOf(
  { idempotencyHeader, gzip, results }: HttpOutletSettings,
  { destination: { headers }, body, key }: Outgoing,
): SentHeaders {
  if (body !== null && key === undefined && !gzip && results === undefined) return headers
  const { 'content-type': type, ...others } = headers
  return {
    ...(body !== null && type !== undefined && { 'content-type': type }),
    ...(body !== null && gzip && { 'content-encoding': 'gzip' }),
    ...(key !== undefined && { [idempotencyHeader]: key }),
    // without results, nobody reads the body of the response
    ...(results !== undefined && { 'accept-encoding': ACCEPTED_ENCODINGS }),
    ...others,
  }
}

async function packed(outgoing: Outgoing): Promise<Buffer | null> {
  if (outgoing.body === null) return null
  return (outgoing.packed ??= await promisify(zlib().gzip)(outgoing.body))
}

/** URL to which a server redirects, with what was sent to it: it is of the same origin. */
function movedWithin(settings: HttpOutletSettings, from: URL, location: string, status: number): URL {
  const refused = (why: string) => failed(settings, 'redirect', `is sent on to ${why}`, status)
  if (!URL.canParse(location, from.href)) throw refused('what is no URL')
  const url = new URL(location, from)
  url.username = url.password = url.hash = ''
  if (url.origin !== from.origin) throw refused(`another origin, ${url.origin}, which gets nothing of this one`)
  return url
}

/** Makes the error of a response whose status is not accepted. */
function refusal(settings: HttpOutletSettings, { statusCode: status, headers }: Omit<ResponseHead, 'body'>): HttpError {
  const isRedirect = status < 400 && headers['location'] !== undefined
  const hint = !isRedirect
    ? ''
    : KEEP_BODY.has(status)
      ? ', a redirect: see the option redirects'
      : ', a redirect that would lose the body: is the URL right?'
  return httpError(
    settings.url,
    'status',
    `the response has the status ${status}${hint}`,
    { status, retryAfter: retryAfter(headers['retry-after'], headers['date']) },
    'HttpOutlet',
  )
}

function failed({ url }: HttpOutletSettings, failure: 'redirect', message: string, status: number): HttpError {
  return httpError(url, failure, message, { status }, 'HttpOutlet')
}
