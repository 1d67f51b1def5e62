import t, { type Test } from 'tap'
import { GroupCommit, type CommitTrouble } from '../../src/store/group-commit.js'
import { loadDriver } from '../../src/store/driver.js'
import type { Database } from '../../src/store/sqlite.js'
import { DRIVERS } from '../helpers/stores.js'

for (const name of DRIVERS) {
  t.test(`group commit (${name})`, async (t) => {
    const driver = await loadDriver(name)
    /** A database that counts its commits, and whose COMMIT can be made to fail. */
    const open = (t: Test) => {
      const real = driver.open(`${t.testdir()}/some.db`)
      real.exec('PRAGMA journal_mode=WAL')
      real.exec('CREATE TABLE some(x INTEGER PRIMARY KEY)')
      t.teardown(() => {
        real.close()
      })
      const state = { commits: 0, failure: undefined as number | undefined }
      const database: Database = {
        ...real,
        exec: (sql) => {
          if (sql === 'COMMIT' && state.failure !== undefined) {
            throw Object.assign(new Error('it fails'), { errcode: state.failure })
          }
          real.exec(sql)
          if (sql === 'COMMIT') state.commits++
        },
      }
      const insert = real.prepare('INSERT INTO some VALUES(?)')
      const all = () =>
        real
          .prepare('SELECT x FROM some ORDER BY x')
          .all()
          .map(({ x }) => x)
      return { database, state, insert, all }
    }
    /** Timers that are called by hand. */
    const timers = () => {
      const set: { readonly delay: number; readonly call: () => void }[] = []
      return { set, later: (delay: number, call: () => void) => (set.push({ delay, call }), () => undefined) }
    }

    t.test('writes of one turn share a commit, and each has its result', async (t) => {
      const { database, state, insert, all } = open(t)
      const commits = new GroupCommit(database)
      t.same(await Promise.all([1, 2, 3].map((x) => commits.write(() => (insert.run(x), x * 2)))), [2, 4, 6])
      t.equal(state.commits, 1)
      await commits.write(() => insert.run(4))
      t.equal(state.commits, 2)
      t.same(all(), [1, 2, 3, 4])
    })

    t.test('one that cannot be made fails alone', async (t) => {
      const { database, insert, all } = open(t)
      const commits = new GroupCommit(database)
      const settled = await Promise.allSettled([
        commits.write(() => insert.run(1)),
        commits.write(() => (insert.run(2), insert.run(1))),
        commits.write(() => {
          insert.run(3)
          throw new Error('too late')
        }),
        commits.write(() => insert.run(4)),
      ])
      t.same(
        settled.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
      )
      t.match(settled[2], { reason: { message: 'too late' } })
      t.same(all(), [1, 4], 'nothing of those that failed is there')
    })

    t.test('a commit that fails for a reason that passes is tried again until it succeeds, and all wait', async (t) => {
      const { database, state, insert, all } = open(t)
      const { set, later } = timers()
      const troubles: CommitTrouble[] = []
      let recovered = 0
      const commits = new GroupCommit(database, {
        later,
        onTrouble: (trouble) => troubles.push(trouble),
        onRecovered: () => recovered++,
      })
      state.failure = 13
      let done = false
      const first = commits.write(() => insert.run(1)).then(() => (done = true))
      while (set.length === 0) await new Promise((resolve) => setImmediate(resolve))
      t.ok(commits.isInTrouble)
      const second = commits.write(() => insert.run(2))
      for (let tries = 1; tries < 9; tries++) set.at(-1)?.call()
      t.same(
        set.map(({ delay }) => delay),
        [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
      )
      t.match(troubles[0], { tries: 1, delay: 100, error: { code: 'DATABAY_STORE', message: /some\.db: it fails$/ } })
      t.notOk(done)
      t.same(all(), [])
      state.failure = undefined
      set.at(-1)?.call()
      await Promise.all([first, second])
      t.same(all(), [1, 2])
      t.notOk(commits.isInTrouble)
      t.equal(recovered, 1)
      t.equal(state.commits, 1)
    })

    t.test('a full file is such a reason, and is not hidden by a rollback', async (t) => {
      const { database, insert, all } = open(t)
      database.exec('CREATE TABLE big(body BLOB)')
      const { set, later } = timers()
      const troubles: CommitTrouble[] = []
      const commits = new GroupCommit(database, { later, onTrouble: (trouble) => troubles.push(trouble) })
      database.exec('PRAGMA max_page_count=10')
      const big = database.prepare('INSERT INTO big VALUES(?)')
      const both = Promise.all([
        commits.write(() => insert.run(1)),
        commits.write(() => big.run(new Uint8Array(100_000))),
      ])
      while (set.length === 0) await new Promise((resolve) => setImmediate(resolve))
      t.match(troubles, [{ error: { message: /database or disk is full/ } }])
      t.same(all(), [])
      database.exec('PRAGMA max_page_count=1000')
      commits.retry()
      await both
      t.same(all(), [1])
    })

    t.test('a damaged file is none', async (t) => {
      const { database, state, insert } = open(t)
      const commits = new GroupCommit(database)
      state.failure = 11
      await t.rejects(
        commits.write(() => insert.run(1)),
        { code: 'DATABAY_STORE_CORRUPT' },
      )
    })

    t.test('what waits is written at the close, or fails', async (t) => {
      const { database, state, insert, all } = open(t)
      const commits = new GroupCommit(database)
      const written = commits.write(() => insert.run(1))
      commits.close()
      await written
      t.same(all(), [1])
      await t.rejects(
        commits.write(() => insert.run(2)),
        { code: 'DATABAY_STORE', message: /the store is closed$/ },
      )
      const full = new GroupCommit(database)
      state.failure = 13
      const lost = full.write(() => insert.run(3))
      full.close()
      await t.rejects(lost, { code: 'DATABAY_STORE', message: /it fails$/ })
    })
  })
}
