import t from 'tap'
import { LinkMigration } from '../../../src/threads/main/link-migration.js'
import { LinkPlace } from '../../../src/threads/main/link-place.js'
import { Run } from '../../../src/threads/main/run.js'
import { FakeThread } from '../../helpers/fake-thread.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'

const link = { module: 'file:///links.js', exportName: 'link', index: undefined, id: 'mine' }

/** A link that is to be open, in the first of two threads. */
function setUp() {
  const [from, to] = [new FakeThread(1), new FakeThread(2)]
  const place = new LinkPlace(from.thread, 7)
  const told: string[] = []
  const state = { wanted: true }
  const start = () =>
    new LinkMigration(place, {
      wanted: () => (state.wanted ? link : undefined),
      isRetried: false,
      openFailed: () => t.fail('it could be opened'),
      keepsRecords: false,
      endStreams: () => undefined,
      drain: async (at) => void told.push(`releases in thread ${at.thread.number}`),
      left: () => told.push('has left'),
      lose: (held = []) => told.push(`loses ${JSON.stringify(held)}`),
      reopen: (at) => void told.push(`reopens in thread ${at.thread.number}`),
    })
  return { from, to, place, told, state, start }
}

t.test('a link is moved when its transfers have ended, with its state', async (t) => {
  const { from, to, place, told, start } = setUp()
  await place.open(link)
  const owner = { name: '', tags: [], ended: () => undefined, failed: () => undefined }
  place.run(new Run(owner, place, 0, 0, false, () => undefined))
  const migration = start()
  let idle = false
  void migration.idle.then(() => (idle = true))
  await turnOfTheLoop()
  t.same([idle, migration.id], [false, 7])
  from.finish()
  await migration.idle
  t.ok(migration.isOpen, 'there is something to hand off')
  await migration.arrive(to.thread, 'state')
  t.same(to.calls, ['open 7 "state"'])
  migration.end()
  t.same([place.isOpen, place.isMoving], [true, false])
  t.same(told, ['has left', 'reopens in thread 2'])
})

t.test('a link that is being opened is open when that is done', async (t) => {
  const { place, start } = setUp()
  void place.open(link)
  const migration = start()
  t.notOk(migration.isOpen)
  await migration.idle
  t.same([migration.isOpen, place.isOpen], [true, false])
})

t.test('a link whose thread is lost has nothing to hand off', async (t) => {
  const { place, start } = setUp()
  await place.open(link)
  const migration = start()
  place.lost()
  await migration.idle
  t.notOk(migration.isOpen)
})

t.test('a link that is not to be open is not opened where it goes', async (t) => {
  const { to, place, state, start } = setUp()
  await place.open(link)
  const migration = start()
  state.wanted = false
  await migration.idle
  await migration.arrive(to.thread, undefined)
  t.same([to.calls, place.thread.number, place.hasState], [[], 2, false])
})

t.test('a link that stays is open where it was', async (t) => {
  const { place, start } = setUp()
  await place.open(link)
  const migration = start()
  await migration.idle
  migration.stay()
  migration.end()
  t.same([place.isOpen, place.thread.number], [true, 1])
})

t.test('a link that leaves without its state releases what it holds where it is', async (t) => {
  const { told, start } = setUp()
  const migration = start()
  await migration.drain()
  t.equal(migration.lose(), 2)
  t.same(told, ['releases in thread 1', 'loses []'])
})

t.test('what is lost of a state when the link is opened, it is told', async (t) => {
  const { to, place, told, start } = setUp()
  await place.open(link)
  const migration = start()
  await migration.idle
  to.lost = [0, 3]
  await migration.arrive(to.thread, 'state')
  t.same(told, ['has left', 'loses [0,3]'])
})
