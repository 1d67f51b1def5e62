import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { compareKeys } from '../../src/connectors/s3/inlet/position.js'
import { serve } from './servers.js'

/** Object of {@link fakeS3}. */
export interface FakeObject {
  readonly body: Buffer
  readonly etag: string
  /** Time at which it was written, in milliseconds. */
  readonly modified: number
}

/** What becomes of a request: it is answered, refused, or its answer is cut off after some bytes of content. */
export type Fate =
  | 'answer'
  | 'hang'
  | { readonly status: number; readonly code?: string; readonly headers?: { readonly [name: string]: string } }
  | { readonly cutAfter: number }

/** A request, as a test sees it. */
export interface Asked {
  /** Key of an object; `undefined` for a listing. */
  readonly key: string | undefined
  readonly query: URLSearchParams
  readonly range: string | undefined
  readonly ifMatch: string | undefined
  /** Time at which it was signed, in milliseconds. */
  readonly time: number
}

/**
 * A storage in memory, whose requests a test may have fail, and whose objects have the times that it says. It lists and
 * gives objects as S3 does, and looks at no signature.
 */
export async function fakeS3(t: Test, { pageSize = 1000, tellsTokens = true } = {}) {
  const objects = new Map<string, FakeObject>()
  const asked: Asked[] = []
  const state = {
    judge: (_: Asked): Fate => 'answer',
    /** Called before a request is answered. */
    before: (_: Asked): void => undefined,
    /** How far its clock is ahead, in milliseconds. */
    ahead: 0,
    /** Whether it knows parts of objects. */
    knowsRanges: true,
  }
  const { url, server } = await serve(t, (request, response) => {
    const { key, query } = placeOf(request)
    const { range, 'if-match': ifMatch, 'x-amz-date': date } = request.headers
    const time = Date.parse(String(date).replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z'))
    const one = { key, query, range, ifMatch, time }
    asked.push(one)
    state.before(one)
    const fate = state.judge(one)
    if (fate === 'hang') return
    response.setHeader('date', new Date(Date.now() + state.ahead).toUTCString())
    if (typeof fate === 'object' && 'status' in fate) refuse(response, fate.status, fate.code, fate.headers)
    else if (key === undefined) list(response, objects, query, pageSize, tellsTokens)
    else give(response, objects.get(key), one, fate === 'answer' ? Infinity : fate.cutAfter, state.knowsRanges)
  })
  return {
    options: { endpoint: url, region: 'us-east-1', accessKeyId: 'key', secretAccessKey: 'secret', bucket: 'bucket' },
    objects,
    asked,
    state,
    server,
    /** Requests of an object, or of all objects. */
    gets: (key?: string) => asked.filter((one) => one.key !== undefined && (key === undefined || one.key === key)),
    lists: () => asked.filter((one) => one.key === undefined),
    put: (key: string, body: string | Uint8Array, modified = Date.now() - 60_000) => {
      const bytes = Buffer.from(body)
      const etag = createHash('md5').update(bytes).digest('hex')
      objects.set(key, { body: bytes, etag, modified })
    },
  }
}

function placeOf(request: IncomingMessage) {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const [, key] = /^\/bucket\/(.+)$/.exec(path) ?? []
  return { key: key === undefined ? undefined : decodeURIComponent(key), query: new URLSearchParams(query) }
}

function refuse(response: ServerResponse, status: number, code?: string, headers: { [name: string]: string } = {}) {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(
    code === undefined ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
  )
}

function list(
  response: ServerResponse,
  objects: ReadonlyMap<string, FakeObject>,
  query: URLSearchParams,
  pageSize: number,
  tellsTokens: boolean,
) {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  const size = Math.min(pageSize, Number(query.get('max-keys') ?? pageSize))
  const behind = [...objects]
    .filter(([key]) => key.startsWith(prefix) && compareKeys(key, after) > 0)
    .sort(([a], [b]) => compareKeys(a, b))
  const page = behind.slice(0, size)
  const contents = page.map(
    ([key, { body, etag, modified }]) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>${new Date(modified).toISOString()}</LastModified>` +
      `<ETag>&quot;${etag}&quot;</ETag><Size>${body.length}</Size></Contents>`,
  )
  const isCut = page.length < behind.length
  const token =
    isCut && tellsTokens ? `<NextContinuationToken>${escaped(page.at(-1)?.[0] ?? '')}</NextContinuationToken>` : ''
  response.end(
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isCut}</IsTruncated>` +
      `${token}${contents.join('')}</ListBucketResult>`,
  )
}

function give(
  response: ServerResponse,
  object: FakeObject | undefined,
  { range, ifMatch }: Asked,
  cutAfter: number,
  knowsRanges: boolean,
): void {
  if (object === undefined) {
    refuse(response, 404, 'NoSuchKey')
    return
  }
  const { body, etag, modified } = object
  if (ifMatch !== undefined && ifMatch !== `"${etag}"`) {
    refuse(response, 412, 'PreconditionFailed')
    return
  }
  const start = knowsRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0
  if (start > 0 && start >= body.length) {
    refuse(response, 416, 'InvalidRange')
    return
  }
  const content = body.subarray(start)
  response.writeHead(start > 0 ? 206 : 200, {
    etag: `"${etag}"`,
    'last-modified': new Date(modified).toUTCString(),
    'content-length': content.length,
    ...(start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
  })
  if (cutAfter >= content.length) response.end(content)
  else response.write(content.subarray(0, cutAfter), () => setImmediate(() => response.destroy()))
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
