import { InvalidOptionError } from '../../../base/errors.js'
import { resolveOptions, type Resolved } from '../../../base/options.js'
import type { Secret } from '../../../base/secret.js'
import type { HttpFormat } from '../format.js'
import { isIdempotent } from '../methods.js'
import { resolveRequest, type HttpRequest } from '../request.js'
import { HTTP_INLET_OPTIONS, type HttpInletOptions } from './inlet-options.js'
import { checkHasFields } from './select.js'

/**
 * {@link HttpInletOptions}, resolved. Lengths of time are in milliseconds.
 * @internal
 */
export interface HttpInletSettings extends Omit<
  Resolved<typeof HTTP_INLET_OPTIONS>,
  'metadata' | 'params' | 'headers' | 'method' | 'body' | 'json'
> {
  readonly request: HttpRequest
  readonly format: HttpFormat
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly idempotent: boolean
}

/**
 * Checks and resolves {@link HttpInletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 * @internal
 */
export function resolveInletOptions(url: string | URL | Secret, options: HttpInletOptions): HttpInletSettings {
  const {
    metadata: _,
    params,
    headers,
    method,
    body,
    json,
    ...rest
  } = resolveOptions('HttpInlet', options, HTTP_INLET_OPTIONS)
  const request = resolveRequest(url, { params, headers, method, body })
  const { timeout, conditional } = rest
  if (rest.format !== undefined && json !== undefined) {
    throw new InvalidOptionError('HttpInlet.json', 'only one of json and format', json)
  }
  if (conditional && rest.next !== undefined) {
    throw new InvalidOptionError(
      'HttpInlet.conditional',
      'false with next: the first page says nothing of others',
      true,
    )
  }
  if (conditional && request.method !== 'GET' && request.method !== 'HEAD') {
    throw new InvalidOptionError('HttpInlet.conditional', `false with the method ${request.method}`, true)
  }
  const format = rest.format ?? (json === false ? 'text' : 'json')
  checkHasFields('HttpInlet.select', options.select, format)
  checkHasFields('HttpInlet.next', options.next, format)
  checkSince(options, request, format)
  return Object.freeze({
    ...rest,
    request,
    format,
    headersTimeout: rest.headersTimeout ?? Math.min(timeout, 30_000),
    bodyTimeout: rest.bodyTimeout ?? Math.min(timeout, 30_000),
    idempotent: rest.idempotent ?? isIdempotent(request.method),
  })
}

/** Checks what `since` does not go with. */
function checkSince({ since, conditional, next }: HttpInletOptions, request: HttpRequest, format: HttpFormat): void {
  if (since === undefined) return
  const name = 'HttpInlet.since'
  if (conditional === true) {
    throw new InvalidOptionError(name, 'none with conditional: each value asks for another version', 'both')
  }
  if (next !== undefined && since.more !== undefined) {
    throw new InvalidOptionError(`${name}.more`, 'none with next, which says whether there is a further page', 'both')
  }
  if (since.param !== undefined && request.url.searchParams.has(since.param)) {
    throw new InvalidOptionError(`${name}.param`, 'none of the URL or of params: see its option first', since.param)
  }
  if (since.record !== undefined && format === 'text') {
    throw new InvalidOptionError(
      `${name}.record`,
      'none with the format text, whose records have no fields',
      since.record,
    )
  }
  checkHasFields(`${name}.body`, since.body, format, 'value')
  checkHasFields(`${name}.more`, since.more, format)
}
