import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import type { WorkerPlanner } from '../../src/planners/worker-planner.js'
import { AccountBoard } from '../fixtures/account-board.js'
import { makeLinks, type AccountSpec } from '../fixtures/account-links.js'
import { accountsModule, accountsOf, HELD, NO_RECORDS, started, startedWith } from '../helpers/accounts.js'
import { fixture, until } from '../helpers/threads.js'

const OTHER: AccountSpec = { ...HELD, id: 'other', link: 1 }

t.test('a planner whose threads become fewer', async (t) => {
  await t.test('hands over what buffers hold', async (t) => {
    const modules = [accountsModule(HELD), accountsModule(OTHER)]
    const { planner, board } = await startedWith(t, 2, modules, { threads: 2 })
    await planner.setThreads(1)
    t.match([accountsOf(planner, 'held'), accountsOf(planner, 'other')], [[{ buffered: 20 }], [{ buffered: 20 }]])
    await planner.shutdown()
    t.same([board.read(0, 'pushed 0'), board.read(1, 'pushed 0'), planner.counts.lost], [20, 20, 0])
  })

  await t.test('keeps it while a link cannot be opened, up to its shutdown', async (t) => {
    const modules = [accountsModule(HELD), accountsModule(OTHER)]
    const { planner, board, lostLines } = await startedWith(t, 2, modules, { threads: 2 })
    for (const link of [0, 1]) board.order(link, 'failStart', -1)
    await planner.setThreads(1)
    // the links of one of the threads have moved
    t.same(
      [...accountsOf(planner, 'held'), ...accountsOf(planner, 'other')].map(({ buffered }) => buffered),
      [20, 20],
    )
    await planner.shutdown().catch(() => undefined)
    const accounts = [...accountsOf(planner, 'held'), ...accountsOf(planner, 'other')]
    t.match(
      accounts.map(({ lost, pushed }) => lost + pushed),
      [20, 20],
    )
    t.same([planner.counts.lost, lostLines().length], [20, 1])
  })
})

/** Starts a planner of a module in a file, which can be written again. */
async function startedFile(t: Test, ...specs: AccountSpec[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'accounts-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const file = path.join(folder, 'links.mjs')
  const write = (...some: readonly AccountSpec[]) => {
    const links = some.map((spec) => `export const ${spec.id} = makeLink(${JSON.stringify(spec)})`)
    const fixtures = JSON.stringify(fixture('account-links.ts').href)
    const code = [`import { makeLink } from ${fixtures}`, ...links].join('\n')
    writeFileSync(file, code)
  }
  write(...specs)
  const module = pathToFileURL(file)
  const run = await startedWith(t, specs.length, module)
  return { ...run, write, reload: () => run.planner.reload(module) }
}

t.test('a module that is loaded again', async (t) => {
  await t.test('hands over what the buffers of its links hold', async (t) => {
    const { planner, reload } = await startedFile(t, HELD)
    await reload()
    t.match(accountsOf(planner), [{ buffered: 20, pushed: 0 }])
    await planner.shutdown()
    t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 20, pushed: 20 }])
  })

  await t.test('releases what the buffers of a link that has changed hold', async (t) => {
    const { planner, board, write, reload } = await startedFile(t, { ...HELD, outlets: [0, 0] })
    write({ id: 'held', link: 0, pulls: 20, outlets: [0] })
    await reload()
    t.same([board.read(0, 'pushed 0'), board.read(0, 'pushed 1')], [20, 20])
    await planner.forceTransfer()
    t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 40, pushed: 40 }])
    t.same(planner.counts.lost, 0)
  })

  await t.test('drops what such a link cannot push, in a transfer that says so', async (t) => {
    const { planner, board, write, reload } = await startedFile(t, HELD)
    write({ ...HELD, outlets: [5] })
    board.order(0, 'failPush', 1)
    await reload()
    t.match(accountsOf(planner), [{ pulled: 20, dropped: 20, buffered: 0, lost: 0 }])
  })

  await t.test('releases what the buffers of a link that is gone hold', async (t) => {
    const { planner, board, write, reload } = await startedFile(t, HELD, OTHER)
    write(OTHER)
    await reload()
    t.same([board.read(0, 'pushed 0'), planner.counts.lost], [20, 0])
    t.match(planner.stats(), {
      links: [{ link: 'other', outlets: [{ buffered: 20 }] }],
      removed: [{ link: 'held', outlets: [{ pulled: 20, pushed: 20, buffered: 0 }] }],
    })
  })
})

t.test('a thread that is lost as its links hand off what they hold has lost that: counted', async (t) => {
  const { planner, board } = await started(t, HELD)
  const lost: number[] = []
  planner.on('threadLost', ({ buffered }) => lost.push(buffered))
  board.order(0, 'crashAtSave', 1)
  await planner.recycle()
  await until(() => lost.length > 0)
  t.same([lost, planner.counts.lost], [[20], 20])
  await planner.shutdown()
  t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 20, lost: 20 }])
})

t.test('what a shutdown has no time left to release is lost: counted, and said', async (t) => {
  const modules = [accountsModule(HELD), accountsModule(OTHER)]
  const { planner, board, lostLines } = await startedWith(t, 2, modules, { shutdownTimeout: 0.5 })
  board.order(1, 'hang', 1)
  void planner.forceTransfer().catch(() => undefined)
  await until(() => board.read(1, 'hang') === 0)
  await planner.shutdown().catch(() => undefined)
  for (const id of ['held', 'other']) {
    const [account = NO_RECORDS] = accountsOf(planner, id)
    const { pulled, pushed, dropped, lost, buffered } = account
    t.same([pulled, buffered], [pushed + dropped + lost, 0], id)
  }
  t.same(
    planner.counts.lost,
    lostLines().reduce((sum, line) => sum + Number(/(\d+) records/.exec(line)?.[1]), 0),
  )
})

t.test('a shutdown that does not wait drains', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'hang', 1)
  void planner.forceTransfer()
  await until(() => board.read(0, 'hang') === 0)
  await planner.shutdown({ wait: false })
  t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 20, pushed: 20 }])
})

t.test('what was handed off waits through the quarantine of its link', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'crashAtStart', 3)
  const losses: unknown[] = []
  planner.on('threadLost', ({ culprit, quarantinedUntil }) => losses.push([culprit, quarantinedUntil !== undefined]))
  await planner.recycle()
  await until(() => losses.length >= 3)
  t.same(losses, [
    ['held', false],
    ['held', false],
    ['held', true],
  ])
  t.match(accountsOf(planner), [{ buffered: 20, lost: 0 }])
  await until(() => planner.links[0]?.isOpen === true)
  t.equal(planner.stats().links[0]?.quarantinedUntil, undefined)
  await planner.shutdown()
  t.match(accountsOf(planner), [{ pushed: 20, buffered: 0, lost: 0 }])
})

t.test('what was handed off is lost when its link is in quarantine at the shutdown: counted, and said', async (t) => {
  const { planner, board, lostLines } = await started(t, HELD)
  board.order(0, 'crashAtStart', -1)
  let isQuarantined = false
  planner.on('threadLost', ({ quarantinedUntil }) => (isQuarantined ||= quarantinedUntil !== undefined))
  await planner.recycle()
  await until(() => isQuarantined)
  await planner.shutdown().catch(() => undefined)
  t.match(accountsOf(planner), [{ pulled: 20, lost: 20, buffered: 0 }])
  t.same(planner.counts.lost, 20)
  t.ok(lostLines().includes('held: 20 records in its buffers are lost: the planner is shut down'))
})

t.test('links that share a buffered outlet', async (t) => {
  const ONE: AccountSpec = { id: 'one', link: 0, pulls: 20, outlets: [1000] }
  const TWO: AccountSpec = { ...ONE, id: 'two', link: 1, shares: true }
  const both = (planner: WorkerPlanner | SchedulePlanner) => [
    ...accountsOf(planner, 'one'),
    ...accountsOf(planner, 'two'),
  ]
  const account = { ...NO_RECORDS, outlet: 'pushed 0' }

  await t.test('have each their own records, whoever lets go of them', async (t) => {
    const { planner } = await started(t, ONE, TWO)
    t.same(both(planner), [
      { ...account, pulled: 20, buffered: 20 },
      { ...account, pulled: 20, buffered: 20 },
    ])
    await planner.removeLinks(planner.links[0]!)
    t.same(both(planner), [
      { ...account, pulled: 20, pushed: 20 },
      { ...account, pulled: 20, pushed: 20 },
    ])
    await planner.forceTransfer()
    t.match(both(planner), [{ buffered: 0 }, { pulled: 40, pushed: 20, buffered: 20 }])
    await planner.shutdown()
    t.match(both(planner), [{ buffered: 0 }, { pulled: 40, pushed: 40, buffered: 0 }])
  })

  await t.test('have each lost their own when the buffer does not take over what was handed off', async (t) => {
    const { planner, board } = await started(t, ONE, TWO)
    board.order(0, 'failRestore', 1)
    await planner.recycle()
    t.match(both(planner), [
      { pulled: 20, lost: 20, buffered: 0 },
      { pulled: 20, lost: 20, buffered: 0 },
    ])
    t.equal(planner.counts.lost, 40)
  })

  await t.test('keep what came into it while what was handed off waited', async (t) => {
    const { planner, board } = await started(t, ONE, TWO)
    board.order(0, 'failStart', 1)
    await planner.recycle()
    await planner.forceTransfer()
    await until(() => planner.stats().links[0]?.startFailure === undefined)
    const { buffered } = both(planner)[1] ?? {}
    t.ok(Number(buffered) >= 40, 'the other went on')
    await planner.shutdown()
    t.same(planner.counts.lost, 0)
    t.ok(both(planner).every(({ pulled, pushed }) => pulled === pushed))
  })

  await t.test('have records of one that has left in it until they are pushed, or lost', async (t) => {
    const board = AccountBoard.make(2)
    const links = makeLinks([ONE, { ...TWO, pulls: 5 }])
    const planner = new SchedulePlanner(links, { immediateTransfer: false, drain: false })
    await planner.start()
    t.teardown(() => planner.shutdown({ wait: false }))
    await planner.forceTransfer()
    await planner.removeLinks(links[0]!)
    t.same(both(planner), [
      { ...account, pulled: 20, buffered: 20 },
      { ...account, pulled: 5, buffered: 5 },
    ])
    t.same(planner.counts.lost, 0)
    await planner.addLinks(links[0]!)
    t.same(both(planner), [{ ...account, pulled: 5, buffered: 5 }], 'one that comes back does not count them again')
    await planner.shutdown({ drain: true })
    t.equal(board.read(0, 'pushed 0'), 25)
    t.same(planner.stats().removed, [{ link: 'one', outlets: [{ ...account, pulled: 20, pushed: 20 }] }])
    t.match(accountsOf(planner, 'two'), [{ pulled: 5, pushed: 5, lost: 0, buffered: 0 }])
  })

  await t.test('also without threads', async (t) => {
    AccountBoard.make(2)
    const planner = new SchedulePlanner(makeLinks([ONE, TWO]), { immediateTransfer: false })
    await planner.start()
    t.teardown(() => planner.shutdown({ wait: false }))
    await planner.forceTransfer()
    await planner.removeLinks(planner.links[1]!)
    t.same(both(planner), [
      { ...account, pulled: 20, pushed: 20 },
      { ...account, pulled: 20, pushed: 20 },
    ])
  })
})
