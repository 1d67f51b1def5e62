import type { Dispatcher } from 'undici'
import { toError } from '../../base/errors.js'
import { certificateHint } from '../certificates.js'
import { connectionFailure } from '../tls-failure.js'
import type { Connection } from './agents.js'
import { readBody, type BodyOptions, type HttpBody } from './body.js'
import { BodyError, HttpError, httpError } from './errors.js'
import { openStream } from './open-stream.js'
import { redirected } from './redirect.js'
import type { HttpRequest } from './request.js'
import type { ResponseHeaders } from './response-headers.js'
import { retryAfter } from './retry.js'
import type { ContentEncoding } from './content-encoding.js'

/** Response that was read whole, or is read piece by piece. */
export interface HttpResponse extends HttpBody {
  /** Request that it answers: the last one, after redirects. */
  readonly request: HttpRequest
  readonly status: number
  readonly headers: ResponseHeaders
}

/** Limits of an exchange. Lengths of time are in milliseconds. */
export interface ExchangeLimits {
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly redirects: number
  readonly accepts: (status: number) => boolean
  /** Most bytes of the body. */
  readonly bodyLimit: number
  /** Most bytes of all bodies of the pull. */
  readonly maxBodySize: number
  /** Encodings that hold instead of those of the response. */
  readonly contentEncoding: readonly ContentEncoding[] | undefined
  readonly charset: string | undefined
  /** Whether a long body is one of lines, to be read piece by piece. */
  readonly streams: boolean
}

/** Time for which the rest of an unwanted response is read, to use the connection again, in milliseconds. */
const DUMP_TIME = 1000

/** Codes of undici's errors that stand for a timeout. */
const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/**
 * Sends a request once, follows its redirects, and reads the response whole.
 *
 * @throws {@link HttpError}, or the reason of `signal`
 */
export async function exchange(
  connection: Connection,
  first: HttpRequest,
  limits: ExchangeLimits,
  signal: AbortSignal,
): Promise<HttpResponse> {
  let request = first
  for (let left = limits.redirects; ; left--) {
    try {
      const response = await send(connection, request, limits, signal)
      const { statusCode: status, headers } = response
      if (limits.accepts(status))
        return { request, status, headers, ...(await read(response, request, limits, signal)) }
      await dump(response)
      const next = limits.redirects === 0 ? undefined : redirected(request, status, headers['location'])
      if (next === undefined) throw refusal(request, response)
      if (left === 0) throw httpError(request.url, 'redirect', `more than ${limits.redirects} redirects`, { status })
      request = next
    } catch (error) {
      signal.throwIfAborted()
      throw asHttpError(request.url, error)
    }
  }
}

function send(
  connection: Connection,
  { url, method, headers, body }: HttpRequest,
  { headersTimeout, bodyTimeout }: ExchangeLimits,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return connection.send(url, { method, headers, body, headersTimeout, bodyTimeout, signal })
}

async function read(
  response: Dispatcher.ResponseData,
  request: HttpRequest,
  { bodyLimit: limit, maxBodySize: maxSize, contentEncoding, charset, streams }: ExchangeLimits,
  signal: AbortSignal,
): Promise<HttpBody> {
  const { body, headers, statusCode: status } = response
  const close = () => void body.on('error', () => undefined).destroy()
  const open: BodyOptions['open'] = async (head, chunks, most, tooLarge) => {
    if (Number(headers['content-length']) > most) throw tooLarge()
    const opened = await openStream(head, chunks, { headers, contentEncoding, charset }, most, tooLarge)
    if (opened === undefined) return undefined
    body.on('error', () => undefined)
    opened.stream.hangUp = close
    opened.stream.toFailure = (thrown) => (signal.aborted ? toError(signal.reason) : asHttpError(request.url, thrown))
    return opened
  }
  try {
    const options = { limit, maxSize, contentEncoding, ...(streams && { open }) }
    return await readBody(body, headers['content-encoding'], options)
  } catch (cause) {
    close()
    if (cause instanceof BodyError) throw httpError(request.url, 'body', cause.message, { cause, status })
    throw cause
  }
}

/** Reads the rest of a response, so that the connection can be used again; but not for ever. Never rejects. */
export async function dump({ body }: Dispatcher.ResponseData): Promise<void> {
  const timer = setTimeout(() => body.destroy(), DUMP_TIME)
  await body.dump({ limit: 131_072 }).catch(() => undefined)
  clearTimeout(timer)
}

/** Makes the error of a response whose status is not accepted. */
function refusal(request: HttpRequest, { statusCode: status, headers }: Dispatcher.ResponseData): HttpError {
  const hint = status < 400 && headers['location'] !== undefined ? ', a redirect: see the option redirects' : ''
  return httpError(request.url, 'status', `the response has the status ${status}${hint}`, {
    status,
    retryAfter: retryAfter(headers['retry-after'], headers['date']),
  })
}

/**
 * Makes the error of a request that got no whole response.
 *
 * @param owner - connector that made the request
 */
export function asHttpError(url: URL, cause: unknown, owner?: string): HttpError {
  if (cause instanceof HttpError) return cause
  const error = toError(cause)
  // the error of a parser holds the text that it could not parse, up to a whole part of a response
  Reflect.deleteProperty(error, 'data')
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const failure = TIMEOUTS.has(code) ? 'timeout' : 'connection'
  const hint = certificateHint(error, { authority: 'cacert' })
  return httpError(url, failure, `${connectionFailure(error, 'by http://')}${hint}`, { cause }, owner)
}
