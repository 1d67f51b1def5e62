/** The outlet for S3 keeps the contract of all outlets, in all of its formats. */
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { S3Outlet, type S3OutletOptions } from '../../../src/index.js'
import { OutletTester, type OutletSetup } from '../../../src/testing/index.js'
import { FakeS3 } from './fake-s3.js'

t.test('the contract', async (t) => {
  const fake = await FakeS3.start(t)
  const hanging = await FakeS3.start(t)
  hanging.fault = ({ method }) => (method === 'GET' ? undefined : 'hang')

  /** Contents of the objects, in the order of their keys. */
  const contents = () =>
    [...fake.objects]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, bytes]) => String(key.endsWith('.gz') ? gunzipSync(bytes) : bytes))
  const lines = (content: string) => content.split('\n').filter((line) => line !== '')
  const setup = (own: Partial<S3OutletOptions>, more: Partial<OutletSetup> = {}): OutletSetup => ({
    create: (options) => new S3Outlet({ ...fake.options, ...own, ...options }),
    hanging: (options) => new S3Outlet({ ...hanging.options, ...own, ...options }),
    read: () => contents().flatMap((content) => lines(content).map((line) => JSON.parse(line) as unknown)),
    before: () => {
      fake.objects.clear()
      fake.fault = () => undefined
    },
    breakTarget: () => {
      fake.fault = () => ({ status: 403, code: 'AccessDenied' })
      return () => (fake.fault = () => undefined)
    },
    kinds: ['text', 7, null, [1, { a: 'b' }], { nested: { list: [1, 2] }, none: null }],
    invalid: [undefined, () => 1, { f: () => 1 }, new Map()],
    ...more,
  })
  const row = (n: number) => ({ id: n, text: `record ${n}` })
  await new OutletTester({
    'S3Outlet, JSON Lines': setup({}),
    'S3Outlet, packed': setup({ gzip: true }),
    'S3Outlet, named by their hash': setup({ key: '{link}/{hash}.jsonl' }, { ordered: false }),
    'S3Outlet, an object for each record': setup(
      { key: '{batch}/{payload.id|none}.jsonl' },
      { ordered: false, kinds: [] },
    ),
    'S3Outlet, arrays': setup(
      { format: 'json' },
      { read: () => contents().flatMap((content) => JSON.parse(content) as unknown[]) },
    ),
    'S3Outlet, text': setup({ format: 'text' }, { kinds: [], invalid: ['\ud800', () => 1] }),
    'S3Outlet, rows': setup(
      { format: 'csv' },
      {
        payload: row,
        arrives: (payload) => Object.values(payload as object).join(),
        read: () => contents().flatMap((content) => lines(content).slice(1)),
        kinds: [],
        invalid: ['text', { id: 1, other: 2 }, {}],
      },
    ),
    'S3Outlet, an object for each transfer': setup({ object: 'transfer' }),
  }).run(t)
})
