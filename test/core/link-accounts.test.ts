import fc from '../helpers/fast-check.js'
import t from 'tap'
import { addAccounts, LinkAccounts, settle, type OutletAccount } from '../../src/core/link-accounts.js'
import type { OutletReport, TransferReport } from '../../src/core/report.js'
import { emptyReport } from '../helpers/planners.js'

const outletReport = (outlet: string, counts: Partial<OutletReport> = {}): OutletReport => ({
  ...{ outlet, pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 },
  ...counts,
})

const report = (counts: Partial<TransferReport>): TransferReport => ({ ...emptyReport('link'), ...counts })

const NONE = { pulled: 0, added: 0, filtered: 0, pushed: 0, dropped: 0, lost: 0, buffered: 0 }

function isBalanced({ pulled, added, filtered, pushed, dropped, lost, buffered }: OutletAccount): boolean {
  return pulled + added === filtered + pushed + dropped + lost + buffered
}

t.test('what happens before the outlets part ways is in the account of each of them', async (t) => {
  const accounts = new LinkAccounts()
  t.same(accounts.read(), [])
  const outlets = [outletReport('a', { pushed: 5 }), outletReport('b', { filtered: 2, dropped: 1 })]
  accounts.add(report({ pulled: 10, added: 1, filtered: 2, dropped: 1, grouped: 5, outlets }))
  const common = { pulled: 10, added: 1, lost: 0 }
  t.same(accounts.read(), [
    { ...common, outlet: 'a', filtered: 2, pushed: 5, dropped: 1, buffered: 3 },
    { ...common, outlet: 'b', filtered: 4, pushed: 0, dropped: 2, buffered: 5 },
  ])
  t.equal(accounts.held, 3 + 0 + 2)
})

t.test('records that never got as far as the outlets are in an account without a name', async (t) => {
  const accounts = new LinkAccounts()
  accounts.add(report({ pulled: 3, dropped: 3 }))
  t.same(accounts.read(), [{ ...NONE, outlet: '', pulled: 3, dropped: 3 }])
})

t.test('what buffers hold is lost where it was, or all of it', async (t) => {
  const accounts = new LinkAccounts()
  accounts.add(report({ pulled: 10, grouped: 6, outlets: [outletReport('a'), outletReport('b', { pushed: 6 })] }))
  t.equal(accounts.lose([1, 2]), 3)
  t.match(accounts.read(), [
    { lost: 3, buffered: 7 },
    { lost: 1, buffered: 3 },
  ])
  t.equal(accounts.lose(), 7)
  t.match(accounts.read(), [
    { lost: 10, buffered: 0 },
    { lost: 4, buffered: 0 },
  ])
})

t.test('an outlet that comes later begins with what the link holds; one that leaves loses what it holds', async (t) => {
  const accounts = new LinkAccounts()
  accounts.add(report({ pulled: 10, grouped: 6, outlets: [outletReport('a')] }))
  t.equal(accounts.add(report({ pulled: 1, grouped: 5, outlets: [outletReport('b', { pushed: 5 })] })), 6)
  t.same(accounts.read(), [{ ...NONE, outlet: 'b', pulled: 1, added: 4, pushed: 5 }])
})

t.test('what is there when a link begins was added', async (t) => {
  const accounts = new LinkAccounts()
  accounts.find([2, 3], [{ outlet: 'a' }])
  t.match(accounts.read(), [{ outlet: 'a', added: 5, buffered: 5 }])
  accounts.find([0, 3], [{ outlet: 'a' }])
  t.match(accounts.read(), [{ outlet: 'a', added: 3, buffered: 3 }])
})

t.test('what an outlet let go of before the report of what came to it is of no account until then', async (t) => {
  const accounts = new LinkAccounts()
  accounts.add(report({ pulled: 1, grouped: 1, outlets: [outletReport('a', { pushed: 3, dropped: 1 })] }))
  t.ok(accounts.isShort)
  t.same(accounts.read(), [{ ...NONE, outlet: 'a', pulled: 1, dropped: 1 }])
  accounts.add(report({ pulled: 3, grouped: 3, outlets: [outletReport('a')] }))
  t.same(accounts.read(), [{ ...NONE, outlet: 'a', pulled: 4, pushed: 3, dropped: 1 }])
  t.notOk(accounts.isShort)
})

t.test('what an outlet that links share let go of is of the link whose records it was', async (t) => {
  const [one, two] = [new LinkAccounts(), new LinkAccounts()]
  one.add(report({ pulled: 5, grouped: 5, outlets: [outletReport('a', { pushed: 6, dropped: 4 })] }))
  two.add(report({ pulled: 7, grouped: 7, outlets: [outletReport('a')] }))
  settle([one, two].flatMap((accounts) => accounts.outlet(0) ?? []))
  t.same(
    [...one.read(), ...two.read()],
    [
      { ...NONE, outlet: 'a', pulled: 5, pushed: 1, dropped: 4 },
      { ...NONE, outlet: 'a', pulled: 7, pushed: 5, buffered: 2 },
    ],
  )
})

t.test('accounts of the same outlets are added up', async (t) => {
  const one = [{ ...NONE, outlet: 'a', pulled: 1, pushed: 1 }]
  t.same(addAccounts(one, one), [{ ...NONE, outlet: 'a', pulled: 2, pushed: 2 }])
})

const counts = fc.nat({ max: 20 })
const anyOutlet = fc.record({
  outlet: fc.constantFrom('a', 'b'),
  pushed: counts,
  filtered: counts,
  added: counts,
  dropped: counts,
  batches: counts,
  buffered: counts,
})
const anyReport = fc
  .record({
    pulled: counts,
    added: counts,
    filtered: counts,
    dropped: counts,
    grouped: counts,
    outlets: fc.array(anyOutlet, { maxLength: 3 }),
  })
  // what is grouped is offered to outlets
  .map((one) => report(one.outlets.length === 0 ? { ...one, grouped: 0 } : one))

t.test('property: accounts are balanced, whatever is reported, found and lost', async () => {
  const step = fc.oneof(anyReport, fc.array(counts, { maxLength: 3 }), fc.constant(undefined))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const accounts = new LinkAccounts()
      for (const one of steps) {
        if (one === undefined || Array.isArray(one)) accounts.lose(one)
        else accounts.add(one)
        if (!accounts.read().every((one) => isBalanced(one) && one.buffered >= 0))
          throw new Error(JSON.stringify(accounts.read()))
      }
    }),
    { numRuns: 200 },
  )
})

t.test(
  'property: with dead letters, records that wait, and what is pulled again, accounts are balanced too',
  async () => {
    const more = fc.record({ dead: counts, waiting: counts, replayed: counts }, { requiredKeys: [] })
    const durableOutlet = fc.tuple(anyOutlet, more).map(([one, extra]) => ({ ...one, ...extra }))
    const durableReport = fc
      .tuple(
        anyReport,
        fc.record({ dead: counts, replayed: counts }, { requiredKeys: [] }),
        fc.array(durableOutlet, { maxLength: 3 }),
      )
      .map(([one, extra, outlets]) => ({ ...one, ...extra, outlets, grouped: outlets.length === 0 ? 0 : one.grouped }))
    const step = fc.oneof(durableReport, fc.array(counts, { maxLength: 3 }), fc.constant(undefined))
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const accounts = new LinkAccounts()
        for (const one of steps) {
          if (one === undefined || Array.isArray(one)) accounts.pullAgain(one)
          else accounts.add(one)
          for (const account of accounts.read()) {
            const { dead = 0, replayed = 0, waiting = 0, pulledAgain = 0, ...rest } = account
            const { pulled, added, filtered, pushed, dropped, lost, buffered } = rest
            const came = pulled + replayed + added
            const went = filtered + pushed + dropped + dead + lost + pulledAgain + waiting + buffered
            if (came !== went || buffered < 0 || waiting < 0) throw new Error(JSON.stringify(account))
          }
        }
      }),
      { numRuns: 200 },
    )
  },
)

t.test(
  'what waits for an outlet that comes up is pushed; what waits in a link that moves is pulled again',
  async (t) => {
    const accounts = new LinkAccounts()
    accounts.add(
      report({ pulled: 4, grouped: 4, outlets: [outletReport('a', { pushed: 4 }), outletReport('b', { waiting: 4 })] }),
    )
    t.equal(accounts.waiting, 4)
    t.match(accounts.read(), [
      { pushed: 4, waiting: undefined },
      { pushed: 0, waiting: 4, buffered: 0 },
    ])
    accounts.add(report({ outlets: [outletReport('a'), outletReport('b', { pushed: 1, waiting: 3 })] }))
    t.equal(accounts.pullAgain(), 3)
    t.match(accounts.read(), [
      { pulledAgain: undefined },
      { pushed: 1, waiting: undefined, pulledAgain: 3, buffered: 0 },
    ])
  },
)
