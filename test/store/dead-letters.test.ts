import t, { type Test } from 'tap'
import { encodeRecords } from '../../src/store/codec.js'
import { Record } from '../../src/core/record.js'
import { LinkStore } from '../../src/store/link-store.js'
import { stagesOf, type LinkStage } from '../../src/store/link-stages.js'
import { checkStore } from '../../src/store/check.js'
import { salvageStore } from '../../src/store/salvage.js'
import { ownStore } from '../../src/store/store.js'
import { DeadLetters, type DeadLetter } from '../../src/store/dead-letters.js'
import { DRIVERS } from '../helpers/stores.js'

const letter = (more: Partial<DeadLetter> = {}): DeadLetter => ({
  stage: 'push',
  node: 'FileOutlet',
  place: 'outlet:0',
  outlet: 'FileOutlet',
  at: 1000,
  attempts: 3,
  error: { name: 'FileError', message: 'no' },
  body: encodeRecords([new Record({ n: 1 })]),
  ...more,
})

const STAGES: LinkStage[] = [
  { place: 'processor:0', stage: 'process', node: 'clean' },
  { place: 'outlet:0', stage: 'push', node: 'FileOutlet', outlet: 'FileOutlet' },
]

for (const driver of DRIVERS) {
  t.test(`dead letters in the store (${driver})`, async (t) => {
    const opened = async (t: Test) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      t.teardown(() => {
        owned.release()
      })
      return { folder, owned, link: await LinkStore.open(owned.store, 'orders') }
    }

    t.test('that were refused again lose their mark, and have the last error', async (t) => {
      const { folder, link } = await opened(t)
      const { dead } = await link.commit({ dead: [letter({ code: 'OLD' }), letter(), letter()] })
      const [first = 0, second = 0, third = 0] = dead
      link.deadLetters.setReplay(dead, true)
      await link.commit({ deadDone: [third] })
      const error = { name: 'Error', message: 'again\0' }
      await link.commit({
        deadTried: [
          { id: first, attempts: 4, error, at: 2000 },
          { id: third, attempts: 4, error, at: 2000 },
        ],
      })
      t.match(link.deadLetters.read(first), { attempts: 4, error: { message: 'again\0' }, at: 2000, replay: false })
      t.equal(link.deadLetters.read(first)?.code, undefined, 'the last error has no code')
      t.equal(link.deadLetters.read(third), undefined, 'one that was dropped meanwhile stays away')
      t.same(link.deadLetters.marked('orders'), [second])
      t.same((await checkStore(folder, driver)).problems, [])
    })

    t.test('that are marked are found page by page, of their link alone', async (t) => {
      const { owned, link } = await opened(t)
      const other = await LinkStore.open(owned.store, 'other')
      const { dead } = await link.commit({ dead: Array.from({ length: 5 }, () => letter()) })
      await other.commit({ dead: [letter()] })
      link.deadLetters.setReplay(dead.slice(1), true)
      t.same(link.deadLetters.marked('orders', 0, 2), dead.slice(1, 3))
      t.same(link.deadLetters.marked('orders', dead[2], 2), dead.slice(3))
      t.same(other.deadLetters.marked('other'), [])
    })

    t.test('move to another stage of their link, which keeps its stages', async (t) => {
      const { folder, owned, link } = await opened(t)
      t.equal(link.stages(), undefined)
      const { dead } = await link.commit({ dead: [letter(), letter()], stages: STAGES })
      t.same(link.stages(), STAGES)
      t.same(stagesOf(owned.store.database, 'orders'), STAGES)
      const [first = 0] = dead
      const [process] = STAGES
      if (process === undefined) throw new Error('unreachable')
      t.equal(link.deadLetters.moveTo([first, 99], process), 1)
      t.match(link.deadLetters.read(first), process)
      t.notOk('outlet' in (link.deadLetters.read(first) ?? { outlet: 1 }))
      await link.commit({ stages: STAGES.slice(0, 1) })
      t.same(link.stages(), STAGES.slice(0, 1))
      t.same((await checkStore(folder, driver)).problems, [])
      owned.release()
      await salvageStore(folder, driver)
      const again = await ownStore(folder, { driver })
      t.same(stagesOf(again.store.database, 'orders'), STAGES.slice(0, 1), 'a salvage keeps them')
      again.release()
    })

    t.test('that are damaged are left out, cannot be marked, and lose their mark when they fail', async (t) => {
      const { folder, owned, link } = await opened(t)
      const { dead } = await link.commit({ dead: [letter(), letter(), letter()] })
      const [first = 0, second = 0, third = 0] = dead
      link.deadLetters.setReplay([second], true)
      owned.store.database.exec(`UPDATE dead SET node = 'Other' WHERE id IN (${first}, ${second})`)
      const damaged: number[] = []
      t.same(
        link.deadLetters.list({}, (id) => damaged.push(id)).map(({ id }) => id),
        [third],
      )
      t.same(damaged, [first, second])
      t.throws(() => link.deadLetters.list(), { code: 'DATABAY_STORE_CORRUPT' })
      t.throws(() => link.deadLetters.setReplay([first], true), { code: 'DATABAY_STORE_CORRUPT' })
      t.throws(() => link.deadLetters.moveTo([first], STAGES[0] as LinkStage), { code: 'DATABAY_STORE_CORRUPT' })
      await link.commit({ deadTried: [{ id: second, attempts: 9, error: { name: 'E', message: '' }, at: 1 }] })
      t.same(link.deadLetters.marked('orders'), [], 'it is not tried for ever')
      t.match((await checkStore(folder, driver)).problems, [/dead: 2 of its rows/], 'and still told to be damaged')
    })

    t.test('are listed by group, newest first cut, and with whether their record is there', async (t) => {
      const { link } = await opened(t)
      const { body: _, ...without } = letter()
      const { dead } = await link.commit({
        dead: [letter({ group: 'u#1' }), letter(), letter({ group: 'u#1' }), without],
      })
      const ids = (filter: Parameters<DeadLetters['list']>[0]) => link.deadLetters.list(filter).map(({ id }) => id)
      t.same(ids({ link: 'orders', group: 'u#1' }), [dead[0], dead[2]])
      t.same(ids({ newest: true, limit: 2 }), dead.slice(2))
      t.same(
        link.deadLetters.list().map(({ hasRecord }) => hasRecord),
        [true, true, true, false],
      )
    })

    t.test('are counted, listed and found by an index, in order', async (t) => {
      const { owned } = await opened(t)
      const { database } = owned.store
      const plans: string[] = []
      const spy = new DeadLetters({
        ...database,
        prepare: (sql) => {
          const given = sql.split('?').length - 1
          const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from({ length: given }, () => 1))
          plans.push(rows.map(({ detail }) => String(detail)).join('; '))
          return database.prepare(sql)
        },
      })
      spy.count({ link: 'orders' })
      spy.marked('orders')
      spy.list({ link: 'orders', after: 5, since: 1 })
      spy.list({ link: 'orders', group: 'u#1' })
      spy.count({ link: 'orders', replay: true })
      spy.deleteOldest('orders', 1)
      spy.deleteBefore('orders', 1)
      const [count, marked, listed, group, waiting, oldest, old] = plans
      t.match(count, /COVERING INDEX dead_/)
      t.match(marked, /COVERING INDEX dead_replay \(link=\? AND rowid>\?\)$/)
      t.match(listed, /INDEX dead_link \(link=\? AND rowid>\?\)$/, 'none is sorted')
      t.match(group, /INDEX dead_group/)
      t.match(waiting, /INDEX dead_replay/)
      t.match(oldest, /COVERING INDEX dead_link/)
      t.match(old, /INDEX dead_age/)
    })
  })
}
