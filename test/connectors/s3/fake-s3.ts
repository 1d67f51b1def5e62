import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** Request that a fake storage got. */
export interface Got {
  readonly method: string
  readonly host: string
  /** Key of the object; the empty text for the bucket. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Answer in the place of the usual one: an error of S3, `cut` for an end of the connection, `lose` for one after the work. */
export type Fault =
  | {
      readonly status: number
      readonly code?: string
      readonly more?: string
      readonly headers?: { [name: string]: string }
    }
  | 'cut'
  | 'lose'
  | 'hang'
  | undefined

const ACCESS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/**
 * A storage that works like S3, in memory, and has faults on demand. It works out the signature of each request by itself, from
 * the specification.
 */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>()
  /** Uploads that are neither completed nor aborted, and their parts. */
  readonly uploads = new Map<string, { readonly key: string; readonly parts: Map<number, Buffer> }>()
  readonly requests: Got[] = []
  /** Judges each request, before its body is read when it gives `cut`. */
  fault: (got: Got, count: number) => Fault = () => undefined
  /** How far its clock is ahead, in milliseconds. */
  skew = 0
  /** Whether its etags are no hashes, as those of objects that are encrypted with keys of one's own. */
  isEncrypted = false
  /** Time at which objects were written, for responses to HEAD. */
  lastModified = new Date()
  /** Keys that it takes, and their secrets. */
  readonly keys = new Map([[ACCESS.accessKeyId, ACCESS.secretAccessKey]])
  readonly bucket = 'bucket'
  port = 0
  #count = 0
  #ids = 0

  static async start(t: Test): Promise<FakeS3> {
    const fake = new FakeS3()
    const server = createServer(
      (request, response) => void fake.#take(request, response).catch(() => request.destroy()),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    fake.port = (server.address() as AddressInfo).port
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    return fake
  }

  /** Options of an inlet or outlet that uses it. */
  get options() {
    const retry = { retries: 3, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 2 } }
    return { ...ACCESS, bucket: this.bucket, region: 'eu-test-1', endpoint: `http://127.0.0.1:${this.port}`, retry }
  }

  /** Texts of the objects, by their keys. */
  get texts(): { [key: string]: string } {
    return Object.fromEntries([...this.objects].map(([key, bytes]) => [key, bytes.toString()]))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const { host = '' } = headers
    const { pathname, searchParams: query } = new URL(url, 'http://x')
    const isInHost = host.startsWith(`${this.bucket}.`)
    const raw = isInHost ? pathname : pathname.replace(/^\/[^/]+/, '')
    const key = decodeURIComponent(raw.replace(/^\//, ''))
    const bucket = isInHost ? this.bucket : pathname.split('/')[1]
    const count = ++this.#count
    const early: Got = { method, host, key, query, headers, body: Buffer.alloc(0) }
    const fault = this.fault(early, count)
    response.setHeader('date', new Date(Date.now() + this.skew).toUTCString())
    if (fault === 'cut') {
      // in the middle of what is sent
      request.once('data', () => request.destroy())
      if (Number(headers['content-length'] ?? 0) === 0) request.destroy()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    this.requests.push({ ...early, body })
    if (fault === 'hang') return
    if (typeof fault === 'object') {
      for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value)
      refuse(response, fault.status, fault.code, fault.more)
      return
    }
    const refusal =
      this.#refusal(request, pathname, query, body) ?? (bucket === this.bucket ? undefined : 'NoSuchBucket')
    if (refusal !== undefined)
      refuse(response, refusal === 'NoSuchBucket' ? 404 : refusal === 'BadDigest' ? 400 : 403, refusal)
    else this.#serve(method, key, query, body, response, fault === 'lose')
  }

  /** Code of the error of a request that is not signed right, by the specification of AWS. */
  #refusal(request: IncomingMessage, path: string, query: URLSearchParams, body: Buffer): string | undefined {
    const { headers, method = '' } = request
    const [, id = '', scope = '', names = '', signature = ''] =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(
        headers.authorization ?? '',
      ) ?? []
    const time = String(headers['x-amz-date'])
    const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
    const secret = this.keys.get(id)
    if (secret === undefined) return 'InvalidAccessKeyId'
    if (Math.abs(at - Date.now() - this.skew) > 900_000) return 'RequestTimeTooSkewed'
    const encode = (text: string) =>
      [...Buffer.from(text)]
        .map((byte) =>
          /[\w.~-]/.test(String.fromCharCode(byte))
            ? String.fromCharCode(byte)
            : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
        )
        .join('')
    const pairs = [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`)
    const sent = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`)
    const hash = String(headers['x-amz-content-sha256'])
    if (hash !== createHash('sha256').update(body).digest('hex')) return 'BadDigest'
    const digest = headers['content-md5']
    if (digest !== undefined && digest !== createHash('md5').update(body).digest('base64')) return 'BadDigest'
    const canonical = [
      method,
      path
        .split('/')
        .map((part) => encode(decodeURIComponent(part)))
        .join('/'),
      pairs.toSorted().join('&'),
      sent.join(''),
      names,
      hash,
    ].join('\n')
    const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
    const mac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
    const signingKey = scope.split('/').reduce<string | Buffer>((key, part) => mac(key, part), `AWS4${secret}`)
    return mac(signingKey, text).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
  }

  #serve(method: string, key: string, query: URLSearchParams, body: Buffer, response: ServerResponse, isLost: boolean) {
    const answer = (status: number, text = '') => {
      if (isLost) response.destroy()
      else response.writeHead(status).end(method === 'HEAD' ? undefined : text)
    }
    const id = query.get('uploadId')
    const upload = id === null ? undefined : this.uploads.get(id)
    if (id !== null && upload === undefined) {
      refuse(response, 404, 'NoSuchUpload')
      return
    }
    if (method === 'GET' && key === '') {
      answer(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>')
      return
    }
    if (method === 'POST' && query.has('uploads')) {
      const made = `upload ${++this.#ids}+/=`
      this.uploads.set(made, { key, parts: new Map() })
      answer(200, `<InitiateMultipartUploadResult><UploadId>${made}</UploadId></InitiateMultipartUploadResult>`)
      return
    }
    if (method === 'PUT' && upload !== undefined) {
      upload.parts.set(Number(query.get('partNumber')), body)
      response.setHeader('etag', this.isEncrypted ? `"sealed${md5(body)}"` : `"${md5(body)}"`)
      answer(200)
      return
    }
    if (method === 'POST' && upload !== undefined && id !== null) {
      const parts = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&#34;(\w+)&#34;<\/ETag>/g)].map(
        ([, number, etag]) => {
          const part = upload.parts.get(Number(number))
          return part !== undefined && md5(part) === etag ? part : undefined
        },
      )
      if (parts.length !== upload.parts.size || parts.includes(undefined)) {
        refuse(response, 400, 'InvalidPart')
        return
      }
      this.uploads.delete(id)
      this.objects.set(key, Buffer.concat(parts as Buffer[]))
      this.#etags.set(
        key,
        `${md5(Buffer.concat((parts as Buffer[]).map((part) => Buffer.from(md5(part), 'hex'))))}-${parts.length}`,
      )
      answer(200, '<?xml version="1.0"?>\n<CompleteMultipartUploadResult xmlns="x"></CompleteMultipartUploadResult>')
      return
    }
    if (method === 'DELETE' && id !== null) {
      this.uploads.delete(id)
      answer(204)
      return
    }
    if (method === 'PUT') {
      this.objects.set(key, body)
      this.#etags.set(key, md5(body))
      response.setHeader('etag', `"${md5(body)}"`)
      answer(200)
      return
    }
    const found = this.objects.get(key)
    if (found === undefined) {
      if (method === 'HEAD') answer(404)
      else refuse(response, 404, 'NoSuchKey')
      return
    }
    response.setHeader('etag', `"${this.#etags.get(key)}"`)
    response.setHeader('content-length', found.length)
    response.setHeader('last-modified', this.lastModified.toUTCString())
    answer(200, found.toString('latin1'))
  }

  readonly #etags = new Map<string, string>()
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}

function refuse(response: ServerResponse, status: number, code?: string, more = ''): void {
  const text =
    code === undefined
      ? ''
      : `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no &amp; no</Message>${more}</Error>`
  response.writeHead(status).end(text)
}
