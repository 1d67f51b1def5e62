import { inspect } from 'node:util'
import type { Test } from 'tap'
import { HttpError } from '../../src/connectors/http/errors.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../src/connectors/http/inlet/inlet-options.js'
import { Update } from '../../src/core/update.js'
import { serve } from './servers.js'

export const update = new Update(['http_to_null'], 0)

/** Makes an inlet that is shut down when the test ends. It tries once, unless told otherwise. */
export function inlet(t: Test, url: string, options?: HttpInletOptions) {
  const made = new HttpInlet(url, { retry: { retries: 0 }, ...options })
  t.teardown(() => made.onShutdown())
  return made
}

/** Pulls from a server that always answers the same. */
export async function pullOf(
  t: Test,
  body: string | Uint8Array,
  options?: HttpInletOptions,
  headers: { [name: string]: string | string[] } = {},
  status = 200,
): Promise<unknown> {
  const { url } = await serve(t, (_, response) => response.writeHead(status, headers).end(body))
  return inlet(t, `${url}/data?token=secret`, options).pull(update)
}

/** Gives the error of a pull, and checks that it shows no secret. */
export async function failureOf(t: Test, pulled: Promise<unknown>): Promise<HttpError> {
  const error = await pulled.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof HttpError)) throw new Error('expected an HttpError', { cause: error })
  t.equal(error.code, 'DATABAY_HTTP')
  t.match(error.message, /^HttpInlet: https?:/)
  t.notMatch(inspect(error, { depth: 8 }), /secret|token=/)
  return error
}
