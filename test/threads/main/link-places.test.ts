import t, { type Test } from 'tap'
import { LinkPlace } from '../../../src/threads/main/link-place.js'
import { LinkPlaces } from '../../../src/threads/main/link-places.js'
import { Run } from '../../../src/threads/main/run.js'
import { FakeThread } from '../../helpers/fake-thread.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'

const link = { module: 'file:///links.js', exportName: 'link', index: undefined, id: 'mine' }

/** Places in some threads, under ids from 0. */
function setUp(t: Test, size: number) {
  const logs = captureLogs(t, 'error')
  const fakes = Array.from({ length: size }, (_, at) => new FakeThread(at + 1))
  const places = new LinkPlaces(fakes.map(({ thread }, id) => new LinkPlace(thread, id)))
  return { logs, fakes, places, calls: () => fakes.map(({ calls }) => calls.join(', ')) }
}

t.test('a link starts and stops in all of its places', async (t) => {
  for (const size of [1, 2]) {
    const { places, calls } = setUp(t, size)
    t.notOk(places.started)
    await places.start(link)
    t.ok(places.started)
    await places.stop()
    t.notOk(places.started)
    t.same(calls(), ['open 0, close 0', 'open 1, close 1'].slice(0, size))
  }
})

t.test('when it fails to start in one, it is closed in the others', async (t) => {
  const { logs, fakes, places, calls } = setUp(t, 3)
  fakes[1]!.failure = new Error('no room')
  fakes[2]!.closeFailure = new Error('it clings')
  await t.rejects(places.start(link), { message: 'no room' })
  t.notOk(places.started)
  t.same(calls(), ['open 0, close 0', 'open 1', 'open 2, close 2'])
  t.match(logs.entries(), [{ msg: 'mine failed to shut down', err: { message: 'it clings' } }])
})

t.test('when it fails to stop in one, it is stopped in the others, and that is told', async (t) => {
  const { fakes, places, calls } = setUp(t, 2)
  await places.start(link)
  fakes[0]!.closeFailure = new Error('it clings')
  await t.rejects(places.stop(), { message: 'it clings' })
  t.same(calls(), ['open 0, close 0', 'open 1, close 1'])
})

t.test('the place with the fewest transfers in its thread is the first of several', async (t) => {
  const { fakes, places } = setUp(t, 3)
  const least = () => places.leastLoaded.id
  t.equal(least(), 0)
  fakes[0]!.load = 4
  fakes[1]!.load = 2
  fakes[2]!.load = 2
  t.equal(least(), 1)
  t.same(
    places.threads.map(({ number }) => number),
    [1, 2, 3],
  )
  t.ok(places.has(2) && !places.has(9))
  t.same(
    places.in(fakes[2]!.thread).map(({ id }) => id),
    [2],
  )
})

t.test('a further thread hosts it once it is open there', async (t) => {
  const { fakes, places, calls } = setUp(t, 1)
  fakes.push(new FakeThread(2))
  const [, further] = fakes
  await places.start(link)
  const added = places.add(further!.thread, 1, link, false)
  t.equal(places.threads.length, 1)
  await added
  t.same(
    places.threads.map(({ number }) => number),
    [1, 2],
  )
  t.same(calls(), ['open 0', 'open 1'])

  await t.test('or before, when it must be hosted there anyway', async (t) => {
    const [stays, goes] = [new FakeThread(3), new FakeThread(4)]
    stays.failure = goes.failure = new Error('no room')
    await t.rejects(places.add(goes.thread, 2, link, false), { message: 'no room' })
    await t.rejects(places.add(stays.thread, 3, link, true), { message: 'no room' })
    t.same(
      places.threads.map(({ number }) => number),
      [1, 2, 3],
    )
  })

  await t.test('and it is closed there when it was stopped meanwhile', async (t) => {
    const late = new FakeThread(5)
    const adding = places.add(late.thread, 4, link, false)
    await places.stop()
    await adding
    t.same(late.calls, ['open 4', 'close 4'])
  })

  await t.test('while it is stopped, it is not opened', async (t) => {
    const idle = new FakeThread(6)
    await places.add(idle.thread, 5, link, false)
    t.same(idle.calls, [])
    t.ok(places.has(5))
  })
})

t.test('a thread hosts it no more once its transfers there have ended', async (t) => {
  const { fakes, places } = setUp(t, 2)
  await places.start(link)
  const owner = { name: '', tags: [], ended: () => undefined, failed: () => undefined }
  const leaving = places.first
  leaving.run(new Run(owner, leaving, 0, 0, false, () => undefined))
  const removed = places.remove(fakes[0]!.thread)
  t.same(
    places.threads.map(({ number }) => number),
    [2],
  )
  t.equal(places.running, 1, 'its transfers count')
  places.note((id) => ({ note: 'cancel', link: id, upTo: 0, reason: { name: 'Error', message: 'enough' } }))
  t.match(
    fakes.map(({ notes }) => notes),
    [[{ link: 0 }], [{ link: 1 }]],
    'and are told to stop',
  )
  await turnOfTheLoop()
  t.same(fakes[0]!.calls, ['open 0'])
  fakes[0]!.finish()
  await removed
  t.same(fakes[0]!.calls, ['open 0', 'close 0'])
  await places.remove(fakes[1]!.thread)
  t.equal(places.threads.length, 1, 'the last one stays')
})
