import t from 'tap'
import { Node, nodeName } from '../../src/core/node.js'
import { UndoStack } from '../../src/base/undo-stack.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'

class TestNode extends Node {
  readonly calls: string[] = []
  start: () => void | Promise<void> = () => {}
  shutdown: () => void | Promise<void> = () => {}

  override onStart() {
    this.calls.push(`start, active: ${this.active}`)
    return this.start()
  }

  override onShutdown() {
    this.calls.push(`shutdown, active: ${this.active}`)
    return this.shutdown()
  }
}

t.test('a node is active after onStart and until onShutdown', async (t) => {
  const node = new TestNode()
  t.notOk(node.active)
  await node.tryStart()
  t.ok(node.active)
  await node.tryShutdown()
  t.notOk(node.active)
  t.strictSame(node.calls, ['start, active: false', 'shutdown, active: false'])
})

t.test('a node without hooks starts and stops', async (t) => {
  class Bare extends Node {}
  const node = new Bare()
  await node.tryStart()
  t.ok(node.active)
  await node.tryShutdown()
  t.notOk(node.active)
})

t.test('a node that several links share is started once, and stopped when the last one leaves', async (t) => {
  const node = new TestNode()
  await Promise.all([node.tryStart(), node.tryStart()])
  await node.tryStart()
  t.equal(node.calls.length, 1)
  await node.tryShutdown()
  await node.tryShutdown()
  t.ok(node.active)
  t.equal(node.calls.length, 1)
  await node.tryShutdown()
  t.notOk(node.active)
  t.equal(node.calls.length, 2)
})

t.test('a link that comes while the node starts waits until it is ready', async (t) => {
  const node = new TestNode()
  const opened = deferred()
  node.start = () => opened.promise
  const first = node.tryStart()
  const order: string[] = []
  const second = node.tryStart().then(() => order.push('second is in'))
  await turnOfTheLoop()
  order.push('opened')
  opened.resolve()
  await Promise.all([first, second])
  t.strictSame(order, ['opened', 'second is in'])
  t.ok(node.active)
  t.equal(node.calls.length, 1)
})

t.test('stopping a node that is not started does nothing', async (t) => {
  const node = new TestNode()
  await node.tryShutdown()
  await node.tryStart()
  await node.tryShutdown()
  await node.tryShutdown()
  t.equal(node.calls.length, 2)
})

t.test('a node can be started again', async (t) => {
  const node = new TestNode()
  for (let round = 0; round < 3; round++) {
    await node.tryStart()
    t.ok(node.active)
    await node.tryShutdown()
  }
  t.equal(node.calls.length, 6)
})

t.test('when onStart fails, everyone who waits is told, and the node is as before', async (t) => {
  const node = new TestNode()
  node.start = () => {
    throw new Error('no connection')
  }
  const settled = await Promise.allSettled([node.tryStart(), node.tryStart()])
  t.match(settled, [
    { status: 'rejected', reason: { message: 'no connection' } },
    { status: 'rejected', reason: { message: 'no connection' } },
  ])
  t.notOk(node.active)
  await node.tryShutdown()
  t.equal(node.calls.length, 1, 'nothing to stop')

  node.start = () => {}
  await node.tryStart()
  t.ok(node.active)
  await node.tryShutdown()
  t.notOk(node.active, 'those who failed do not count')
})

t.test('when onShutdown fails the node is stopped all the same', async (t) => {
  const node = new TestNode()
  node.shutdown = () => Promise.reject(new Error('would not close'))
  await node.tryStart()
  await t.rejects(node.tryShutdown(), { message: 'would not close' })
  t.notOk(node.active)
  await node.tryStart()
  t.ok(node.active)
})

t.test('the steps of a node never overlap', async (t) => {
  const node = new TestNode()
  const opened = deferred()
  const closed = deferred()
  const steps: string[] = []
  node.start = async () => {
    steps.push('opening')
    await opened.promise
    steps.push('open')
  }
  node.shutdown = async () => {
    steps.push('closing')
    await closed.promise
    steps.push('closed')
  }
  const all = [node.tryStart(), node.tryShutdown(), node.tryStart()]
  opened.resolve()
  closed.resolve()
  await Promise.all(all)
  t.strictSame(steps, ['opening', 'open', 'closing', 'closed', 'opening', 'open'])
  t.ok(node.active)
})

t.test('a node whose start fails while it is told to stop is not stopped', async (t) => {
  const node = new TestNode()
  node.start = () => Promise.reject(new Error('no connection'))
  const start = node.tryStart()
  const stop = node.tryShutdown()
  await t.rejects(start, { message: 'no connection' })
  await stop
  t.strictSame(node.calls, ['start, active: false'])
})

t.test('a node is called by its class, or by what it chooses to show', async (t) => {
  class Named extends Node {
    override toString() {
      return 'Named(x)'
    }
  }
  t.equal(nodeName(new TestNode()), 'TestNode')
  t.equal(nodeName(new Named()), 'Named(x)')
})

t.test('a node that cannot say its name is called by its class', async (t) => {
  class Mute extends Node {
    override toString(): string {
      throw new Error('no name')
    }
  }
  t.equal(nodeName(new Mute()), 'Mute')
})

t.test('undo steps run once each, the last one first, even when some fail', async (t) => {
  const undo = new UndoStack()
  const steps: number[] = []
  undo.push(() => steps.push(1))
  undo.push(() => {
    steps.push(2)
    throw new Error('two')
  })
  undo.push(async () => {
    await Promise.resolve()
    steps.push(3)
    throw new Error('three')
  })
  t.match(await undo.undo(), [{ message: 'three' }, { message: 'two' }])
  t.strictSame(steps, [3, 2, 1])
  t.strictSame(await undo.undo(), [])
  t.equal(steps.length, 3)
})
