import { isBuiltin } from 'node:module'
import t from 'tap'
import { Record } from '../../src/core/record.js'
import { decodeRecords, encodeRecords } from '../../src/store/codec.js'
import { LinkStore } from '../../src/store/link-store.js'
import { ownStore } from '../../src/store/store.js'
import type { DriverName } from '../../src/store/driver.js'
import { builtStore, isBuilt, OTHER_NODES, StoreProgram } from '../helpers/stores.js'

if (!isBuilt) t.bailout('the store is not built: run `npm run build` first')

const payload = {
  n: 12n,
  at: new Date(5),
  map: new Map([['a', new Set([1])]]),
  bytes: new Uint8Array([1, 2]),
  text: 'caf\u00e9 \ud83d\ude00',
}

/** Reads what was written before, and writes the next: a program that any Node can run. */
const WRITES = `
  const { LinkStore } = await import('${builtStore('link-store.js')}')
  const { encodeRecords, decodeRecords } = await import('${builtStore('codec.js')}')
  const { Record } = await import('${builtStore('../core/record.js')}')
  const owned = await ownStore(folder, driver === '' ? {} : { driver })
  const link = await LinkStore.open(owned.store, 'orders')
  const { parcel, damaged } = link.parcels.next('orders') ?? {}
  const [record] = parcel === undefined ? [] : decodeRecords(parcel.body)
  say({
    driver: process.version, damaged, epoch: link.opened.epoch, cursor: link.cursors.get('inlet')?.value, state: [...link.states.get('part') ?? []],
    record: record && { ...record.payload, n: String(record.payload.n), at: record.payload.at.getTime(), map: [...record.payload.map.get('a')], bytes: [...record.payload.bytes] },
  })
  const body = parcel?.body ?? encodeRecords([])
  const again = encodeRecords(parcel === undefined ? [] : decodeRecords(body))
  await link.commit({
    cursors: [{ inlet: 'inlet', version: 1, value: (link.cursors.get('inlet')?.value ?? 0) + 1 }],
    states: new Map([['part', new Map([['a', link.opened.epoch]])]]),
    parcelsDone: parcel === undefined ? [] : [parcel.seq],
    parcels: parcel === undefined ? [] : [{ kind: 'round', count: 1, at: 1, progress: {}, attempts: 0, body: again }],
  })
  owned.release()`

const hasSqlite = isBuiltin('node:sqlite')
/** Each as the Node that runs it, and its library of SQLite. */
const turns: readonly (readonly [node: string, driver: DriverName | ''])[] = [
  [process.execPath, ''],
  ...OTHER_NODES.map((node) => [node, ''] as const),
  ...(hasSqlite ? ([[process.execPath, 'libsql']] as const) : []),
  [process.execPath, ''],
  ...OTHER_NODES.map((node) => [node, ''] as const).reverse(),
  [process.execPath, ''],
]
const skip =
  OTHER_NODES.length > 0 || hasSqlite ? false : 'there is one Node with one library only: TEST_NODES names others'

t.test('a store goes from one Node and library to another, and back', { skip }, async (t) => {
  const folder = t.testdir()
  const owned = await ownStore(folder)
  const link = await LinkStore.open(owned.store, 'orders')
  const body = encodeRecords([new Record(payload)])
  t.same(decodeRecords(body)[0]?.payload, payload)
  await link.commit({
    parcels: [{ kind: 'round', count: 1, at: 1, progress: {}, attempts: 0, body }],
    cursors: [{ inlet: 'inlet', version: 1, value: 1 }],
  })
  owned.release()
  const versions: unknown[] = []
  for (const [at, [node, driver]] of turns.entries()) {
    const running = new StoreProgram(t, folder, `const driver = '${driver}'\n${WRITES}`, { node })
    t.equal((await running.ended).code, 0, running.stderr)
    const [said] = running.lines as { driver: string }[]
    t.match(said, {
      damaged: false,
      epoch: at + 2,
      cursor: at + 1,
      state: at === 0 ? [] : [['a', at + 1]],
      record: { n: '12', at: 5, map: [1], bytes: [1, 2], text: payload.text },
    })
    versions.push(said?.driver)
  }
  t.comment(versions.join(', '))
})
