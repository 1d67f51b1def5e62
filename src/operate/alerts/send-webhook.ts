import { toError } from '../../base/errors.js'
import { scrub } from '../../base/scrub.js'
import type { WebhookSettings } from './alert-options.js'
import type { AlertMessage } from './alert-message.js'
import { AlertError } from './alert-error.js'
import { fillTemplate } from './template.js'

/** Statuses of a failed request that is worth another try, besides those from 500 on. */
const PASSING = new Set([408, 425, 429])

/** Most bytes of an answer that are looked at, and most characters that an error shows. */
const KEPT = 10_000
const SHOWN = 200

/**
 * Sends a message to a webhook.
 *
 * @throws {@link AlertError} that shows no more of the URL than its origin
 */
export async function sendWebhook(
  { url, method, headers, body }: WebhookSettings,
  message: AlertMessage,
  signal: AbortSignal,
): Promise<void> {
  const content: unknown = typeof body === 'function' ? await body(message) : fillTemplate(body ?? message, message)
  const isText = typeof content === 'string'
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json'
  const { origin } = new URL(url)
  let response
  try {
    response = await fetch(url, {
      method,
      headers: { 'user-agent': 'databay', 'content-type': type, ...lowerCase(headers) },
      body: isText ? content : JSON.stringify(content),
      // what was given for one server does not go to another
      redirect: 'manual',
      signal,
    })
  } catch (thrown) {
    signal.throwIfAborted()
    const { message, cause } = toError(thrown)
    throw new AlertError(`${origin}: ${cause === undefined ? message : toError(cause).message || message}`)
  }
  const { status } = response
  const answer = await beginningOf(response)
  if (response.ok) return
  const isPassing = status >= 500 || PASSING.has(status)
  const delay = Number(response.headers.get('retry-after')) * 1000
  throw new AlertError(`${origin}: the answer has the status ${status}${answer === '' ? '' : `: ${answer}`}`, {
    retryable: isPassing,
    retryAfter: Number.isFinite(delay) ? delay : 0,
  })
}

/** Beginning of an answer. The rest is not read. */
async function beginningOf({ body, ok }: Response): Promise<string> {
  if (body === null) return ''
  const reader = body.getReader()
  try {
    if (ok) return ''
    const { value } = (await reader.read()) as { readonly value?: Uint8Array }
    const text = value === undefined ? '' : new TextDecoder().decode(value.subarray(0, KEPT))
    // before it is cut: a part of a secret would not be known
    return scrub(text).slice(0, SHOWN).trim()
  } catch {
    return ''
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

function lowerCase(headers: WebhookSettings['headers']): { [name: string]: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
