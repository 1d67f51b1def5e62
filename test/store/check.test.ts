import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import t, { type Test } from 'tap'
import { Record } from '../../src/core/record.js'
import { checkStore } from '../../src/store/check.js'
import { decodeRecords, encodeRecords } from '../../src/store/codec.js'
import { LinkStore } from '../../src/store/link-store.js'
import { salvageStore } from '../../src/store/salvage.js'
import { storeFiles } from '../../src/store/store-files.js'
import { ownStore, type StoreOptions } from '../../src/store/store.js'
import { vacuumStore } from '../../src/store/vacuum.js'
import { DRIVERS } from '../helpers/stores.js'

const LETTERS = 240

/** Makes a store with something in every table that links write, in one file. */
async function fill(folder: string, options: StoreOptions = {}): Promise<void> {
  const owned = await ownStore(folder, options)
  for (let n = 0; n < 20; n++) {
    const link = await LinkStore.open(owned.store, `link ${n}`)
    const body = encodeRecords([new Record({ n, text: 'x'.repeat(300) })])
    await link.commit({
      cursors: [{ inlet: 'FileInlet', version: 1, value: { offset: n * 1000 } }],
      states: new Map([['Distinct', new Set([n, n + 1])]]),
      parcels: [{ kind: 'round', count: 1, at: n, progress: { 'FileOutlet:0': n }, attempts: 0, body }],
      counts: { pulled: n },
      dead: Array.from({ length: LETTERS / 20 }, () => {
        return {
          stage: 'push',
          node: 'FileOutlet',
          place: 'outlet:0',
          at: n,
          attempts: 3,
          error: { name: 'E', message: 'm' },
          body,
        }
      }),
    })
  }
  owned.store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  owned.release()
}

/** All that a store gives its links, as text; or the code of the error with which it refuses. */
async function read(folder: string): Promise<string> {
  const owned = await ownStore(folder)
  try {
    const all: unknown[] = []
    const links = await Promise.all(Array.from({ length: 20 }, (_, n) => LinkStore.open(owned.store, `link ${n}`)))
    for (const [n, link] of links.entries()) {
      const { number, counts } = link.opened
      const { parcel, damaged } = link.parcels.next(`link ${n}`) ?? { damaged: true }
      if (parcel === undefined || damaged) throw Object.assign(new Error('damaged'), { code: 'DATABAY_STORE_CORRUPT' })
      const { body, ...header } = parcel
      const letters = link.deadLetters.list({ link: `link ${n}` }).map(({ id }) => link.deadLetters.read(id))
      const cursors = [...link.cursors.values()].map(({ at: _at, ...rest }) => rest)
      const states = [...link.states].map(([part, set]) => [part, [...(set as Set<number>)]])
      const bodies = letters.map((letter) => letter?.body && decodeRecords(letter.body))
      all.push([number, counts, cursors, states, header, decodeRecords(body), letters.map((one) => one?.node), bodies])
    }
    return JSON.stringify(all)
  } finally {
    owned.release()
  }
}

/** Numbers that are the same at each run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

t.test('a store that is well is said to be, also while it is in use', async (t) => {
  // never two libraries in one process on one file: the locks of one would end when the other closes it
  for (const driver of DRIVERS) {
    const folder = t.testdir()
    await fill(folder, { driver })
    const check = await checkStore(folder, driver)
    t.match(check, { inUse: false, owner: { pid: process.pid }, problems: [] })
    t.match(
      check.tables.map(({ table, rows, damaged }) => [table, rows, damaged]),
      [
        ['meta', 3, 0],
        ['link', 20, 0],
        ['cursor', 20, 0],
        ['parcel', 20, 0],
        ['state', 20, 0],
        ['dead', LETTERS, 0],
        ['window', 0, 0],
      ],
    )
    const owned = await ownStore(folder, { driver })
    t.match(await checkStore(folder, driver), { inUse: true, id: owned.store.id, problems: [] })
    await t.rejects(salvageStore(folder, driver), { code: 'DATABAY_STORE_OWNED' })
    await t.rejects(vacuumStore(folder, driver), { code: 'DATABAY_STORE_OWNED' })
    owned.release()
  }
})

t.test('bytes that change and ends that are cut are found, or change nothing that is read', async (t) => {
  const folder = `${t.testdir()}/store`
  await fill(folder)
  const expected = await read(folder)
  await vacuumStore(folder)
  const bytes = readFileSync(storeFiles(folder).store)
  const original = await read(folder)
  t.equal(original, expected)
  const next = random(7)
  const counts = { found: 0, harmless: 0 }
  const tries = Number(process.env['STORE_FLIPS'] ?? 40)
  for (let round = 0; round < tries; round++) {
    const damaged = `${folder}-${round}`
    mkdirSync(damaged)
    const copy = Buffer.from(bytes)
    const isCut = round % 6 === 0
    let at = next(bytes.length)
    // most zeros are room that nothing lies in
    while (bytes[at] === 0) at = next(bytes.length)
    copy[at] = (copy[at] ?? 0) ^ (1 << next(8))
    writeFileSync(storeFiles(damaged).store, isCut ? bytes.subarray(0, Math.max(1, at)) : copy)
    const what = `${isCut ? 'cut' : 'flip'} at ${at}`
    const problems = await checkStore(damaged).then(
      (check) => check.problems,
      (error: unknown) => [String(error)],
    )
    const got = await read(damaged).catch((error: unknown) => {
      t.match(error, { code: /^DATABAY_(STORE_CORRUPT|STORE_VERSION|STORE)$/ }, what)
      return undefined
    })
    // what is read is what was written, or it is refused; and the check finds it beforehand
    if (got !== undefined && got !== expected) t.fail(`${what}: silently wrong`)
    if (got === undefined && problems.length === 0) t.fail(`${what}: refused, but the check found nothing`)
    if (isCut && problems.length === 0) t.fail(`${what}: not found`)
    counts[problems.length > 0 ? 'found' : 'harmless']++
  }
  t.comment(counts)
  t.ok(counts.found > tries / 4, JSON.stringify(counts))
})

/** Overwrites a page of a store. */
function ruin(file: string, page: number): void {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, page * 4096, (page + 1) * 4096)
  writeFileSync(file, bytes)
}

async function filled(t: Test): Promise<string> {
  const folder = t.testdir()
  await fill(folder)
  return folder
}

t.test('a salvage saves what is not damaged, says what it left behind, and keeps the old files', async (t) => {
  for (const driver of DRIVERS) {
    const folder = await filled(t)
    const files = storeFiles(folder)
    const owned = await ownStore(folder)
    const { id } = owned.store
    owned.store.database.exec(`UPDATE cursor SET value = '5' WHERE link = 'link 3'`)
    owned.store.database.exec(`UPDATE dead SET body = x'00' WHERE id = 7`)
    owned.release()
    const salvage = await salvageStore(folder, driver)
    t.equal(salvage.cursors.length, 19)
    t.notOk(salvage.cursors.includes('link 3 / FileInlet'))
    const of = (name: string) => salvage.tables.find(({ table }) => table === name)
    t.match(of('dead'), { rows: LETTERS, damaged: 1 })
    t.match(of('cursor'), { rows: 20, damaged: 1 })
    t.match(await checkStore(folder, driver), { id, problems: [] })
    const again = await ownStore(folder)
    const link = await LinkStore.open(again.store, 'link 4')
    t.same(link.cursors.get('FileInlet')?.value, { offset: 4000 })
    t.equal(link.deadLetters.count(), LETTERS - 1)
    t.equal(link.deadLetters.read(8)?.link, 'link 0', 'ids stay')
    t.equal((await LinkStore.open(again.store, 'link 3')).cursors.size, 0)
    again.release()
    t.match(salvage.kept.at(-1), /store\.db\.damaged-\d+$/)
    t.ok(salvage.kept.every((file) => existsSync(file)))
    t.equal((statSync(files.store).mode & 0o777).toString(8), '600')
  }
})

t.test('a salvage reads behind pages that are damaged', async (t) => {
  const folder = await filled(t)
  const { store } = storeFiles(folder)
  const owned = await ownStore(folder)
  // leaves of the table of dead letters, as SQLite names them
  const leaves = owned.store.database.prepare(
    `SELECT DISTINCT pageno FROM dbstat WHERE name = 'dead' AND pagetype = 'leaf' ORDER BY pageno`,
  )
  const pages = (() => {
    try {
      return leaves.all().map(({ pageno }) => Number(pageno))
    } finally {
      owned.release()
    }
  })()
  t.ok(pages.length > 5, `${pages.length} leaves`)
  for (const at of [2, pages.length - 3]) ruin(store, (pages[at] ?? 1) - 1)
  const { problems } = await checkStore(folder)
  t.match(problems.join('\n'), /dead: a part cannot be read/)
  const salvage = await salvageStore(folder)
  const dead = salvage.tables.find(({ table }) => table === 'dead')
  const perLeaf = LETTERS / pages.length
  t.ok((dead?.rows ?? 0) >= LETTERS - 3 * perLeaf, `${dead?.rows} of ${LETTERS} in ${pages.length} pages`)
  t.ok((dead?.rows ?? 0) < LETTERS)
  t.same((await checkStore(folder)).problems, [])
})

t.test('a salvage of nothing but rubbish makes an empty store, and says so; one that was ended goes on', async (t) => {
  const folder = t.testdir()
  const { store } = storeFiles(folder)
  writeFileSync(store, 'A'.repeat(9000))
  t.match(await salvageStore(folder), { error: /not a database/, cursors: [] })
  t.same((await checkStore(folder)).problems, [])
  const ended = await filled(t)
  const files = storeFiles(ended)
  copyFileSync(files.store, `${files.store}.damaged-5`)
  truncateSync(files.store, 0)
  for (const name of readdirSync(ended)) if (/^store\.db(-\w+)?$/.test(name)) rmSync(`${ended}/${name}`)
  t.equal((await salvageStore(ended)).cursors.length, 20)
  await t.rejects(salvageStore(t.testdir()), { code: 'DATABAY_STORE', message: /there is no store$/ })
})

t.test('a vacuum makes the file shorter, and changes nothing else', async (t) => {
  const folder = await filled(t)
  const owned = await ownStore(folder)
  const link = await LinkStore.open(owned.store, 'link 0')
  await owned.store.write(() => link.deadLetters.deleteBefore('link 0', 1000))
  const insert = owned.store.database.prepare(`INSERT INTO state VALUES('big', ?, 'state', 1, 1, 1, ?)`)
  await owned.store.write(() => {
    for (let n = 0; n < 100; n++) insert.run(String(n), new Uint8Array(10_000))
  })
  owned.store.database.exec(`DELETE FROM state WHERE link = 'big'`)
  owned.release()
  const { bytesBefore, bytesAfter } = await vacuumStore(folder)
  t.ok(bytesAfter < bytesBefore - 900_000, `${bytesBefore} ${bytesAfter}`)
  const { tables, problems } = await checkStore(folder)
  t.same(problems, [])
  t.equal(tables.find(({ table }) => table === 'dead')?.rows, LETTERS - LETTERS / 20)
})
