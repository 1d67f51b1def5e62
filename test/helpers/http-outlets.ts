import { buffer } from 'node:stream/consumers'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import type { Test } from 'tap'
import { HttpOutlet } from '../../src/connectors/http/http-outlet.js'
import type { HttpOutletOptions } from '../../src/connectors/http/outlet/outlet-options.js'
import { Cancellation } from '../../src/core/cancellation.js'
import { failureClass } from '../../src/core/failure-class.js'
import { PartialPushError } from '../../src/core/partial-push.js'
import { Record } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'
import { serve } from './servers.js'

/** Request as a server got it. */
export interface Got {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

/** Starts a server that notes all requests, and answers as it is told; with 200 by itself. */
export async function target(
  t: Test,
  answer: (response: ServerResponse, got: Got, request: IncomingMessage) => void = (response) => response.end(),
) {
  const got: Got[] = []
  const server = await serve(t, (request, response) => {
    void buffer(request).then((body) => {
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body, text: body.toString() }
      got.push(one)
      answer(response, one, request)
    })
  })
  return { ...server, got }
}

/** Makes an outlet that is started, and shut down when the test ends. It tries once, unless told otherwise. */
export async function started<T>(t: Test, url: string, options: HttpOutletOptions<T> = {}): Promise<HttpOutlet<T>> {
  const made = new HttpOutlet<T>(url, { retry: { retries: 0 }, ...options })
  t.teardown(() => made.onShutdown())
  await made.onStart()
  return made
}

/** Update of a transfer that can be told to stop. */
export function stoppable() {
  const cancellation = new Cancellation()
  const update = new Update(['to_http'], 0, cancellation)
  return { update, stop: (reason = new Error('told to stop')) => cancellation.cancel(reason) }
}

/** Pushes payloads. Gives what came of them: the error of each by its place, with its class, or of all. */
export async function pushed(
  outlet: HttpOutlet,
  payloads: readonly unknown[],
  update = stoppable().update,
): Promise<{ readonly error?: Error; readonly refused: number[]; readonly waits: number[]; readonly why: string }> {
  try {
    await outlet.push(
      payloads.map((payload) => new Record(payload)),
      update,
    )
    return { refused: [], waits: [], why: '' }
  } catch (thrown) {
    const error = thrown as Error
    const all =
      error instanceof PartialPushError ? error.rejected : payloads.map((_, index) => ({ index, error: error }))
    const of = (name: string) => all.filter((one) => failureClass(one.error) === name).map(({ index }) => index)
    return {
      error,
      refused: of('refused'),
      waits: of('unavailable'),
      why: inspect(all.map((one) => one.error.message)),
    }
  }
}

/** Retries without delays to speak of. */
export const quick = { retries: 2, minDelay: { milliseconds: 1 }, maxDelay: 5 } as const
