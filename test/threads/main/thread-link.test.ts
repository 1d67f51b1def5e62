import t, { type Test } from 'tap'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { migrate } from '../../../src/threads/main/migration.js'
import { ThreadLink } from '../../../src/threads/main/thread-link.js'
import type { LinkSpec } from '../../fixtures/links.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { kindOf, loopbackThread, type Loopback } from '../../helpers/loopback.js'
import { linkModule, openGate, pushedTo, tracesOf, until } from '../../helpers/threads.js'

interface Place {
  readonly thread: ReturnType<typeof loopbackThread>['thread']
  readonly adopt: () => Promise<Loopback>
  loopback: Loopback
}

/** A link in threads without workers. All of them share this thread's modules, so their instances are the same. */
async function hosted(t: Test, spec: LinkSpec, threads = 1) {
  const logs = captureLogs(t)
  const places = await Promise.all(
    Array.from({ length: threads }, async (_, at): Promise<Place> => {
      const { thread, adopt } = loopbackThread(at + 1)
      t.teardown(() => thread.end())
      return { thread, adopt, loopback: await adopt() }
    }),
  )
  const [description] = await places[0]!.thread.describe(linkModule(spec).href)
  let lanes = 0
  const hosts = (spec.stateless === true ? places : places.slice(0, 1)).map(({ thread }, id) => ({
    thread,
    id: id + 5,
  }))
  const told: string[] = []
  const link = new ThreadLink(description!, hosts, {
    laneKnown: () => lanes++,
    openFailed: ({ name }, { message }) => told.push(`${name}: ${message}`),
  })
  return { link, logs, places, told, lanes: () => lanes }
}

/** Moves a link from the first place to the second. */
function move(link: ThreadLink, [from, to]: readonly Place[]): Promise<Error | undefined> {
  return migrate([link], from!.thread, to!.thread, true)
}

/** Loses the worker of a thread, and tells the link. */
function lose({ thread }: Place, link: ThreadLink): void {
  thread.lose(new Error('gone'))
  link.lost(thread)()
}

/** Has a thread open no links until the returned function is called. */
function refuse({ thread }: Place): () => void {
  Object.assign(thread, { open: () => Promise.reject(new Error('no room')) })
  return () => {
    Reflect.deleteProperty(thread, 'open')
  }
}

t.test('it is to a planner what the link in the thread is', async (t) => {
  const { link } = await hosted(t, {
    tags: 'told',
    cron: '0 5 * * *',
    maxInstances: 4,
    ignoreExceptions: true,
    immediateTransfer: false,
  })
  t.match(link, {
    id: 'told',
    name: 'told',
    tags: ['told'],
    schedule: { cron: '0 5 * * *' },
    settings: { maxInstances: 4, ignoreExceptions: true, immediateTransfer: false, copyRecords: true },
    lane: undefined,
    buffered: 0,
    running: 0,
  })
  t.match(String(link), /^Link\(tags:\['told'\], inlets:\[ActInlet\]/)
})

t.test('a transfer is made in its thread, and reported with what the main thread knows', async (t) => {
  const { link } = await hosted(t, { tags: 'made' })
  await link.onStart()
  t.match(await link.transfer({ scheduledAt: 1234 }), {
    link: 'made',
    update: 'made.0',
    transferNumber: 0,
    thread: 1,
    scheduledAt: 1234,
    pulled: 1,
    outlets: [{ outlet: 'TraceOutlet', pushed: 1 }],
    errors: [],
    failed: false,
  })
  const before = Date.now()
  const report = await link.transfer()
  t.equal(report.update, 'made.1')
  t.ok(report.scheduledAt >= before, 'due now unless told otherwise')
  await link.onShutdown()
})

t.test('it is opened once, however many transfers wait for that', async (t) => {
  const { link, logs, places } = await hosted(t, { tags: 'once', maxInstances: 3 })
  await Promise.all([link.onStart(), link.transfer(), link.transfer()])
  t.equal(places[0]?.loopback.count('open'), 1)
  t.equal(tracesOf(logs).filter((text) => text === 'once starts').length, 1)
})

t.test('a start that fails rejects, and what was opened in other threads is closed', async (t) => {
  const { link, logs, places } = await hosted(t, { tags: 'starts', stateless: true }, 2)
  const [first, second] = places
  second!.loopback.failure = new Error('cannot be reached')
  await t.rejects(link.onStart(), { message: 'cannot be reached' })
  t.equal(first?.loopback.count('close'), 1)
  t.same(tracesOf(logs).at(-1), 'starts shuts down')
})

t.test('a start that fails rejects with why, also when what was opened cannot be closed', async (t) => {
  const { link, logs, places } = await hosted(t, { tags: 'clings', stateless: true, failing: ['shutdown'] }, 2)
  places[1]!.loopback.failure = new Error('cannot be reached')
  await t.rejects(link.onStart(), { message: 'cannot be reached' })
  t.match(logs.entries().at(-1), { msg: 'clings failed to shut down', err: { message: 'clings cannot shut down' } })
})

t.test('a shutdown that fails rejects, and closes what is not open no more', async (t) => {
  const { link, places } = await hosted(t, { tags: 'ends', failing: ['shutdown'] })
  await link.onStart()
  await t.rejects(link.onShutdown(), { message: 'ends cannot shut down' })
  await link.onShutdown()
  t.equal(places[0]?.loopback.count('close'), 1)
})

t.test('a shutdown while it is opened waits for that', async (t) => {
  const { link, logs } = await hosted(t, { tags: 'hasty' })
  void link.onStart()
  await link.onShutdown()
  t.same(
    tracesOf(logs).filter((text) => !text.includes('outlet')),
    ['hasty starts', 'hasty shuts down'],
  )
})

t.test('a transfer that cannot be made is a failed report, and logged', async (t) => {
  const { link, logs, places } = await hosted(t, { tags: 'lost' })
  await link.onStart()
  places[0]!.loopback.failure = new Error('cannot be reached')
  t.match(await link.transfer({ scheduledAt: 5 }), {
    link: 'lost',
    update: 'lost.0',
    thread: 1,
    scheduledAt: 5,
    failed: true,
    errors: [{ node: 'thread 1', stage: 'transfer', message: 'cannot be reached' }],
  })
  t.equal(logs.messages().at(-1), 'lost.0 failed: cannot be reached')
})

t.test('with ignoreExceptions it has errors, but has not failed', async (t) => {
  const { link, places } = await hosted(t, { tags: 'ignored', ignoreExceptions: true })
  await link.onStart()
  places[0]!.loopback.failure = new Error('cannot be reached')
  t.match(await link.transfer(), { failed: false, errors: [{ message: 'cannot be reached' }] })
})

t.test('a stateless link runs in the thread with the fewest transfers', async (t) => {
  const { link, places } = await hosted(t, { tags: 'anywhere', stateless: true, acts: ['gate'], maxInstances: 4 }, 2)
  await link.onStart()
  const all = Promise.all([link.transfer(), link.transfer(), link.transfer(), link.transfer()])
  await turnOfTheLoop()
  t.same(
    places.map(({ thread }) => thread.load),
    [2, 2],
  )
  t.equal(link.running, 4)
  await until(() => places.every(({ loopback }) => loopback.count('transfer') === 1))
  await turnOfTheLoop()
  openGate('anywhere')
  t.same(
    (await all).map(({ thread }) => thread),
    [1, 2, 1, 2],
  )
})

t.test('a stateless link that cannot be opened in a further thread goes on in the others', async (t) => {
  const { link, places } = await hosted(t, { tags: 'spread', stateless: true }, 2)
  const [, further] = places
  await link.onStart()
  await link.removeReplicaFrom(further!.thread)
  const first = link.transfer()
  further!.loopback.failure = new Error('cannot be reached')
  const spread = link.replicateTo(further!.thread, 99, false)
  const meanwhile = link.transfer()
  await t.rejects(spread, { message: /cannot be reached/ })
  const after = link.transfer()
  t.match(await Promise.all([first, meanwhile, after]), Array(3).fill({ thread: 1, failed: false }))
})

t.test('a stateless link that is shut down while it is opened in a further thread is closed there too', async (t) => {
  const { link, places } = await hosted(t, { tags: 'spread', stateless: true }, 2)
  const [, further] = places
  await link.onStart()
  await link.removeReplicaFrom(further!.thread)
  const spread = link.replicateTo(further!.thread, 99, false)
  await link.onShutdown()
  await spread
  t.match([further!.loopback.count('open'), further!.loopback.count('close')], [2, 2])
})

t.test('transfers in a thread that a stateless link leaves are told to stop too', async (t) => {
  const { link, logs, places } = await hosted(t, { tags: 'leaves', stateless: true, acts: ['untilAborted'] }, 2)
  await link.onStart()
  const transfer = link.transfer()
  await until(() => tracesOf(logs).includes('leaves waits'))
  const withdrawn = link.removeReplicaFrom(places[0]!.thread)
  link.cancel(new TransferCancelledError('enough'))
  t.match(await transfer, { thread: 1, failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  await withdrawn
  t.equal(places[0]!.loopback.count('close'), 1)
})

t.test('a drain is made when its buffers hold records, as of the last report', async (t) => {
  const { link, logs } = await hosted(t, { tags: 'drained', buffer: 10 })
  await link.onStart()
  t.equal(await link.drain(), undefined)
  await link.transfer()
  t.equal(link.buffered, 1)
  t.match(await link.drain(), { pulled: 0, buffered: 0, outlets: [{ pushed: 1 }] })
  t.equal(link.buffered, 0)
  t.equal(await link.drain(), undefined)
  t.same(pushedTo('drained', tracesOf(logs)), [1])
})

t.test('transfers that run are told to stop', async (t) => {
  const { link, logs } = await hosted(t, { tags: 'running', acts: ['untilAborted'] })
  await link.onStart()
  const transfer = link.transfer()
  await until(() => tracesOf(logs).includes('running waits'))
  link.cancel(new TransferCancelledError('enough'))
  t.match(await transfer, { failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
})

t.test('transfers on their way are told to stop too, and those that come later are not', async (t) => {
  const { link, logs } = await hosted(t, { tags: 'on its way', acts: ['untilAborted', 'untilAborted', 'count'] })
  await link.onStart()
  const transfers = [link.transfer(), link.transfer()]
  link.cancel(new TransferCancelledError('enough'))
  for (const report of await Promise.all(transfers)) {
    t.match(report, { pulled: 0, failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  }
  t.match(await link.transfer(), { pulled: 1, failed: false })
  t.same(pushedTo('on its way', tracesOf(logs)), [3])
})

t.test('transfers that wait for their thread are told to stop too', async (t) => {
  const { link, places } = await hosted(t, { tags: 'waits', buffer: 9 })
  await link.onStart()
  await link.transfer()
  lose(places[0]!, link)
  const transfer = link.transfer()
  link.cancel(new TransferCancelledError('enough'))
  const loopback = await places[0]!.adopt()
  t.match(await transfer, { failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  t.equal(loopback.count('transfer'), 0)
})

t.test('when its thread is lost', async (t) => {
  t.test('transfers in it fail, and it is opened in the thread that takes the place', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'again', acts: ['gate', 'count'], buffer: 9 })
    await link.onStart()
    const transfer = link.transfer()
    await until(() => tracesOf(logs).includes('again waits'))
    lose(places[0]!, link)
    t.match(await transfer, {
      update: 'again.0',
      failed: true,
      errors: [
        { code: 'DATABAY_THREAD_LOST', message: 'thread 1 was lost: gone', node: 'thread 1', stage: 'transfer' },
      ],
    })
    const waiting = link.transfer()
    const loopback = await places[0]!.adopt()
    t.match(await waiting, { update: 'again.1', failed: false })
    t.same(loopback.tasks.map(kindOf), ['hello', 'open', 'transfer'])
    openGate('again')
  })

  t.test('by itself again and again, transfers that had not begun do not end the next thread', async (t) => {
    const { link, places } = await hosted(t, { tags: 'quarantined', maxInstances: 3 })
    await link.onStart()
    for (let crashes = 0; crashes < 3; crashes++) link.crashed()
    const transfers = [link.transfer(), link.transfer()]
    lose(places[0]!, link)
    const loopback = await places[0]!.adopt()
    for (const report of await Promise.all(transfers)) {
      t.match(report, { failed: true, errors: [{ code: 'DATABAY_THREAD_LOST' }], quarantinedUntil: Number })
    }
    t.equal(loopback.count('transfer'), 0)
  })

  t.test('what its buffers held is gone, and so is not drained', async (t) => {
    const { link, places } = await hosted(t, { tags: 'held', buffer: 9 })
    await link.onStart()
    await link.transfer()
    t.equal(link.buffered, 1)
    lose(places[0]!, link)
    t.equal(link.buffered, 0)
    t.equal(await link.drain(), undefined)
  })

  t.test('another thread does not matter', async (t) => {
    const { link, places } = await hosted(t, { tags: 'untouched', buffer: 9 }, 2)
    await link.onStart()
    await link.transfer()
    lose(places[1]!, link)
    t.equal(link.buffered, 1)
    t.match(await link.transfer(), { failed: false })
    t.equal(places[0]?.loopback.count('open'), 1)
  })

  t.test('before it was started or after it was shut down, it is not opened', async (t) => {
    const { link, places } = await hosted(t, { tags: 'idle' })
    lose(places[0]!, link)
    t.equal((await places[0]!.adopt()).count('open'), 0)
    await link.onStart()
    await link.onShutdown()
    lose(places[0]!, link)
    t.equal((await places[0]!.adopt()).count('open'), 0)
  })

  t.test('and it cannot be opened again, that is told; it is opened when it is started once more', async (t) => {
    const { link, places, told } = await hosted(t, { tags: 'stubborn' })
    await link.onStart()
    const accept = refuse(places[0]!)
    lose(places[0]!, link)
    await places[0]!.adopt()
    await turnOfTheLoop()
    t.same([link.isOpen, told], [false, ['stubborn: no room']])
    accept()
    await link.onStart()
    t.ok(link.isOpen)
    t.match(await link.transfer(), { failed: false })
  })

  t.test('and again and again while it is opened, that counts as a failure', async (t) => {
    const { link, places, told } = await hosted(t, { tags: 'unlucky' })
    await link.onStart()
    for (let times = 0; times < 3; times++) {
      lose(places[0]!, link)
      await turnOfTheLoop()
    }
    t.same(told, ['unlucky: thread 1 was lost again while unlucky was opened'])
    const fresh = await places[0]!.adopt()
    t.equal(fresh.count('open'), 0, 'it is opened later')
  })

  t.test('transfers that wait for it to be opened can be given up', async (t) => {
    const { link, places } = await hosted(t, { tags: 'patient', ignoreExceptions: true })
    await link.onStart()
    lose(places[0]!, link)
    const waiting = link.transfer()
    await turnOfTheLoop()
    link.endWaiting(new TransferCancelledError('no more'))
    t.match(await waiting, { failed: false, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
    const fresh = await places[0]!.adopt()
    await until(() => link.isOpen)
    t.equal(fresh.count('transfer'), 0)
  })

  t.test('a stateless link transfers where it is open meanwhile', async (t) => {
    const { link, places, told } = await hosted(t, { tags: 'spread', stateless: true }, 2)
    await link.onStart()
    const accept = refuse(places[0]!)
    lose(places[0]!, link)
    const fresh = await places[0]!.adopt()
    await turnOfTheLoop()
    t.same(told, ['spread: no room'])
    t.match([await link.transfer(), await link.transfer()], [{ thread: 2 }, { thread: 2 }])
    await t.rejects(link.onStart(), { message: 'no room' })
    t.match(await link.transfer(), { thread: 2, failed: false }, 'it stays open there')
    accept()
    await link.onStart()
    t.equal(fresh.count('open'), 1)
  })
})

t.test('it tells when it has learned what it mostly does', async (t) => {
  const { link, lanes } = await hosted(t, { tags: 'computes', acts: [{ spin: 10 }] })
  await link.onStart()
  await link.transfer()
  await link.transfer()
  t.same([link.lane, lanes()], [undefined, 0])
  await link.transfer()
  t.same([link.lane, lanes()], ['cpu', 1])
  await link.transfer()
  t.equal(lanes(), 1)
})

t.test('a lane that is set is not learned', async (t) => {
  const { link, lanes } = await hosted(t, { tags: 'set', lane: 'io', acts: [{ spin: 10 }] })
  await link.onStart()
  for (let times = 0; times < 4; times++) await link.transfer()
  t.same([link.lane, lanes()], ['io', 0])
})

t.test('it moves to another thread', async (t) => {
  t.test('with its state, and transfers that come due meanwhile are made there', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'moves', movable: true, buffer: 3 }, 2)
    await link.onStart()
    await link.transfer()
    const moving = move(link, places)
    const transfer = link.transfer()
    t.equal(await moving, undefined)
    t.match(await transfer, { thread: 2, buffered: 2 })
    t.match(await link.transfer(), { thread: 2, buffered: 0, outlets: [{ pushed: 3 }] })
    t.same(pushedTo('moves', tracesOf(logs)), [1, 2, 3])
    t.same(link.threads, [places[1]?.thread])
    await link.onShutdown()
    t.equal(places[1]?.loopback.count('close'), 1)
  })

  t.test('once the transfer that is under way has ended; those that come due meanwhile are made there', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'busy', movable: true, acts: ['gate', 'count'] }, 2)
    await link.onStart()
    const transfer = link.transfer()
    await until(() => tracesOf(logs).includes('busy waits'))
    const moving = move(link, places)
    const next = link.transfer()
    await turnOfTheLoop()
    t.equal(places[0]?.loopback.count('handOff'), 0)
    openGate('busy')
    t.match(await transfer, { thread: 1, failed: false })
    t.equal(await moving, undefined)
    t.match(await next, { thread: 2, failed: false })
  })

  t.test('before it is open, and is opened there', async (t) => {
    const { link, places } = await hosted(t, { tags: 'early', movable: true }, 2)
    t.equal(await move(link, places), undefined)
    t.same(link.threads, [places[1]?.thread])
    await link.onStart()
    t.match(await link.transfer(), { thread: 2, failed: false })
    t.match([places[0]?.loopback.count('open'), places[1]?.loopback.count('open')], [0, 1])
  })

  t.test('together with those that share an instance with it', async (t) => {
    const first = await hosted(t, { tags: 'one', movable: true }, 2)
    await first.link.onStart()
    t.equal(first.link.startMigration(first.places[1]!.thread), undefined, 'it is not there')
    const migration = first.link.startMigration(first.places[0]!.thread)
    t.equal(first.link.startMigration(first.places[0]!.thread), undefined, 'it is on its way')
    migration?.stay()
    migration?.end()
    t.match(await first.link.transfer(), { thread: 1, failed: false })
  })

  t.test('not when its nodes cannot hand over their state: it stays as it is', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'unsavable', movable: true }, 2)
    await link.onStart()
    await link.transfer()
    t.match(await move(link, places), { message: 'cannot save' })
    t.match(await link.transfer(), { thread: 1, failed: false })
    t.same(pushedTo('unsavable', tracesOf(logs)), [1, 2])
    t.equal(places[0]?.loopback.count('open'), 1)
  })

  t.test('when it cannot start there it goes back, with its state', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'returns', movable: true, buffer: 2 }, 2)
    await link.onStart()
    await link.transfer()
    places[1]!.loopback.failure = new Error('cannot be reached')
    t.match(await move(link, places), { message: /cannot be reached/ })
    t.match(await link.transfer(), { thread: 1, outlets: [{ pushed: 2 }] })
    t.same(pushedTo('returns', tracesOf(logs)), [1, 2])
  })

  t.test('when it can start in neither, its state waits until it can', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'stuck', movable: true, buffer: 3 }, 2)
    await link.onStart()
    await link.transfer()
    const [first, second] = places.map(({ loopback }) => loopback)
    second!.failure = new Error('cannot be reached')
    const moving = move(link, places)
    await until(() => second!.count('open') === 1)
    first!.failure = new Error('cannot be reached either')
    await moving
    t.match(await link.transfer(), { failed: true })
    t.equal(link.buffered, 1)
    first!.failure = undefined
    t.match(await link.drain(), { buffered: 0, outlets: [{ pushed: 1 }] })
    t.same(pushedTo('stuck', tracesOf(logs)), [1])
  })

  t.test('when the thread that it leaves is lost, it is opened anew in that', async (t) => {
    const { link, places } = await hosted(t, { tags: 'left', movable: true, buffer: 5 }, 2)
    await link.onStart()
    await link.transfer()
    places[0]!.loopback.hangs = true
    const moving = move(link, places)
    await until(() => places[0]!.loopback.count('handOff') === 1)
    lose(places[0]!, link)
    t.match(await moving, { code: 'DATABAY_THREAD_LOST' })
    t.equal(link.buffered, 0)
    const loopback = await places[0]!.adopt()
    t.match(await link.transfer(), { thread: 1, failed: false })
    t.equal(loopback.count('open'), 1)
    t.equal(places[1]?.loopback.count('open'), 0)
  })

  t.test('when the thread that it leaves is lost before it was asked to hand over, it is opened anew', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'gone', movable: true, acts: ['gate', 'count'] }, 2)
    await link.onStart()
    const transfer = link.transfer()
    await until(() => tracesOf(logs).includes('gone waits'))
    const moving = move(link, places)
    lose(places[0]!, link)
    const loopback = await places[0]!.adopt()
    t.match(await transfer, { failed: true })
    t.equal(await moving, undefined)
    openGate('gone')
    t.match(await link.transfer(), { thread: 2, failed: false })
    t.equal(loopback.count('handOff'), 0, 'it is not there')
  })

  t.test('while it is being opened: it hands over what it has by then', async (t) => {
    const { link, places } = await hosted(t, { tags: 'opening', movable: true, buffer: 3 }, 2)
    const starting = link.onStart()
    const transfer = link.transfer()
    const moving = move(link, places)
    await starting
    t.equal(await moving, undefined)
    await transfer
    t.match([places[0]?.loopback.count('handOff'), places[1]?.loopback.count('open')], [1, 1])
    t.match(await link.transfer(), { thread: 2, failed: false })
  })

  t.test('when the thread that it goes to is lost, it goes back, with its state', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'back', movable: true, buffer: 2 }, 2)
    await link.onStart()
    await link.transfer()
    places[1]!.loopback.hangs = true
    const moving = move(link, places)
    await until(() => places[1]!.loopback.count('open') === 1)
    lose(places[1]!, link)
    t.match(await moving, { code: 'DATABAY_THREAD_LOST' })
    t.match(await link.transfer(), { thread: 1, outlets: [{ pushed: 2 }] })
    t.same(pushedTo('back', tracesOf(logs)), [1, 2])
    t.equal((await places[1]!.adopt()).count('open'), 0)
  })

  t.test('when it is shut down meanwhile, it is not opened again', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'closing', movable: true }, 2)
    await link.onStart()
    const moving = move(link, places)
    await link.onShutdown()
    await moving
    t.equal(tracesOf(logs).filter((text) => text === 'closing shuts down').length, 1)
    t.equal(places[1]?.loopback.count('open'), 0)
  })

  t.test('in quarantine, what it handed off is not drained: that may end the thread of others', async (t) => {
    const { link, places } = await hosted(t, { tags: 'dangerous', movable: true, buffer: 9 }, 2)
    await link.onStart()
    await link.transfer()
    const moving = move(link, places)
    for (let crashes = 0; crashes < 3; crashes++) link.crashed()
    t.equal(await moving, undefined)
    t.equal(await link.drain(), undefined)
    t.equal(places[1]?.loopback.count('open'), 0)
    t.equal(link.accounts?.lose(), 1)
  })

  t.test('what its buffers hold is drained where it gets to', async (t) => {
    const { link, logs, places } = await hosted(t, { tags: 'drained', movable: true, buffer: 9 }, 2)
    await link.onStart()
    await link.transfer()
    const moving = move(link, places)
    t.match(await link.drain(), { thread: 2, buffered: 0, outlets: [{ pushed: 1 }] })
    await moving
    t.same(pushedTo('drained', tracesOf(logs)), [1])
  })
})
