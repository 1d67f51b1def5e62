import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { AwsClient } from 'aws4fetch'
import t from 'tap'
import { s3Server, type S3Access } from './s3.js'

const s3 = await s3Server(t)
const { skip } = s3
const own = skip || (s3.kind !== 's3rver' && 'a server of others')

const clientOf = (options: S3Access) => new AwsClient({ ...options, service: 's3', retries: 0 })

t.test('objects of a bucket', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  await s3.put(bucket, `a b/c&d+(e)'f.txt`, 'one')
  await s3.put(bucket, 'z.txt', 'two')
  t.strictSame(await s3.keys(bucket), [`a b/c&d+(e)'f.txt`, 'z.txt'])
  t.equal((await s3.get(bucket, `a b/c&d+(e)'f.txt`)).toString(), 'one')
  await t.rejects(s3.get(bucket, 'other'), { message: /404.*NoSuchKey/s })
})

t.test('objects are listed by the bytes of their keys, page by page', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const keys = ['a!', 'a-1', 'a/b', 'a/c/d', 'a0', 'b<&>"', '\u{ff5e}', '\u{10000}']
  for (const key of keys.toReversed()) await s3.put(bucket, key, key)
  const page = async (query: string) => (await s3.send('GET', `/${bucket}?list-type=2&${query}`)).text()
  t.strictSame(await s3.keys(bucket), keys)
  const first = await page('max-keys=3')
  t.match(first, /<IsTruncated>true</)
  const token = /<NextContinuationToken>(.*?)</.exec(first)?.[1] ?? ''
  const second = await page(`max-keys=2&continuation-token=${encodeURIComponent(token)}`)
  const keysOf = (text: string) => [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key)
  t.strictSame([keysOf(first), keysOf(second)], [keys.slice(0, 3), keys.slice(3, 5)])
  t.strictSame(keysOf(await page('prefix=a&start-after=a%2Fb')), ['a/c/d', 'a0'])
  const folders = await page('prefix=a&delimiter=%2F')
  t.strictSame(keysOf(folders), ['a!', 'a-1', 'a0'])
  t.match(folders, /<CommonPrefixes>\s*<Prefix>a\/<\/Prefix>\s*<\/CommonPrefixes>/)
  const one = await page('max-keys=1')
  for (const part of ['<Key>a!</Key>', '<ETag>', '<Size>2<']) t.match(one, part)
})

t.test('a connection that is cut on its way', { skip }, async (t) => {
  const { options, proxy } = await s3.proxied(t)
  proxy.judge = () => 'cut'
  await t.rejects(fetch(options.endpoint))
  t.ok(proxy.cuts > 0)
})

t.test(
  'requests that are not signed right, or have another body than they say, are refused',
  { skip: own },
  async (t) => {
    const bucket = await s3.bucket(t)
    const url = `${s3.options.endpoint}/${bucket}/key`
    const put = async (headers: Record<string, string>, options: Partial<S3Access> = {}) =>
      (await clientOf({ ...s3.options, ...options }).fetch(url, { method: 'PUT', body: 'text', headers })).text()
    t.match(await (await fetch(url)).text(), 'AccessDenied')
    t.match(await put({}, { accessKeyId: 'other' }), 'InvalidAccessKeyId')
    t.match(await put({}, { secretAccessKey: 'other' }), 'SignatureDoesNotMatch')
    t.match(await put({ 'content-md5': createHash('md5').update('tex').digest('base64') }), 'BadDigest')
    const other = createHash('sha256').update('tex').digest('hex')
    t.match(await put({ 'x-amz-content-sha256': other }), 'XAmzContentSHA256Mismatch')
    t.strictSame(await s3.keys(bucket), [])
    t.equal(await put({ 'content-md5': createHash('md5').update('text').digest('base64') }), '')
    t.strictSame(await s3.keys(bucket), ['key'])
  },
)

t.test('a body that breaks off leaves no object', { skip: own }, async (t) => {
  const bucket = await s3.bucket(t)
  const url = `${s3.options.endpoint}/${bucket}/key`
  const signed = await clientOf(s3.options).sign(url, { method: 'PUT' })
  const headers = { ...Object.fromEntries(signed.headers), 'content-length': '100000' }
  const sent = request(url, { method: 'PUT', headers })
  sent.on('error', () => {})
  await new Promise((resolve) => sent.write(new Uint8Array(70_000), resolve))
  const closed = new Promise((resolve) => sent.on('close', resolve))
  sent.destroy()
  await closed
  t.strictSame(await s3.keys(bucket), [])
})

t.test('uploads in parts', { skip: own }, async (t) => {
  const bucket = await s3.bucket(t)
  const begin = async (): Promise<string> => {
    const text = await (await s3.send('POST', `/${bucket}/big?uploads`)).text()
    return /<UploadId>(.*)<\/UploadId>/.exec(text)?.[1] ?? ''
  }
  const complete = async (id: string, sizes: readonly number[]): Promise<string> => {
    const parts: string[] = []
    for (const [index, size] of sizes.entries()) {
      const target = `/${bucket}/big?partNumber=${index + 1}&uploadId=${id}`
      const { headers } = await s3.send('PUT', target, new Uint8Array(size))
      parts.push(`<Part><PartNumber>${index + 1}</PartNumber><ETag>${headers.get('etag')}</ETag></Part>`)
    }
    const xml = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
    return (await s3.send('POST', `/${bucket}/big?uploadId=${id}`, xml)).text()
  }
  const small = await begin()
  await t.rejects(complete(small, [10, 10]), { message: /EntityTooSmall/ })
  t.strictSame([await s3.keys(bucket), await s3.uploads(bucket)], [[], ['big']])
  await s3.send('DELETE', `/${bucket}/big?uploadId=${small}`)
  t.strictSame(await s3.uploads(bucket), [])
  await t.rejects(complete(small, [10]), { message: /NoSuchUpload/ })
  t.match(await complete(await begin(), [5 * 1024 * 1024, 10]), /-2&quot;|-2"/)
  t.equal((await s3.get(bucket, 'big')).length, 5 * 1024 * 1024 + 10)
  t.strictSame(await s3.uploads(bucket), [])
})

t.test('a server whose clock is ahead', { skip }, async (t) => {
  const { options } = await s3Server(t, { clockAhead: 3_600_000 })
  const answer = await clientOf(options).fetch(`${options.endpoint}/bucket`, { method: 'PUT' })
  t.equal(answer.status, 403)
  t.match(await answer.text(), 'RequestTimeTooSkewed')
  t.ok(Date.parse(answer.headers.get('date') ?? '') > Date.now() + 3_500_000)
})
