/** What S3Outlet does in links with `delivery: 'cursor'`, and when it is given up meanwhile. */
import t, { type Test } from 'tap'
import { bodyOf } from '../../../src/connectors/s3/body.js'
import { ObjectWriter } from '../../../src/connectors/s3/outlet/object-writer.js'
import { Packer } from '../../../src/connectors/s3/outlet/packer.js'
import type { Link } from '../../../src/core/link.js'
import type { Record } from '../../../src/core/record.js'
import { S3Outlet, type S3OutletOptions } from '../../../src/index.js'
import { Lists, setUp } from '../../helpers/durable-links.js'
import { FakeS3 } from './fake-s3.js'

const alone = <T>(batches: readonly (readonly Record<T>[])[]) => batches.flat().map((record) => [record])

async function links(t: Test, options: Partial<S3OutletOptions>, ...lists: unknown[][]) {
  const { open, letters } = await setUp(t)
  const fake = await FakeS3.start(t)
  const outlet = () => new S3Outlet({ ...fake.options, ...options })
  const link = await open(new Lists(...lists), outlet(), { groupers: alone })
  t.teardown(() => link.onShutdown())
  const values = () =>
    [...fake.objects.values()]
      .flatMap((bytes) => String(bytes).trim().split('\n'))
      .map((line) => JSON.parse(line) as unknown)
  return { fake, link, letters, values }
}

async function transfers(link: Link, count: number) {
  const reports = []
  for (let time = 0; time < count; time++) reports.push(await link.transfer())
  return reports
}

for (const object of ['batch', 'transfer'] as const) {
  t.test(`${object}: while the storage is down the link is blocked; then each record is there once`, async (t) => {
    const { fake, link, values } = await links(t, { object }, [1, 2, 3], [4])
    let isDown = true
    fake.fault = ({ method }) => (isDown && method !== 'GET' ? { status: 503, code: 'SlowDown' } : undefined)
    const down = await transfers(link, 3)
    t.match(down.at(-1), { failed: false, blocked: { code: 'DATABAY_S3' } })
    t.same(values(), [])
    isDown = false
    await transfers(link, 5)
    t.same(values().toSorted(), [1, 2, 3, 4])
  })

  t.test(`${object}: replies that are lost for longer than the tries make no second object`, async (t) => {
    const { fake, link, values } = await links(t, { object, key: 'x/{uid}.jsonl' }, [1])
    let lost = 6
    fake.fault = ({ method }) => (method === 'PUT' && lost-- > 0 ? 'lose' : undefined)
    await transfers(link, 5)
    const expected = object === 'batch' ? [1] : [1, 1]
    t.same(values(), expected, 'an object of a transfer that is pulled again is another one')
  })

  t.test(`${object}: a record that is refused becomes a dead letter, and the others are there`, async (t) => {
    const { link, letters, values } = await links(t, { object, key: '{payload.id}/{uid}.jsonl' }, [
      { id: 1 },
      { id: null },
      { id: 3 },
    ])
    await transfers(link, 3)
    t.same(values().toSorted(), [{ id: 1 }, { id: 3 }].toSorted())
    t.equal(letters.list({ limit: 10 }).length, 1)
  })
}

t.test('a storage that does not let in blocks the link, and drops nothing', async (t) => {
  const { fake, link, letters, values } = await links(t, {}, [1, 2])
  fake.fault = () => ({ status: 403, code: 'AccessDenied' })
  await transfers(link, 8)
  t.equal(letters.list({ limit: 10 }).length, 0)
  fake.fault = () => undefined
  await transfers(link, 3)
  t.same(values().toSorted(), [1, 2])
})

t.test('an object that was given up cannot be ended, and what packs it neither', async (t) => {
  const sent: string[] = []
  const connection = {
    where: 'bucket',
    send: (_: unknown, { method }: { method: string }) => {
      sent.push(method)
      return Promise.resolve({ status: 200, headers: {}, text: '' })
    },
  }
  const caller = { signal: new AbortController().signal }
  const writer = new ObjectWriter({ connection, key: 'x', headers: {} }, 10)
  await writer.add(caller, [Buffer.from('abc')])
  await writer.abort()
  await t.rejects(writer.end(caller), /given up/)
  await t.rejects(writer.add(caller, [Buffer.from('abc')]), /given up/)
  t.same(sent, [])
  const packer = new Packer()
  await packer.add([Buffer.alloc(1_000_000, 'a')])
  const ending = packer.end()
  packer.close()
  await t.rejects(ending)
  t.equal(bodyOf([Buffer.from('a'), Buffer.from('b')]).size, 2)
})
