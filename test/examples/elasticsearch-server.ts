import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { serve } from '../helpers/servers.js'

type Operation = 'index' | 'create'

/** Refusal of a document: an HTTP status, and an error as Elasticsearch words it. */
export interface Refusal {
  readonly status: number
  readonly type: string
  readonly reason: string
}

export const BUSY: Refusal = {
  status: 429,
  type: 'es_rejected_execution_exception',
  reason: 'rejected execution of primary operation',
}

/** Fault of a request of many documents. */
export interface Faults {
  /** The whole request is refused. */
  request?: (number: number) => Refusal | 'hang' | undefined
  /** A document is refused. */
  document?: (id: string, requestNumber: number) => Refusal | undefined
  /** The documents are taken, and the connection is cut before the response. */
  cut?: (number: number) => boolean
}

/** Server with the part of Elasticsearch's API that the example uses: whether an index exists, and bulk. */
export async function elasticsearch(t: Test, faults: Faults = {}) {
  /** Documents of the index by id. */
  const documents = new Map<string, unknown>()
  /** Ids of the documents of each bulk request. */
  const requests: string[][] = []
  /** Authorizations of the requests. */
  const authorizations = new Set<string | undefined>()

  const { url } = await serve(t, (request, response) => {
    void answer(request, response)
  })
  return { url, documents, requests, authorizations }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    authorizations.add(request.headers.authorization)
    // the official client refuses servers that do not say that they are Elasticsearch
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/vnd.elasticsearch+json;compatible-with=8')
    const route = `${request.method ?? ''} ${request.url ?? ''}`
    if (route === 'HEAD /my-test-index') response.writeHead(200).end()
    else if (route === 'POST /my-test-index/_bulk') await bulk(request, response)
    else response.writeHead(404).end()
  }

  async function bulk(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const isNdjson = request.headers['content-type']?.includes('x-ndjson') === true
    if (!isNdjson || !body.endsWith('\n')) {
      const reason = 'The bulk request must be terminated by a newline [\\n]'
      refuse(response, { status: 400, type: 'illegal_argument_exception', reason })
      return
    }
    const pairs = readPairs(body)
    const number = requests.push(pairs.map(({ id }) => id)) - 1
    const refusal = faults.request?.(number)
    if (refusal === 'hang') return
    if (refusal !== undefined) {
      refuse(response, refusal)
      return
    }
    const items = pairs.map(({ operation, id, document }) => ({ [operation]: take(operation, id, document, number) }))
    if (faults.cut?.(number) === true) {
      request.socket.destroy()
      return
    }
    response.end(
      JSON.stringify({ took: 1, errors: items.some((item) => JSON.stringify(item).includes('error')), items }),
    )
  }

  function take(operation: Operation, id: string, document: unknown, number: number) {
    const exists = documents.has(id)
    const conflict: Refusal = {
      status: 409,
      type: 'version_conflict_engine_exception',
      reason: `[${id}]: version conflict, document already exists (current version [1])`,
    }
    const refusal = operation === 'create' && exists ? conflict : faults.document?.(id, number)
    if (refusal !== undefined) {
      const { status, type, reason } = refusal
      return { _index: 'my-test-index', _id: id, status, error: { type, reason } }
    }
    documents.set(id, document)
    return { _index: 'my-test-index', _id: id, result: exists ? 'updated' : 'created', status: exists ? 200 : 201 }
  }
}

/** Parses lines in pairs: the operation, and the document. */
function readPairs(body: string) {
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  return Array.from({ length: lines.length / 2 }, (_, at) => {
    const action = lines[2 * at] as { [operation in Operation]?: { _id: string } }
    const operation: Operation = action.create === undefined ? 'index' : 'create'
    return { operation, id: action[operation]?._id ?? '', document: lines[2 * at + 1] }
  })
}

function refuse(response: ServerResponse, { status, type, reason }: Refusal): void {
  response.writeHead(status).end(JSON.stringify({ error: { root_cause: [{ type, reason }], type, reason }, status }))
}
