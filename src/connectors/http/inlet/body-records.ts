import { toError } from '../../../base/errors.js'
import { bodyText } from '../body-text.js'
import { httpError } from '../errors.js'
import type { HttpResponse } from '../exchange.js'
import { parseText } from '../format.js'
import type { HttpInletSettings } from './inlet-settings.js'
import { selectRecords } from './select.js'

/** Counts of what was not read, over all bodies of a pull. */
export interface Losses {
  /** Number of characters that became U+FFFD. */
  characters: number
  /** Number of bytes behind packed bodies. */
  bytes: number
}

/**
 * Parses a response that was read whole; `undefined` when it has no body.
 *
 * @throws {@link HttpError}
 */
export function parseBody(
  { request, status, headers, bytes, leftOut }: HttpResponse,
  { format, charset, bigIntegers }: HttpInletSettings,
  losses: Losses,
): unknown {
  losses.bytes += leftOut
  if (bytes.length === 0) return undefined
  try {
    const { text, replaced } = bodyText(bytes, headers['content-type'], charset)
    losses.characters += replaced
    return text === '' ? undefined : parseText(format, text, bigIntegers)
  } catch (cause) {
    throw httpError(request.url, 'body', toError(cause).message, { cause, status })
  }
}

/**
 * The records of a body: those that `select` finds, or else what it is.
 *
 * @throws {@link HttpError}
 */
export function recordsOf(
  { request, status }: HttpResponse,
  body: unknown,
  select: HttpInletSettings['select'],
): unknown {
  if (body === undefined) return []
  if (select === undefined) return body
  try {
    return selectRecords(select, body)
  } catch (cause) {
    throw httpError(request.url, 'body', `select: ${toError(cause).message}`, { cause, status })
  }
}
