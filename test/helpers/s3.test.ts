import t from 'tap'
import { s3Server } from './s3.js'

const s3 = await s3Server(t)
const { skip } = s3

t.test('objects of a bucket', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  await s3.put(bucket, 'a b/c&d.txt', 'one')
  await s3.put(bucket, 'z.txt', 'two')
  t.strictSame(await s3.keys(bucket), ['a b/c&d.txt', 'z.txt'])
  t.equal((await s3.get(bucket, 'a b/c&d.txt')).toString(), 'one')
  await t.rejects(s3.get(bucket, 'other'), { message: /404.*NoSuchKey/s })
})

t.test('a connection that is cut on its way', { skip }, async (t) => {
  const { options, proxy } = await s3.proxied(t)
  proxy.judge = () => 'cut'
  await t.rejects(fetch(options.endpoint))
  t.ok(proxy.cuts > 0)
})
