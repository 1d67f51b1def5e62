/** What S3Outlet does when the storage, the connection to it or its credentials fail. */
import t, { type Test } from 'tap'
import { Update } from '../../../src/core/update.js'
import { failureClass } from '../../../src/core/failure-class.js'
import { Link, Record, S3Error, S3Outlet, type S3OutletOptions } from '../../../src/index.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { captureLogs } from '../../helpers/logs.js'
import { giving } from '../../helpers/nodes.js'
import { makeCertificate, serveTls } from '../../helpers/servers.js'
import { FakeS3 } from './fake-s3.js'

const PART = 5_242_880

async function setUp(t: Test, options: Partial<S3OutletOptions> = {}) {
  const logs = captureLogs(t)
  const fake = await FakeS3.start(t)
  const outlet = new S3Outlet({ ...fake.options, key: 'a b+c%(1)~\u00e9.jsonl', ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  fake.requests.length = 0
  return { fake, outlet, logs }
}

const update = () => new Update(['shop'], 0)
const records = (...payloads: unknown[]) => payloads.map((payload) => new Record(payload))
const KEY = 'a b+c%(1)~\u00e9.jsonl'

/** Records of so many parts of an object. */
const large = (parts: number) =>
  Array.from({ length: parts * 5 }, (_, n) => new Record(String(n % 10).repeat(PART / 5)))
const textOf = (some: readonly Record[]) => some.map(({ payload }) => `${JSON.stringify(payload)}\n`).join('')

async function errorOf(work: Promise<unknown>): Promise<S3Error> {
  return work.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as S3Error,
  )
}

t.test('what passes is tried again, and the object is written once', async (t) => {
  for (const fault of [
    { status: 503, code: 'SlowDown' },
    { status: 500, code: 'InternalError' },
    { status: 429 },
    { status: 400, code: 'RequestTimeout' },
    { status: 400, code: 'BadDigest' },
    'cut',
    'lose',
  ] as const) {
    const { fake, outlet } = await setUp(t)
    let left = 2
    fake.fault = ({ method }) => (method === 'PUT' && left-- > 0 ? fault : undefined)
    await outlet.push(records({ id: 1 }), update())
    t.same(fake.texts, { [KEY]: '{"id":1}\n' }, JSON.stringify(fault))
  }
})

t.test('a storage that says when to come again is waited for, at most as long as retries are', async (t) => {
  for (const [asked, maxDelay, least, most] of [
    ['1', 2, 950, 5000],
    ['3600', 0.05, 45, 5000],
  ] as const) {
    const retry = { retries: 1, minDelay: 0.001, maxDelay }
    const { fake, outlet } = await setUp(t, { retry })
    let left = 1
    fake.fault = ({ method }) =>
      method === 'PUT' && left-- > 0 ? { status: 503, code: 'SlowDown', headers: { 'retry-after': asked } } : undefined
    const begun = performance.now()
    await outlet.push(records({ id: 1 }), update())
    const took = performance.now() - begun
    t.ok(took > least && took < most, `${asked}: ${Math.round(took)} ms`)
    t.same(fake.texts, { [KEY]: '{"id":1}\n' })
  }
})

t.test('an error tells what is wrong, and whether it is of the record', async (t) => {
  for (const [fault, of] of [
    [{ status: 404, code: 'NoSuchBucket' }, 'unavailable'],
    [{ status: 403, code: 'AccessDenied' }, 'unavailable'],
    [{ status: 403, code: 'InvalidAccessKeyId' }, 'unavailable'],
    [{ status: 403, code: 'SignatureDoesNotMatch' }, 'unavailable'],
    [{ status: 400, code: 'ExpiredToken' }, 'unavailable'],
    [{ status: 503, code: 'SlowDown' }, 'unavailable'],
    [{ status: 400, code: 'EntityTooLarge' }, 'refused'],
    [{ status: 400, code: 'KeyTooLongError' }, 'refused'],
    [{ status: 400, code: 'InvalidArgument', more: '<ArgumentName>key</ArgumentName>' }, 'refused'],
    [{ status: 400, code: 'InvalidArgument', more: '<ArgumentName>x-amz-acl</ArgumentName>' }, 'unknown'],
  ] as const) {
    const { fake, outlet } = await setUp(t)
    fake.fault = () => fault
    const error = await errorOf(outlet.push(records({ id: 1 }), update()))
    t.match(error, { code: 'DATABAY_S3', status: fault.status, serverCode: fault.code })
    t.equal(failureClass(error), of, fault.code)
    t.equal(
      error.message.startsWith(
        `S3Outlet: cannot write ${KEY} in bucket at 127.0.0.1:${fake.port}: ${fault.code}: no & no`,
      ),
      true,
      error.message,
    )
  }
})

t.test(
  'a wrong secret, a key that is not known and a missing bucket are told at the start, without the secret',
  async (t) => {
    captureLogs(t)
    const fake = await FakeS3.start(t)
    const secret = 'a-wrong-secret-access-key'
    for (const [options, code] of [
      [{ secretAccessKey: secret }, 'SignatureDoesNotMatch'],
      [{ accessKeyId: 'OTHER' }, 'InvalidAccessKeyId'],
      [{ bucket: 'other-bucket' }, 'NoSuchBucket'],
    ] as const) {
      const error = await errorOf(new S3Outlet({ ...fake.options, ...options }).onStart())
      t.equal(error.serverCode, code)
      t.notOk(error.message.includes(secret))
    }
  },
)

t.test('a bucket of another region is told with its region', async (t) => {
  const { fake, outlet } = await setUp(t)
  fake.fault = () => ({ status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-9' } })
  const error = await errorOf(outlet.push(records(1), update()))
  t.match(error.message, /the bucket is in the region eu-west-9: see the option region$/)
})

t.test('a clock that is wrong is made up for, and told once', async (t) => {
  for (const skew of [3_600_000, -3_600_000]) {
    const { fake, outlet, logs } = await setUp(t)
    fake.skew = skew
    for (let n = 0; n < 3; n++) await outlet.push(records(n), update())
    t.same(fake.texts, { [KEY]: '2\n' })
    t.equal(fake.requests.length, 4, 'one request is made again')
    const told = logs.lines.filter((line) => JSON.stringify(line).includes('clock of the storage'))
    t.equal(told.length, 1)
    t.match(JSON.stringify(told), skew > 0 ? /(3599|3600) s ahead of/ : /(3600|3601) s behind/)
  }
})

t.test('credentials of a function are asked for again before they expire, and when they are not taken', async (t) => {
  const fake = await FakeS3.start(t)
  captureLogs(t)
  const { accessKeyId: _, secretAccessKey: __, ...options } = fake.options
  let asked = 0
  const credentials = () => {
    const accessKeyId = `KEY${++asked}`
    fake.keys.clear()
    fake.keys.set(accessKeyId, `secret ${asked}`.replace(' ', '-'))
    const expiration = new Date(Date.now() + (asked === 1 ? -1000 : 3_600_000))
    return Promise.resolve({
      accessKeyId,
      secretAccessKey: `secret-${asked}`,
      sessionToken: `token-${asked}`,
      expiration,
    })
  }
  const outlet = new S3Outlet({ ...options, key: 'x', credentials })
  await outlet.onStart()
  await outlet.push(records(1), update())
  t.ok(asked >= 1)
  const before = asked
  fake.keys.clear()
  await outlet.push(records(2), update())
  t.equal(asked, before + 1, 'the key was not taken any more')
  t.equal(fake.requests.at(-1)?.headers['x-amz-security-token'], `token-${asked}`)
  t.same(fake.texts, { x: '2\n' })
  await outlet.onShutdown()
})

t.test('without credentials, the start says what to do', async (t) => {
  const fake = await FakeS3.start(t)
  const { accessKeyId: _, secretAccessKey: __, ...options } = fake.options
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
    const before = process.env[name]
    Reflect.deleteProperty(process.env, name)
    t.teardown(() => {
      if (before !== undefined) process.env[name] = before
    })
  }
  const error = await errorOf(new S3Outlet(options).onStart())
  t.match(error, { code: 'DATABAY_S3', message: /no credentials: .* set AWS_/ })
})

t.test('a bucket in the host is signed as such', async (t) => {
  const fake = await FakeS3.start(t)
  const outlet = new S3Outlet({
    ...fake.options,
    endpoint: `http://localhost:${fake.port}`,
    pathStyle: false,
    proxy: `http://127.0.0.1:${fake.port}`,
    key: KEY,
  })
  await outlet.onStart()
  await outlet.push(records(1), update())
  t.equal(fake.requests.at(-1)?.host, `bucket.localhost:${fake.port}`)
  t.same(fake.texts, { [KEY]: '1\n' })
  await outlet.onShutdown()
})

t.test('a long object is uploaded in parts, and is there as a whole', async (t) => {
  const { fake, outlet } = await setUp(t, { partSize: PART })
  const some = large(3)
  await outlet.push(some, update())
  t.equal(fake.texts[KEY], textOf(some))
  t.equal(fake.uploads.size, 0)
  t.equal(fake.requests.filter(({ query }) => query.has('partNumber')).length, 4)
})

t.test('a part that is cut off, an error in a response of 200, and a lost reply do no harm', async (t) => {
  for (const [name, judge] of Object.entries({
    'a part is cut off': (of: string) => (of === 'part' ? 'cut' : undefined),
    'the reply of a part is lost': (of: string) => (of === 'part' ? 'lose' : undefined),
    'the error is in a response of 200': (of: string) =>
      of === 'complete' ? { status: 200, code: 'InternalError' } : undefined,
    'the reply that it is complete is lost': (of: string) => (of === 'complete' ? 'lose' : undefined),
  } as const)) {
    const { fake, outlet } = await setUp(t, { partSize: PART })
    let left = 1
    fake.fault = ({ method, query }) => {
      const of = query.has('partNumber') ? 'part' : method === 'POST' && query.has('uploadId') ? 'complete' : ''
      const fault = left > 0 ? judge(of) : undefined
      if (fault !== undefined) left--
      return fault
    }
    const some = large(2)
    await outlet.push(some, update())
    t.equal(left, 0, name)
    t.equal(fake.texts[KEY], textOf(some))
    t.equal(fake.uploads.size, 0)
  }
})

t.test('an older object of the same length is not taken for the one that was uploaded', async (t) => {
  for (const [age, code] of [
    [3_600_000, 'InternalError'],
    [0, undefined],
  ] as const) {
    const { fake, outlet } = await setUp(t, { partSize: PART })
    fake.isEncrypted = true
    fake.objects.set(KEY, Buffer.alloc(textOf(large(2)).length))
    fake.lastModified = new Date(Date.now() - age)
    fake.fault = ({ method, query }) =>
      method === 'POST' && query.has('uploadId') ? { status: 500, code: 'InternalError' } : undefined
    const serverCode = await outlet.push(large(2), update()).then(
      () => undefined,
      (error: unknown) => (error as S3Error).serverCode,
    )
    t.equal(serverCode, code, `${age}`)
  }
})

t.test('an upload that fails is aborted, and shows nothing', async (t) => {
  for (const of of ['partNumber', 'complete']) {
    const { fake, outlet } = await setUp(t, { partSize: PART })
    fake.fault = ({ method, query }) => {
      const isIt = of === 'complete' ? method === 'POST' && query.has('uploadId') : query.get('partNumber') === '2'
      return isIt ? { status: 500, code: 'InternalError' } : undefined
    }
    const error = await errorOf(outlet.push(large(3), update()))
    t.match(error, { serverCode: 'InternalError', retryable: true })
    await outlet.onShutdown()
    t.same([fake.objects.size, fake.uploads.size], [0, 0])
  }
})

t.test('a push that is told to stop ends, and its upload is aborted', async (t) => {
  const { fake, outlet } = await setUp(t, { partSize: PART })
  const cancellation = new Cancellation()
  fake.fault = ({ query }) => {
    if (query.get('partNumber') !== '2') return undefined
    setImmediate(() => cancellation.cancel(new Error('it is told to stop')))
    return 'hang'
  }
  const error = await errorOf(outlet.push(large(3), new Update(['shop'], 0, cancellation)))
  t.equal(error.message, 'it is told to stop')
  await outlet.onShutdown()
  t.same([fake.objects.size, fake.uploads.size], [0, 0])
})

t.test('what may have been stored is stored under the same key when it is pushed again', async (t) => {
  const { fake, outlet } = await setUp(t, { key: '{uid}.jsonl' })
  fake.fault = ({ method }) => (method === 'PUT' ? 'lose' : undefined)
  const some = records({ id: 1 }, { id: 2 })
  await errorOf(outlet.push(some, update()))
  fake.fault = () => undefined
  await outlet.push([...some], update())
  t.equal(fake.objects.size, 1)
  await outlet.push([...some], update())
  t.equal(fake.objects.size, 2, 'another push is another object')
})

t.test('with a hash in the key, a batch is the same object however often it is written', async (t) => {
  for (const gzip of [false, true]) {
    const { fake, outlet } = await setUp(t, { key: 'of/{hash}.jsonl', gzip })
    for (let n = 0; n < 2; n++) await outlet.push(records({ id: 1 }), update())
    await outlet.push(records({ id: 2 }), update())
    t.same(
      [...fake.objects.keys()].map((key) => /^of\/[\da-f]{32}\.jsonl$/.test(key)),
      [true, true],
    )
  }
})

t.test('an object that is replaced in its transfer is told', async (t) => {
  const { outlet, logs } = await setUp(t)
  const same = update()
  await outlet.push(records(1), same)
  await outlet.push(records(2), same)
  t.match(JSON.stringify(logs.lines), /writes .* again, in the place of an earlier batch/)
})

t.test('the objects of a transfer that fails are given up, also those in parts', async (t) => {
  const { fake } = await setUp(t)
  const outlet = new S3Outlet({ ...fake.options, object: 'transfer', key: 'whole.jsonl', partSize: PART })
  const link = new Link({
    inlets: giving(...large(3).map(({ payload }) => payload)),
    outlets: outlet,
    interval: 60,
    groupers: (batches) => batches.flat().map((record) => [record]),
  })
  await link.onStart()
  fake.fault = ({ query }) => (query.get('partNumber') === '2' ? { status: 500 } : undefined)
  const report = await link.transfer()
  t.match(report, { failed: true, outlets: [{ pushed: 0, dropped: 15 }] })
  t.same([fake.objects.size, fake.uploads.size], [0, 0])
  fake.fault = () => undefined
  t.match(await link.transfer(), { failed: false, outlets: [{ pushed: 15, dropped: 0 }] })
  t.equal(fake.texts['whole.jsonl'], textOf(large(3)))
  await link.onShutdown()
})

t.test('a certificate that is not trusted is told with the option that names its authority', async (t) => {
  const identity = makeCertificate(t.testdir())
  if (identity === undefined) {
    t.comment('openssl is missing')
    return
  }
  const listing = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
  const { url } = await serveTls(t, identity, (_, response) => response.end(listing))
  const options = { bucket: 'bucket', endpoint: url, accessKeyId: 'AKID', secretAccessKey: 'hidden-key' }
  const outlet = new S3Outlet({ ...options, retry: { retries: 0 } })
  const error = await errorOf(outlet.onStart())
  t.equal(failureClass(error), 'unavailable')
  t.match(error.message, /certificate is not trusted; name its authority by the option cacert/)
  const elsewhere = { endpoint: url.replace('localhost', '127.0.0.1'), cacert: identity.file, retry: { retries: 0 } }
  const misnamed = await errorOf(new S3Outlet({ ...options, ...elsewhere }).onStart())
  t.match(misnamed.message, /altnames.*: its certificate is for another name; is the host right\?$/)
  const trusting = new S3Outlet({ ...options, cacert: identity.file })
  t.teardown(() => trusting.onShutdown())
  await t.resolves(trusting.onStart())
})
