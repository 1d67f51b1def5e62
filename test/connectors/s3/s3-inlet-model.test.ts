/**
 * An S3 inlet against a model: whatever objects are added between its transfers, and however these end, each record is
 * delivered, in order, and comes again only with what was not delivered.
 */
import { gzipSync } from 'node:zlib'
import fc, { runsOf } from '../../helpers/fast-check.js'
import t, { type Test } from 'tap'
import { compareKeys } from '../../../src/connectors/s3/inlet/position.js'
import { S3Inlet } from '../../../src/connectors/s3/s3-inlet.js'
import { Update } from '../../../src/core/update.js'
import { fakeS3 } from '../../helpers/fake-s3.js'
import { captureLogs } from '../../helpers/logs.js'
import { listsOf, QUICK } from '../../helpers/s3-inlets.js'

type Step =
  /** Adds an object. Its key grows in the order of keys; in the other, its time does. */
  | {
      readonly do: 'add'
      readonly records: number
      readonly long: boolean
      readonly packed: boolean
      readonly key: string
    }
  /** Pulls, leaves the stream after some lists or at its end, and delivers some of these lists. */
  | { readonly do: 'pull'; readonly lists: number; readonly delivered: number }
  /** The next answers with objects are cut off after some bytes. */
  | { readonly do: 'cut'; readonly times: number; readonly after: number }
  | { readonly do: 'move' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      records: fc.oneof(
        { weight: 5, arbitrary: fc.nat(20) },
        { weight: 1, arbitrary: fc.integer({ min: 4000, max: 9000 }) },
      ),
      long: fc.boolean(),
      packed: fc.boolean(),
      key: fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }).filter((key) => !/[./]|^$/.test(key)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pull' as const),
      lists: fc.oneof(fc.nat(3), fc.constant(Infinity)),
      delivered: fc.oneof(fc.nat(3), fc.constant(Infinity)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cut' as const),
      times: fc.integer({ min: 1, max: 3 }),
      after: fc.nat(100_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const) }) },
)

async function holds(
  t: Test,
  order: 'key' | 'modified',
  steps: readonly Step[],
  s3: Awaited<ReturnType<typeof fakeS3>>,
) {
  s3.objects.clear()
  let cuts = 0
  let after = 0
  s3.state.judge = ({ key }) => (key !== undefined && cuts-- > 0 ? { cutAfter: after } : 'answer')
  const make = async (state?: unknown) => {
    const inlet = new S3Inlet<string>({ ...s3.options, retry: { ...QUICK, retries: 5 }, order, limit: 5 })
    if (state !== undefined) inlet.restoreState(state)
    await inlet.tryStart()
    return inlet
  }
  let inlet = await make()
  const added: { key: string; time: number; lines: string[] }[] = []
  const delivered: string[] = []
  let number = 0
  let updates = 0
  const pull = async (lists: number, taken: number) => {
    const update = new Update(['model'], updates++)
    const got: string[][] = []
    let isWhole = true
    for await (const list of listsOf(inlet, update)) {
      if (list.length > 0) got.push(list.map(({ payload }) => payload))
      if (got.length >= lists) {
        isWhole = false
        break
      }
    }
    const deliveredRounds = Math.min(taken, got.length)
    const isDelivered = deliveredRounds === got.length && isWhole
    inlet.onTransferEnd(update, isDelivered, { rounds: got.length, deliveredRounds })
    for (const list of got.slice(0, deliveredRounds)) delivered.push(...list)
    return got.length
  }
  try {
    for (const one of steps) {
      if (one.do === 'add') {
        const time = Date.UTC(2026) + 1000 * added.length
        const key =
          order === 'key' ? `${String(added.length).padStart(3, '0')}${one.key}` : `${one.key}/${added.length}`
        const lines = Array.from({ length: one.records }, () => `${number++} ${one.long ? 'x'.repeat(90) : ''}`)
        const body = lines.map((line) => `${line}\n`).join('')
        s3.put(key, one.packed ? gzipSync(body) : body, time)
        added.push({ key, time, lines })
      } else if (one.do === 'cut') {
        cuts = one.times
        after = one.after
      } else if (one.do === 'move') {
        const state: unknown = structuredClone(inlet.saveState())
        await inlet.tryShutdown()
        inlet = await make(state)
      } else await pull(one.lists, one.delivered)
    }
    cuts = 0
    while ((await pull(Infinity, Infinity)) > 0);
  } finally {
    await inlet.tryShutdown()
  }
  const sorted = added.toSorted((a, b) => (order === 'key' ? compareKeys(a.key, b.key) : a.time - b.time))
  t.same(
    delivered,
    sorted.flatMap(({ lines }) => lines),
  )
  return delivered.length === number
}

for (const order of ['key', 'modified'] as const) {
  t.test(`each record is delivered once, in order, whatever fails: ${order}`, async (t) => {
    captureLogs(t)
    const s3 = await fakeS3(t, { pageSize: 4 })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => holds(t, order, steps, s3)),
      { numRuns: runsOf(100) },
    )
  })
}
