import t, { type Test } from 'tap'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { AccountBoard } from '../fixtures/account-board.js'
import { makeLink, type AccountSpec } from '../fixtures/account-links.js'
import { accountsOf, accountsModule, HELD, NO_RECORDS, started } from '../helpers/accounts.js'
import { captureLogs } from '../helpers/logs.js'
import { until } from '../helpers/threads.js'

t.test('what was handed off waits until its link can be opened again', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'failStart', 1)
  await planner.recycle()
  t.match(accountsOf(planner), [{ pulled: 20, buffered: 20, lost: 0 }])
  await planner.shutdown()
  t.same(board.read(0, 'pushed 0'), 20, 'it was drained when it could')
  t.same(planner.counts.lost, 0)
  t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 20, pushed: 20 }])
})

t.test('what was handed off is lost at the shutdown when its link cannot be opened: counted, and said', async (t) => {
  const { planner, board, lostLines } = await started(t, HELD)
  board.order(0, 'failStart', -1)
  await planner.recycle()
  await planner.shutdown().catch(() => undefined)
  t.same(planner.counts.lost, 20)
  t.same(accountsOf(planner), [{ ...NO_RECORDS, outlet: 'pushed 0', pulled: 20, lost: 20 }])
  t.match(lostLines(), ['held: 20 records in its buffers are lost: the planner is shut down'])
})

t.test('a link whose buffer cannot take over its state goes on without: counted, and said', async (t) => {
  const { planner, board, lostLines } = await started(t, { ...HELD, outlets: [0, 1000], buffer: 20 })
  t.match(accountsOf(planner), [{ pushed: 20 }, { buffered: 20 }])
  board.order(0, 'failRestore', -1)
  await planner.recycle()
  await planner.forceTransfer()
  t.same(planner.counts.lost, 20)
  t.match(lostLines(), [
    'FaultyBuffer of held does not take over its state: 20 buffered records are lost: held cannot restore',
  ])
  await planner.shutdown()
  t.same(accountsOf(planner), [
    { ...NO_RECORDS, outlet: 'pushed 0', pulled: 40, pushed: 40 },
    { ...NO_RECORDS, outlet: 'pushed 1', pulled: 40, pushed: 20, lost: 20 },
  ])
})

t.test('a link whose inlet cannot take over its state: its move is undone, or it begins without: said', async (t) => {
  const { planner, board, logs } = await started(t, HELD)
  const failed: string[] = []
  planner.on('startFailed', ({ error }) => failed.push(error.message))
  const said = () => logs.messages().filter((text) => text.startsWith('CountedInlet of held'))
  board.order(0, 'failRestoreInlet', 1)
  await t.rejects(planner.reload(planner.modules[0]!), { code: 'DATABAY_LINK_MODULE' }, 'the old one goes on')
  t.same([failed, said()], [[], []])
  board.order(0, 'failRestoreInlet', -1)
  await planner.recycle()
  t.same([failed, said()], [['held cannot go on'], []], 'tried once with its state')
  await until(() => planner.stats().links[0]?.startFailure === undefined)
  await planner.forceTransfer()
  const why = 'it begins without, as after the loss of its thread: held cannot go on'
  t.same(said(), [`CountedInlet of held does not take over its state: ${why}`])
  await planner.shutdown()
  t.match(accountsOf(planner), [{ pulled: 40, pushed: 40, lost: 0 }], 'its buffer went on')
})

t.test('a shutdown drains the buffers of a link whose inlet cannot take over its state', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'failRestoreInlet', -1)
  await planner.recycle()
  await planner.shutdown()
  t.match(accountsOf(planner), [{ pulled: 20, pushed: 20, lost: 0 }])
})

t.test('so does its removal', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'failRestoreInlet', -1)
  await planner.recycle()
  await planner.removeLinks(planner.modules)
  t.match(accountsOf(planner), [{ pulled: 20, pushed: 20, lost: 0 }])
})

t.test('a buffer that hands off no state is released before its link moves', async (t) => {
  const { planner, board } = await started(t, { ...HELD, keeps: true })
  await planner.recycle()
  t.same(board.read(0, 'pushed 0'), 20)
  board.order(0, 'failPush', 1)
  await planner.forceTransfer()
  await planner.recycle()
  t.match(accountsOf(planner), [{ pulled: 40, pushed: 20, dropped: 20, lost: 0, buffered: 0 }])
})

t.test('what is in buffers at a shutdown that does not drain is lost: counted, and said', async (t) => {
  const { planner, lostLines } = await started(t, { ...HELD, outlets: [0, 1000] })
  await planner.shutdown({ drain: false })
  t.same(planner.counts.lost, 20)
  t.match(lostLines(), ['held: 20 records in its buffers are lost: the planner is shut down'])
})

t.test('what a link that is removed cannot release is lost', async (t) => {
  const { planner, board } = await started(t, HELD)
  board.order(0, 'failStart', -1)
  await planner.recycle()
  await planner.removeLinks(planner.links).catch(() => undefined)
  t.same(planner.counts.lost, 20)
  t.match(accountsOf(planner), [{ pulled: 20, lost: 20 }])
})

t.test('what a lost thread held is lost, in the link and in its outlets, as of the last reports', async (t) => {
  const { planner, board } = await started(t, { ...HELD, buffer: 40, outlets: [0, 1000] })
  await planner.forceTransfer()
  await planner.forceTransfer()
  const lost: number[] = []
  planner.on('threadLost', ({ buffered }) => lost.push(buffered))
  board.order(0, 'crash', 1)
  await planner.forceTransfer()
  await until(() => lost.length > 0)
  t.same([lost, planner.counts.lost], [[60], 60])
  t.match(accountsOf(planner), [
    { pulled: 60, pushed: 40, lost: 20, buffered: 0 },
    { pulled: 60, pushed: 0, lost: 60, buffered: 0 },
  ])
})

t.test('a module whose link has changed or is gone', async (t) => {
  t.test('what its buffers hold is released', async (t) => {
    const { planner, board } = await started(t, HELD)
    await planner.addLinks(accountsModule({ ...HELD, id: 'gone', link: 0 }))
    await planner.forceTransfer()
    await planner.removeLinks(planner.modules)
    t.same([board.read(0, 'pulled'), board.read(0, 'pushed 0'), planner.counts.lost], [60, 60, 0])
    t.match(planner.stats().removed, [{ link: 'held' }, { link: 'gone' }])
  })
})

t.test('a planner without threads', async (t) => {
  const setUp = async (t: Test, spec: AccountSpec) => {
    const logs = captureLogs(t)
    const board = AccountBoard.make(1)
    const planner = new SchedulePlanner(makeLink(spec), { immediateTransfer: false, ignoreExceptions: true })
    await planner.start()
    t.teardown(() => planner.shutdown({ wait: false }))
    await planner.forceTransfer()
    return { planner, board, logs }
  }

  await t.test('what it does not drain is lost, and what is there when it starts again was added', async (t) => {
    const { planner, board, logs } = await setUp(t, { ...HELD, outlets: [0, 0] })
    await planner.shutdown({ drain: false })
    t.same(planner.counts.lost, 20)
    const said = logs.entries().map(({ msg }) => msg)
    t.ok(said.includes('held: 20 records in its buffers are lost: the planner is shut down'))
    t.match(accountsOf(planner), [{ pulled: 20, lost: 20, buffered: 0 }, { lost: 20 }])
    t.equal(planner.stats().links[0]?.buffered, 0)
    await planner.start()
    t.match(accountsOf(planner), [{ pulled: 20, added: 20, lost: 20, buffered: 20 }, {}])
    await planner.shutdown()
    t.same(board.read(0, 'pushed 1'), 20)
    t.match(accountsOf(planner), [{ pulled: 20, added: 20, lost: 20, pushed: 20, buffered: 0 }, {}])
  })

  await t.test('a drain that fails has dropped what it released', async (t) => {
    const { planner, board } = await setUp(t, HELD)
    board.order(0, 'failPush', 1)
    await planner.shutdown()
    t.match(accountsOf(planner), [{ pulled: 20, dropped: 20, lost: 0, buffered: 0 }])
    t.equal(planner.counts.lost, 0)
  })

  await t.test('what a link that is removed holds is lost', async (t) => {
    const { planner } = await setUp(t, HELD)
    const [link] = planner.links
    t.equal(planner.stats().links[0]?.buffered, 20)
    await planner.removeLinks(planner.links)
    t.match(accountsOf(planner), [{ pushed: 20 }])
    await planner.addLinks(link!)
    t.equal(planner.counts.lost, 0)
  })
})
