import t from 'tap'
import { LinkPlace } from '../../../src/threads/main/link-place.js'
import { Run } from '../../../src/threads/main/run.js'
import { FakeThread } from '../../helpers/fake-thread.js'
import { deferred, turnOfTheLoop } from '../../helpers/nodes.js'

const link = { module: 'file:///links.js', exportName: 'links', index: 3, id: 'mine' }

function setUp() {
  const fake = new FakeThread(1)
  return { fake, place: new LinkPlace(fake.thread, 7) }
}

function run(place: LinkPlace): void {
  const owner = { name: '', tags: [], ended: () => undefined, failed: () => undefined }
  place.run(new Run(owner, place, 0, 0, false, () => undefined))
}

t.test('a link is opened once, however often it is asked for, and closed once', async (t) => {
  const { fake, place } = setUp()
  await Promise.all([place.open(link), place.open(link)])
  t.ok(place.isOpen)
  await place.open(link)
  await Promise.all([place.close(), place.close()])
  await place.close()
  t.notOk(place.isOpen)
  t.same(fake.calls, ['open 7', 'close 7'])
})

t.test('a link that fails to open says which it is, and is tried again when it is asked for again', async (t) => {
  const { fake, place } = setUp()
  fake.failure = new Error('no room')
  await t.rejects(place.open(link), { message: 'no room', node: 'mine', stage: 'start' })
  t.same([place.isOpen, place.opening], [false, undefined])
  fake.failure = undefined
  await place.open(link)
  t.ok(place.isOpen)
})

t.test('a link that is closed while it is opened is open before', async (t) => {
  const { fake, place } = setUp()
  void place.open(link)
  await place.close()
  t.same(fake.calls, ['open 7', 'close 7'])
})

t.test('unless it is opened again meanwhile, however long that takes', async (t) => {
  for (const wait of [0, 600]) {
    const { fake, place } = setUp()
    const gate = deferred()
    Object.assign(fake.thread, { open: () => gate.promise })
    void place.open(link)
    const closing = place.close()
    if (wait > 0) await closing
    const opening = place.open(link)
    gate.resolve()
    await Promise.all([closing, opening])
    await turnOfTheLoop()
    t.same([place.isOpen, fake.calls], [true, []])
    await place.close()
    t.same([place.isOpen, fake.calls], [false, ['close 7']])
  }
})

t.test('when the thread is lost as soon as it has answered, the link is not open', async (t) => {
  const { fake, place } = setUp()
  const opening = place.open(link)
  fake.worker = undefined
  await opening
  t.notOk(place.isOpen)
})

t.test('transfers are made in its thread', async (t) => {
  const { fake, place } = setUp()
  await place.idle()
  run(place)
  run(place)
  t.same([place.running, fake.runs.length], [2, 2])
  let idle = false
  void place.idle().then(() => (idle = true))
  await turnOfTheLoop()
  t.notOk(idle)
  fake.finish()
  await turnOfTheLoop()
  t.same([place.running, idle], [0, true])
})

t.test('a link that moves is not open, and whoever opens it waits until it has moved', async (t) => {
  const { fake, place } = setUp()
  const to = new FakeThread(2)
  await place.open(link)
  const end = place.hold(() => t.fail('no thread is lost'))
  t.same([place.isMoving, place.isOpen], [true, false])
  let opened = false
  void place.open(link).then(() => (opened = true))
  place.moveTo(to.thread, { state: { position: 4 }, onLost: () => t.fail('nothing is lost') })
  t.same([place.hasState, place.handOffs], [true, 1])
  await place.openMoved(link)
  t.same(to.calls, ['open 7 {"position":4}'])
  t.same([place.hasState, place.thread.number, opened], [false, 2, false], 'the state is taken once')
  end()
  await turnOfTheLoop()
  t.same([place.isMoving, place.isOpen, opened], [false, true, true])
  t.same(fake.calls, ['open 7'])
})

t.test('a state waits until the link can be opened', async (t) => {
  const { place } = setUp()
  const to = new FakeThread(2)
  place.moveTo(to.thread, { state: 'state', onLost: () => t.fail('nothing is lost') })
  to.failure = new Error('no room')
  await t.rejects(place.open(link))
  to.failure = undefined
  place.moveTo(to.thread, undefined)
  await place.open(link)
  t.same(to.calls, ['open 7 "state"', 'open 7 "state"'])
  t.equal(place.handOffs, 1)
})

t.test('when its thread is lost, it may be opened again at once unless it moves', async (t) => {
  const { place } = setUp()
  await place.open(link)
  t.ok(place.lost())
  t.notOk(place.isOpen)
  let told = 0
  place.hold(() => told++)
  t.notOk(place.lost())
  t.equal(told, 1)
})

t.test(
  'a link that is closed while its opening hangs does not wait for that long, and is closed once it is open',
  async (t) => {
    const { fake, place } = setUp()
    const opened = deferred()
    Object.assign(fake, { open: () => opened.promise })
    void place.open(link)
    const since = performance.now()
    await place.close()
    t.ok(performance.now() - since < 2000)
    t.same(fake.calls, [])
    opened.resolve()
    await turnOfTheLoop()
    t.same(fake.calls, ['close 7'])
  },
)

t.test('it counts how often in a row its thread was lost while the link was opened', async (t) => {
  const { place } = setUp()
  await place.open(link)
  place.lost()
  t.equal(place.lostOpenings, 0)
  for (let times = 1; times < 3; times++) {
    void place.open(link)
    place.lost()
    t.equal(place.lostOpenings, times)
  }
  await place.open(link)
  t.equal(place.lostOpenings, 0)
})
