import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { toError } from '../../base/errors.js'
import { EXPOSITION_TYPE } from './exposition.js'
import type { Readiness } from '../readiness.js'

/** What is served. */
export interface Pages {
  /** Gives the metrics as text. */
  metrics(): Uint8Array
  readiness(): Readiness
  /** Called with what failed as an answer was made. */
  failed(error: Error): void
}

/** What an answer can be written to, past Hono. */
interface Served {
  readonly Bindings: { readonly outgoing: ServerResponse }
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
const PATHS = ['/metrics', '/healthz', '/readyz'] as const

/** Answers of the listener: `/metrics`, `/healthz` and `/readyz`, for GET and HEAD alone. */
export function makeApp(pages: Pages): Hono<Served> {
  const app = new Hono<Served>()
  app.get('/healthz', (context) => context.body('ok\n', 200, PLAIN))
  app.get('/readyz', (context) => {
    const { ready, text } = pages.readiness()
    return context.body(`${text}\n`, ready ? 200 : 503, PLAIN)
  })
  app.get('/metrics', (context) => {
    const bytes = pages.metrics()
    // by way of a Response they would be copied, and go out in pieces
    const headers = { ...PLAIN, 'content-type': EXPOSITION_TYPE, 'content-length': bytes.length }
    context.env.outgoing.writeHead(200, headers).end(bytes)
    return RESPONSE_ALREADY_SENT
  })
  for (const path of PATHS) {
    // what is sent along is not read
    const headers = { ...PLAIN, allow: 'GET, HEAD', connection: 'close' }
    app.all(path, (context) => context.body('only GET and HEAD\n', 405, headers))
  }
  app.notFound((context) => {
    const isRead = context.req.method === 'GET' || context.req.method === 'HEAD'
    const headers = isRead ? PLAIN : { ...PLAIN, connection: 'close' }
    return context.body(`not found: there are ${PATHS.join(', ')}\n`, 404, headers)
  })
  app.onError((thrown, context) => {
    pages.failed(toError(thrown))
    return context.body('failed: the log says why\n', 500, PLAIN)
  })
  return app
}
