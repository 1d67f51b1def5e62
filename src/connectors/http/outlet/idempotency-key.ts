import { lazy } from '../../../base/libraries.js'
import { toError } from '../../../base/errors.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import type { Body } from './bodies.js'
import type { HttpIdempotencyKey } from './outlet-options.js'
import type { Destination } from './target.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')

/**
 * Key of a request, by which its server takes it once: a hash of method, URL and body, or what a function gives.
 *
 * @throws {@link Error} when the function gives none that can be sent
 */
export function idempotencyKey(
  by: true | HttpIdempotencyKey,
  { method, url }: Destination,
  body: Body,
  records: readonly Record[],
  update: Update,
): string {
  if (by === true) {
    const hash = crypto().createHash('sha256').update(`${method} ${url.href}\n`)
    return hash.update(body ?? '').digest('hex')
  }
  let given: unknown
  try {
    given = by(records, update)
  } catch (thrown) {
    throw new Error(`HttpOutlet: idempotencyKey() failed: ${toError(thrown).message}`, { cause: thrown })
  }
  if (typeof given === 'string' && /^[!-~](?:[ -~]*[!-~])?$/.test(given)) return given
  const what = typeof given === 'string' ? 'a text that fits no header' : `something of type ${typeof given}`
  throw new Error(`HttpOutlet: idempotencyKey() gave ${what}: expected visible characters of ASCII`)
}
