import t, { type Test } from 'tap'
import { resolveOptions } from '../../../src/base/options.js'
import { bodyOf } from '../../../src/connectors/s3/body.js'
import { S3Connection } from '../../../src/connectors/s3/client.js'
import {
  resolveConnection,
  S3_CONNECTION_OPTIONS,
  type S3ConnectionOptions,
} from '../../../src/connectors/s3/connection-options.js'
import { s3Server } from '../../helpers/s3.js'

const s3 = await s3Server(t)

const caller = { signal: new AbortController().signal }

async function connect(t: Test, options: S3ConnectionOptions): Promise<S3Connection> {
  const settings = resolveConnection('S3Outlet', resolveOptions('S3Outlet', options, S3_CONNECTION_OPTIONS))
  const connection = new S3Connection('S3Outlet', settings)
  t.teardown(() => connection.close())
  await connection.open()
  return connection
}

/** Keys with characters that are written in several ways in URLs and XML. */
const KEYS = [
  'a b.txt',
  'a+b.txt',
  'a%2Bb.txt',
  '100%.txt',
  "(a)!*'~.txt",
  'stra\u00dfe/\u65e5\u672c/\ud83d\ude00.txt',
  'a&b=c?d#e;f:g@h,i$j.txt',
  '<a>"b".txt',
  'a\\b|c^d`{e}[f].txt',
]

t.test('objects of all kinds of keys are stored, listed, read and deleted', { skip: s3.skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const connection = await connect(t, { ...s3.options, bucket })
  for (const key of KEYS) {
    await connection.send(caller, { method: 'PUT', key, body: bodyOf([Buffer.from(key)]) })
  }
  const listed = []
  for await (const { objects } of connection.list(caller, '')) listed.push(...objects)
  t.same(listed.map(({ key }) => key).sort(), [...KEYS].sort())
  for (const { key, size, lastModified } of listed) {
    t.equal(size, Buffer.byteLength(key))
    t.ok(Math.abs(lastModified - Date.now()) < 60_000)
    const { stream } = await connection.get(caller, key)
    t.equal(await stream.text(), key)
    await connection.send(caller, { method: 'DELETE', key })
  }
  for await (const { objects } of connection.list(caller, '')) t.same(objects, [])
})
