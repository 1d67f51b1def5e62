import { statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Link } from '../../src/core/link.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { Reclaimer } from '../../src/store/reclaimer.js'
import { ownStore, type Store } from '../../src/store/store.js'

/** Has a store grow by 12 MB, and deletes them. */
async function growAndDelete(store: Store) {
  const { database } = store
  const insert = database.prepare(`INSERT INTO state VALUES('a', ?, 'c', 1, 1, 1, ?)`)
  await store.write(() => {
    for (let part = 0; part < 3000; part++) insert.run(String(part), new Uint8Array(4000))
  })
  await store.write(() => {
    database.exec('DELETE FROM state')
  })
}

const sizeOf = (file: string) => statSync(file).size

async function shrinks(t: Test, file: string) {
  const before = sizeOf(file)
  for (let look = 0; look < 300 && sizeOf(file) > 2_000_000; look++) await wait(20)
  t.ok(sizeOf(file) < 2_000_000, `${before} bytes became ${sizeOf(file)}`)
}

t.test('a store that grew shrinks again, while it is used', async (t) => {
  const { store, release } = await ownStore(t.testdir())
  t.teardown(release)
  const reclaimer = new Reclaimer(store, 50)
  t.teardown(() => {
    reclaimer.stop()
  })
  for (let time = 0; time < 2; time++) {
    await growAndDelete(store)
    t.ok(sizeOf(store.files.store) > 10_000_000)
    const end = Date.now() + 300
    while (Date.now() < end) await store.write(() => undefined)
    await shrinks(t, store.files.store)
  }
})

t.test('a planner shrinks a store that has grown before', async (t) => {
  const folder = t.testdir()
  const { store, release } = await ownStore(folder)
  await growAndDelete(store)
  const { files } = store
  release()
  t.ok(sizeOf(files.store) > 10_000_000)
  const link = new Link({
    inlets: new NullInlet(),
    outlets: new NullOutlet(),
    interval: 3600,
    immediateTransfer: false,
  })
  const planner = new SchedulePlanner(link, { store: folder })
  await planner.start()
  await shrinks(t, files.store)
  await planner.shutdown()
})

t.test('it stops when it is told to, also in the midst of it', async (t) => {
  const { store, release } = await ownStore(t.testdir())
  await growAndDelete(store)
  const reclaimer = new Reclaimer(store, 1)
  await wait(30)
  reclaimer.stop()
  release()
  await wait(50)
  t.ok(sizeOf(store.files.store) > 5_000_000)
})
