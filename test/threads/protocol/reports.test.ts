import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { ReportPacker, unpackReports, type RunReport } from '../../../src/threads/protocol/reports.js'

const crossing = (reports: readonly { readonly run: number; readonly report: RunReport }[]) => {
  const unpacked: { run: number; report: RunReport }[] = []
  const packer = new ReportPacker()
  for (const { run, report } of reports) packer.add(run, report)
  unpackReports(
    structuredClone(packer.take()),
    identify,
    ({ run }, { link, update, transferNumber, thread, scheduledAt, ...report }) => {
      t.strictSame({ run, link, update, transferNumber, thread, scheduledAt }, identify(run))
      unpacked.push({ run, report })
    },
  )
  return unpacked
}

const identify = (run: number) => ({
  ...{ run, link: 'a', update: `a.${run}`, transferNumber: run, thread: 1, scheduledAt: 2.5 },
})

/** Objects as they come out of a structured clone. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })

const count = fc.nat()
const time = fc.double({ min: 0, max: 1e13, noNaN: true })
const outlet = plain({
  outlet: fc.string(),
  pushed: count,
  filtered: count,
  added: count,
  dropped: count,
  batches: count,
  buffered: count,
})
/** What only links with `delivery` have, of outlets and of reports. */
const more = fc.record({ dead: count, waiting: count, replayed: count }, { requiredKeys: [], noNullPrototype: true })
const blocked = plain({
  ...{ node: fc.string(), stage: fc.constant('push' as const), message: fc.string(), attempts: count },
  ...{ since: time, retryAt: time },
})
const deliveredOutlet = fc.tuple(outlet, more).map(([one, counts]) => ({ ...one, ...counts }))
const delivery = fc.record(
  { dead: count, replayed: count, blocked, outlets: fc.array(deliveredOutlet, { maxLength: 3 }) },
  { requiredKeys: [], noNullPrototype: true },
)
const stage = plain({
  stage: fc.constantFrom('pull' as const, 'process' as const, 'push' as const),
  node: fc.constantFrom('a', 'b', ''),
  duration: time,
})
const error = plain({
  name: fc.constant('TypeError'),
  message: fc.string(),
  node: fc.constant('HttpInlet'),
  stage: fc.constant('pull' as const),
})
const report = plain({
  startedAt: time,
  endedAt: time,
  busy: time,
  pulled: fc.oneof(count, fc.integer({ min: 2 ** 31, max: Number.MAX_SAFE_INTEGER })),
  filtered: count,
  added: count,
  dropped: count,
  buffered: count,
  grouped: count,
  batches: count,
  rounds: count,
  outlets: fc.array(outlet, { maxLength: 3 }),
  stages: fc.array(stage, { maxLength: 4 }),
  errors: fc.array(error, { maxLength: 2 }),
  ignores: fc.boolean(),
}).map(({ ignores, ...rest }) => ({
  ...rest,
  // only rounds can add up to more than 32 bits hold
  rounds: rest.pulled > 0xffff_ffff ? 2 + rest.rounds : rest.rounds,
  failed: rest.errors.length > 0 && !ignores,
}))

const durable = fc.tuple(report, delivery).map(([one, extra]): RunReport => ({ ...one, ...extra }))

t.test('property: reports of links with delivery are what they were too, alone and among others', async (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(plain({ run: count, report: fc.oneof(report, durable) }), {
        maxLength: 4,
        selector: ({ run }) => run,
      }),
      (reports) => {
        t.strictSame(crossing(reports), reports)
      },
    ),
  )
})

t.test('a report without dead letters and of no blocked link crosses as before: nothing is sent twice', async (t) => {
  const packer = new ReportPacker()
  const [one, other] = fc
    .sample(report, 2)
    .map((given) => ({ ...given, rounds: 1, pulled: 3, errors: [], failed: false }))
  packer.add(1, one as RunReport)
  packer.add(2, other as RunReport)
  t.notOk('large' in packer.take())
})

t.test('property: reports are on the other side what they were, in their order', async (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(plain({ run: count, report }), { maxLength: 6, selector: ({ run }) => run }),
      (reports) => {
        t.strictSame(crossing(reports), reports)
      },
    ),
  )
})

t.test('property: a report crosses alone as it does among others', async (t) => {
  const one = plain({ run: count, report })
  fc.assert(
    fc.property(one, one, (first, other) => {
      t.strictSame(crossing([first]), [first])
      t.strictSame(crossing([first, { ...other, run: first.run + 1 }])[0], first)
    }),
  )
})

t.test('property: what was taken is not in the next message, however many there were', async (t) => {
  const packer = new ReportPacker()
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 5 }), fc.infiniteStream(report), (sizes, some) => {
      let run = 0
      for (const size of sizes) {
        const sent = [...some.take(size)].map((one) => ({ run: run++, report: one }))
        for (const one of sent) packer.add(one.run, one.report)
        t.equal(packer.isEmpty, size === 0)
        const came: number[] = []
        unpackReports(structuredClone(packer.take()), identify, ({ run: of }) => came.push(of))
        t.same(
          came,
          sent.map((one) => one.run),
        )
        t.ok(packer.isEmpty)
      }
    }),
    { numRuns: 50 },
  )
})

t.test('a lone report is a list of plain values', async (t) => {
  const [some] = fc.sample(report, 1)
  const packer = new ReportPacker()
  packer.add(7, { ...some!, errors: [], failed: false })
  const packed = packer.take() as readonly unknown[]
  t.ok(packed.every((value) => typeof value === 'number' || typeof value === 'string'))
})

t.test('reports without errors or outlets share the empty lists', async (t) => {
  const [empty] = fc.sample(report, 1)
  const bare = { ...empty!, outlets: [], errors: [], failed: false }
  const [one, other] = crossing([
    { run: 1, report: bare },
    { run: 2, report: bare },
  ])
  t.equal(one?.report.errors, other?.report.errors)
  t.equal(one?.report.outlets, other?.report.outlets)
})
