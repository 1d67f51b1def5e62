/** What storages and the gateways before them answer beside what S3 does: no object is passed over for it. */
import t, { type Test } from 'tap'
import type { S3InletOptions } from '../../../src/connectors/s3/inlet/inlet-options.js'
import { Update } from '../../../src/core/update.js'
import { fakeS3 } from '../../helpers/fake-s3.js'
import { captureLogs } from '../../helpers/logs.js'
import { startedS3Inlet } from '../../helpers/s3-inlets.js'

/** An inlet of a storage whose listings are those of a test. */
async function listed(t: Test, pageOf: (query: URLSearchParams) => string, options: Partial<S3InletOptions> = {}) {
  const s3 = await fakeS3(t)
  const started = await startedS3Inlet(t, { ...s3.options, ...options })
  const [give] = s3.server.listeners('request') as ((...args: unknown[]) => void)[]
  s3.server.removeAllListeners('request')
  s3.server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    if (pathname.length > '/bucket/'.length) give?.(request, response)
    else response.end(`<ListBucketResult>${pageOf(searchParams)}</ListBucketResult>`)
  })
  return { s3, ...started }
}

const contents = (...keys: string[]) =>
  keys
    .map(
      (key) => `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>2</Size></Contents>`,
    )
    .join('')
const cut = (token: string) => `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`

t.test('the 404 of a gateway is no deletion of an object: nothing is passed over', async (t) => {
  const s3 = await fakeS3(t)
  for (const key of ['a', 'b', 'c']) s3.put(key, `${key}\n`)
  const { pull } = await startedS3Inlet(t, { ...s3.options, badObjects: 'skip' })
  s3.state.judge = ({ key }) => (key === 'b' ? { status: 404 } : 'answer')
  await t.rejects(pull(0), { code: 'DATABAY_S3', status: 404 })
  s3.state.judge = () => 'answer'
  t.same(await pull(), ['a', 'b', 'c'])
})

t.test('a list that does not go on is an error, and not read for ever', async (t) => {
  for (const order of ['key', 'modified'] as const) {
    let pages = 0
    const { inlet } = await listed(t, () => (++pages > 9 ? '' : cut('same')), { order })
    await t.rejects(
      async () => inlet.pull(new Update(['test'], 1)),
      /S3Inlet: cannot list bucket at .*: the list does not go on/,
    )
    t.ok(pages < 4, order)
  }
})

t.test('pages without objects are passed', async (t) => {
  const { s3, pull } = await listed(t, (query) => {
    const at = Number(query.get('continuation-token') ?? 0)
    return at < 4 ? cut(String(at + 1)) : contents('z')
  })
  s3.put('z', 'z\n')
  t.same(await pull(), ['z'])
})

t.test('a key that cannot be decoded is an error that says so', async (t) => {
  const { inlet } = await listed(t, () => `<EncodingType>url</EncodingType>${contents('100%25', '100%.txt')}`)
  await t.rejects(async () => inlet.pull(new Update(['test'], 1)), {
    code: 'DATABAY_S3',
    message: /S3Inlet: cannot list bucket at .*: a key of the list is not encoded as it says/,
  })
})

t.test('a storage that does not know where to begin: keys are new by their bytes', async (t) => {
  const keys = ['\u{ff5e}', '\u{1f600}']
  const { s3, pull } = await listed(
    t,
    () => contents(...keys.map(encodeURIComponent)) + '<EncodingType>url</EncodingType>',
  )
  for (const key of keys) s3.put(key, `${key}\n`)
  t.same(await pull(), keys)
  t.same(await pull(), [], 'none comes again')
})

t.test('an object that is cut off is not taken for whole where the storage tells no length', async (t) => {
  captureLogs(t)
  const s3 = await fakeS3(t)
  const whole = Array.from({ length: 20 }, (_, n) => `${n}`)
  const { pull } = await startedS3Inlet(t, s3.options)
  for (const key of ['a.txt', 'b.json']) {
    s3.put(key, key === 'a.txt' ? whole.map((line) => `${line}\n`).join('') : JSON.stringify(whole))
    const { body, etag } = s3.objects.get(key) as { body: Buffer; etag: string }
    let cuts = 0
    const [give] = s3.server.listeners('request') as ((...args: unknown[]) => void)[]
    s3.server.removeAllListeners('request')
    s3.server.on('request', (request, response) => {
      if (request.url !== `/bucket/${key}` || ++cuts > 1) return give?.(request, response)
      // as proxies of HTTP/1.0 do: the end of the connection is that of the body
      response.socket?.end(
        Buffer.concat([
          Buffer.from(`HTTP/1.1 200 OK\r\netag: "${etag}"\r\nconnection: close\r\n\r\n`),
          body.subarray(0, 25),
        ]),
      )
    })
    t.same(await pull(), whole, key)
    t.equal(cuts, 2)
  }
})

t.test('an object that is unpacked on the way is read to its end where the storage tells no length', async (t) => {
  captureLogs(t)
  const s3 = await fakeS3(t)
  const { pull } = await startedS3Inlet(t, s3.options)
  const [give] = s3.server.listeners('request') as ((...args: unknown[]) => void)[]
  for (const [tag, lines] of [
    ['W/', ['a', 'b']],
    ['W/', Array.from({ length: 20 }, (_, n) => `${n}`)],
    ['', Array.from({ length: 20 }, (_, n) => `${n}`)],
  ] as const) {
    const key = `${s3.objects.size}.txt`
    s3.put(key, 'ten bytes.')
    const { etag } = s3.objects.get(key) as { etag: string }
    s3.server.removeAllListeners('request')
    s3.server.on('request', (request, response) => {
      if (request.url !== `/bucket/${key}`) return give?.(request, response)
      response.writeHead(200, { etag: `${tag}"${etag}"` })
      for (const line of lines) response.write(`${line}\n`)
      response.end()
    })
    t.same(await pull(), lines, `${tag} ${lines.length}`)
  }
})
