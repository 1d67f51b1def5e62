import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import t from 'tap'
import { loadDriver } from '../../src/store/driver.js'
import { isOwned } from '../../src/store/owner.js'
import { migrate, SCHEMA_VERSION, writeMeta } from '../../src/store/schema.js'
import { storeFiles } from '../../src/store/store-files.js'
import { salvageStore } from '../../src/store/salvage.js'
import { openStore, ownStore } from '../../src/store/store.js'
import { builtStore, DRIVERS, isBuilt, StoreProgram } from '../helpers/stores.js'

if (!isBuilt) t.bailout('the store is not built: run `npm run build` first')

for (const driver of DRIVERS) {
  t.test(`a store (${driver})`, async (t) => {
    t.test('is made once, for the eyes of its user, and keeps its identity', async (t) => {
      const folder = `${t.testdir()}/deep/store`
      const files = storeFiles(folder)
      await t.rejects(openStore(folder, { driver }), { code: 'DATABAY_STORE', message: /there is no store$/ })
      const first = await ownStore(folder, { driver })
      const { id } = first.store
      t.match(id, /^[\w-]{12}$/)
      for (const file of [files.store, files.owner, `${files.store}-wal`, `${files.store}-shm`]) {
        t.equal((statSync(file).mode & 0o777).toString(8), '600', file)
      }
      const { database } = first.store
      const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
      t.same(['auto_vacuum', 'journal_mode', 'synchronous', 'busy_timeout'].map(pragma), [2, 'wal', 2, 5000])
      first.release()
      first.release()
      const again = await ownStore(folder, { driver, fsync: false })
      t.equal(again.store.id, id)
      t.equal(again.store.database.prepare('PRAGMA synchronous').get()?.['synchronous'], 1)
      again.release()
    })

    t.test('of a newer databay is refused, and so is another database', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      writeMeta(owned.store.database, 'schema', String(SCHEMA_VERSION + 1))
      owned.release()
      const newer = { code: 'DATABAY_STORE_VERSION', message: /of a newer databay; .*: update databay$/ }
      await t.rejects(ownStore(folder, { driver }), newer)
      await t.rejects(openStore(folder, { driver }), newer)
      const other = t.testdir()
      const foreign = (await loadDriver(driver)).open(storeFiles(other).store)
      foreign.exec('PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE other(x)')
      foreign.close()
      await t.rejects(ownStore(other, { driver }), {
        code: 'DATABAY_STORE_VERSION',
        message: /store\.db: the file is a database, but no store of databay$/,
      })
    })

    t.test('of an older databay is brought up to date in one transaction', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      const { database } = owned.store
      const steps = Array.from({ length: SCHEMA_VERSION }, () => '')
      t.throws(() => {
        migrate(database, [...steps, 'CREATE TABLE half(x)', 'CREATE TABLE half(x)'])
      }, /half already exists/)
      t.equal(database.prepare(`SELECT count(*) AS n FROM sqlite_master WHERE name = 'half'`).get()?.['n'], 0)
      migrate(database, [...steps, 'CREATE TABLE half(x)'])
      t.equal(
        database.prepare('SELECT value FROM meta WHERE key = ?').get('schema')?.['value'],
        String(SCHEMA_VERSION + 1),
      )
      owned.release()
    })

    t.test('that is damaged says so, and what to do', async (t) => {
      const corrupt = { code: 'DATABAY_STORE_CORRUPT', message: /store\.db: .*`databay store salvage` saves the rest$/ }
      const folder = t.testdir()
      const files = storeFiles(folder)
      writeFileSync(files.store, 'A'.repeat(8192))
      await t.rejects(ownStore(folder, { driver }), corrupt)
      t.notOk(isOwned(await loadDriver(driver), files), 'the lock is free again')
      const gone = t.testdir()
      // made by another process: here, libsql could close it after the truncation, and write into it what the log has
      const maker = new StoreProgram(t, gone, `const owned = await ownStore(folder); owned.release()`)
      t.equal((await maker.ended).code, 0, maker.stderr)
      truncateSync(storeFiles(gone).store, 0)
      await t.rejects(ownStore(gone, { driver }), corrupt, 'an empty file is not taken for a new one')
      rmSync(storeFiles(gone).store)
      await t.rejects(ownStore(gone, { driver }), corrupt, 'nor is a file that is missing')
      await t.rejects(openStore(gone, { driver }), corrupt, 'in a thread, too')
      t.match(await salvageStore(gone, driver), { cursors: [] }, 'a salvage makes an empty one')
      const salvaged = await ownStore(gone, { driver })
      salvaged.release()
    })

    t.test('has one owner, in a process and beside others', async (t) => {
      const folder = t.testdir()
      const files = storeFiles(folder)
      const loaded = await loadDriver(driver)
      t.notOk(isOwned(loaded, files))
      const owned = await ownStore(folder, { driver })
      t.ok(isOwned(loaded, files))
      await t.rejects(ownStore(folder, { driver }), {
        code: 'DATABAY_STORE_OWNED',
        message: /in use by another planner of this process/,
      })
      const other = new StoreProgram(
        t,
        folder,
        `await ownStore(folder).catch(({ code, message }) => say({ code, message }))`,
      )
      t.equal((await other.ended).code, 0, other.stderr)
      t.match(other.lines, [{ code: 'DATABAY_STORE_OWNED', message: `in use by process ${process.pid} on ` }])
      owned.release()
      t.notOk(isOwned(loaded, files))
      const next = await ownStore(folder, { driver })
      next.release()
    })

    t.test('is free as soon as its owner is killed', async (t) => {
      const folder = t.testdir()
      const program = `
        const { store } = await ownStore(folder)
        store.database.exec('BEGIN IMMEDIATE')
        store.database.exec("INSERT INTO state VALUES('a', 'b', 'c', 1, 1, 1, x'00')")
        say('owned')
        setInterval(() => {}, 1000)`
      const times: number[] = []
      for (let round = 0; round < 5; round++) {
        const owner = new StoreProgram(t, folder, program)
        await owner.until(1)
        await t.rejects(ownStore(folder, { driver }), {
          code: 'DATABAY_STORE_OWNED',
          message: `process ${owner.pid} on `,
        })
        await owner.kill()
        const start = performance.now()
        const owned = await ownStore(folder, { driver })
        times.push(performance.now() - start)
        t.equal(owned.store.database.prepare('SELECT count(*) AS n FROM state').get()?.['n'], 0)
        owned.release()
      }
      t.ok(Math.min(...times) < 100, `${times.map(Math.round).join(', ')} ms`)
    })

    t.test('is free of the locks of a thread that is ended in the middle of a transaction', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      const worker = new Worker(
        `import('${builtStore('store.js')}').then(async ({ openStore }) => {
          const { parentPort } = await import('node:worker_threads')
          const store = await openStore(${JSON.stringify(folder)}, { driver: '${driver}' })
          store.database.exec('BEGIN IMMEDIATE')
          parentPort.postMessage('began')
          for (;;);
        })`,
        { eval: true },
      )
      await once(worker, 'message')
      owned.store.database.exec('PRAGMA busy_timeout=0')
      t.throws(() => {
        owned.store.database.exec('BEGIN IMMEDIATE')
      }, /locked/)
      await worker.terminate()
      owned.store.database.exec('PRAGMA busy_timeout=5000')
      t.equal(await owned.store.write(() => 'written'), 'written')
      owned.release()
    })
  })
}

const PROCESS_ONE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const canUnshare = spawnSync('unshare', [...PROCESS_ONE.slice(1), 'true']).status === 0

t.test('process 1 of a container owns a store, and so does the next one', { skip: !canUnshare }, async (t) => {
  const folder = t.testdir()
  const owns = `await ownStore(folder).then(() => say(process.pid), ({ code, message }) => say({ code, message }))`
  const first = new StoreProgram(t, folder, `${owns}; setInterval(() => {}, 1000)`, { wrap: PROCESS_ONE })
  await first.until(1)
  t.same(first.lines, [1], first.stderr)
  const beside = new StoreProgram(t, folder, owns, { wrap: PROCESS_ONE })
  await beside.ended
  t.match(beside.lines, [{ code: 'DATABAY_STORE_OWNED' }], beside.stderr)
  await first.kill()
  const next = new StoreProgram(t, folder, `${owns}; process.exit()`, { wrap: PROCESS_ONE })
  await next.ended
  t.same(next.lines, [1], next.stderr)
})

t.test('a folder that cannot be made is named', async (t) => {
  const folder = t.testdir({ file: '' })
  await t.rejects(ownStore(`${folder}/file/store`), {
    code: 'DATABAY_STORE',
    message: /file\/store: the folder of the store/,
  })
  t.notOk(existsSync(`${folder}/file/store`))
})

t.test('free space is given back in slices', async (t) => {
  const owned = await ownStore(t.testdir())
  const { store } = owned
  const { database } = store
  const insert = database.prepare(`INSERT INTO state VALUES('a', ?, 'c', 1, 1, 1, ?)`)
  await store.write(() => {
    for (let part = 0; part < 3000; part++) insert.run(String(part), new Uint8Array(4000))
  })
  await store.write(() => {
    database.exec('DELETE FROM state')
  })
  const pages = () => Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  const before = pages()
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  const freed = await store.reclaim()
  clearInterval(counting)
  t.ok(freed > 2500, `${freed} of ${before} pages`)
  t.ok(pages() <= before - freed, 'the file is smaller')
  t.ok(turns > 2, 'the event loop turns meanwhile')
  t.equal(await store.reclaim(), 0)
  owned.release()
})
