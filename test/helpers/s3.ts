import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { AwsClient } from 'aws4fetch'
import { end, firstLine } from './children.js'
import type { Owner } from './postgres.js'
import { TcpProxy } from './tcp-proxy.js'

/** What a client needs to reach the server: options of `S3Inlet` and `S3Outlet`, all but the bucket. */
export interface S3Access {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

function given(): S3Access | undefined {
  const { S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env
  if (!S3_ENDPOINT) return undefined
  return {
    endpoint: S3_ENDPOINT,
    region: AWS_REGION ?? 'us-east-1',
    accessKeyId: AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: AWS_SECRET_ACCESS_KEY ?? '',
  }
}

/** Options of `s3Server`. */
export interface S3ServerOptions {
  /** Milliseconds by which the clock of the server is ahead. Such a server is one of its own, whatever the environment says. */
  readonly clockAhead?: number
}

/** Starts s3rver in a process of its own. */
async function started(t: Owner, clockAhead = 0): Promise<S3Access | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'databay-s3-'))
  const program = fileURLToPath(new URL('../s3-server/main.js', import.meta.url))
  const child = spawn(process.execPath, [program, folder, String(clockAhead)], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.teardown(() => end(child))
  try {
    const endpoint = `http://127.0.0.1:${await firstLine(child)}`
    return { endpoint, region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  } catch (error) {
    t.comment(`s3rver: ${String(error)}`)
    return undefined
  }
}

/**
 * Starts an S3 server for the tests of a file. Give `skip` to each test: it is the reason where there is none.
 *
 * ```ts
 * const s3 = await s3Server(t)
 * t.test('objects are written', { skip: s3.skip }, async (t) => {
 *   const outlet = new S3Outlet({ ...s3.options, bucket: await s3.bucket(t) })
 * })
 * ```
 */
export async function s3Server(t: Owner, { clockAhead }: S3ServerOptions = {}) {
  const own = clockAhead === undefined ? given() : undefined
  const server = own ?? (await started(t, clockAhead))
  const kind = server === undefined ? 'none' : own === undefined ? 's3rver' : 'S3_ENDPOINT'
  const skip: string | false = server === undefined ? 'no S3: set S3_ENDPOINT, or install s3rver' : false
  const options = server ?? {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    accessKeyId: '',
    secretAccessKey: '',
  }
  // s3rver fails to list an object while it is written again
  const client = new AwsClient({ ...options, service: 's3', retries: 4 })

  /** Sends a signed request, without the connector; throws where the server says no. `target` is `/bucket/key?query`. */
  const send = async (method: string, target: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Response> => {
    const response = await client.fetch(`${options.endpoint}${target}`, { method, ...(body !== undefined && { body }) })
    if (!response.ok) throw new Error(`${method} ${target}: ${response.status} ${await response.text()}`)
    return response
  }

  // some servers for tests take any credentials
  const takesAnyKey =
    own !== undefined && (await new AwsClient({ ...own, secretAccessKey: 'another' }).fetch(own.endpoint)).ok
  /** `skip` of a test of wrong credentials. */
  const skipOfKeys = skip || (takesAnyKey && 'this S3 takes any credentials')

  /** Keys of a bucket, in order. */
  const keys = async (bucket: string): Promise<string[]> => {
    const all: string[] = []
    for (let more: string | undefined = ''; more !== undefined;) {
      const token: string = more === '' ? '' : `&continuation-token=${encodeURIComponent(more)}`
      const text = await (await send('GET', `/${bucket}?list-type=2${token}`)).text()
      all.push(...[...text.matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key]) => unescaped(key ?? '')))
      more = /<NextContinuationToken>(.*?)<\/NextContinuationToken>/.exec(text)?.[1]
    }
    return all
  }

  /** Keys of the uploads of a bucket that are neither complete nor aborted. */
  const uploads = async (bucket: string): Promise<string[]> => {
    const text = await (await send('GET', `/${bucket}?uploads`)).text()
    return [...text.matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key]) => unescaped(key ?? ''))
  }

  /** Makes a bucket for one test, which is deleted with its objects when the test ends. */
  const bucket = async (t: Owner): Promise<string> => {
    const name = `test-${randomBytes(6).toString('hex')}`
    await send('PUT', `/${name}`)
    t.teardown(async () => {
      const empty = async () => {
        for (const key of await keys(name)) await send('DELETE', at(name, key))
        await send('DELETE', `/${name}`)
      }
      // an object may come from a process that was killed, after it
      await empty().catch(empty)
    })
    return name
  }

  /** Stores an object, without the connector. */
  const put = async (bucket: string, key: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> => {
    await (await send('PUT', at(bucket, key), body)).arrayBuffer()
  }

  /** Reads an object, without the connector. */
  const get = async (bucket: string, key: string): Promise<Buffer> =>
    Buffer.from(await (await send('GET', at(bucket, key))).arrayBuffer())

  /** Starts a proxy before the server, which can cut connections; gives it with the options to reach it. */
  const proxied = async (t: Owner): Promise<{ options: S3Access; proxy: TcpProxy }> => {
    const { hostname, port } = new URL(options.endpoint)
    const proxy = await TcpProxy.start(t, hostname, Number(port || 80))
    return { options: { ...options, endpoint: `http://127.0.0.1:${proxy.port}` }, proxy }
  }
  return { kind, skip, skipOfKeys, options, bucket, send, keys, uploads, put, get, proxied }
}

const at = (bucket: string, key: string): string => `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) =>
    name !== undefined ? (NAMED[name] ?? whole) : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)),
  )
