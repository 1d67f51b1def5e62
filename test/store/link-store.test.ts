import t from 'tap'
import { encodeRecords, decodeRecords } from '../../src/store/codec.js'
import { Record } from '../../src/core/record.js'
import { LinkRows } from '../../src/store/link-rows.js'
import { LinkStore } from '../../src/store/link-store.js'
import { openStore, ownStore } from '../../src/store/store.js'
import type { DeadLetter } from '../../src/store/dead-letters.js'
import { DRIVERS } from '../helpers/stores.js'

const body = (...payloads: unknown[]) => encodeRecords(payloads.map((payload) => new Record(payload)))
const letter = (more: Partial<DeadLetter> = {}): DeadLetter => ({
  stage: 'push',
  node: 'FileOutlet',
  place: 'outlet:0',
  outlet: 'FileOutlet',
  at: 1000,
  attempts: 3,
  code: 'DATABAY_FILE',
  error: { name: 'FileError', message: 'no\0' },
  body: body({ n: 1 }),
  ...more,
})

for (const driver of DRIVERS) {
  t.test(`a link in the store (${driver})`, async (t) => {
    t.test('is opened with what it committed last', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      const link = await LinkStore.open(owned.store, 'orders')
      t.match(link.opened, { id: 'orders', epoch: 1, number: 0, lastScheduledAt: undefined, counts: { pulled: 0 } })
      t.match(link.opened.uid, /^[\w-]{12}$/)
      await link.commit({
        cursors: [{ inlet: 'FileInlet', version: 2, value: { offset: 5, left: undefined } }],
        states: new Map<string, unknown>([
          ['Distinct', new Map([['a', 1]])],
          ['gone', 1],
        ]),
        held: new Map([['Buffer', body(7)]]),
        counts: { pulled: 3, delivered: 2 },
        number: 3,
        lastScheduledAt: 12345,
      })
      await link.commit({ counts: { pulled: 1 }, states: new Map([['gone', undefined]]) })
      owned.release()
      const again = await ownStore(folder, { driver })
      const opened = await LinkStore.open(again.store, 'orders')
      t.match(opened.opened, {
        epoch: 2,
        uid: link.opened.uid,
        number: 3,
        lastScheduledAt: 12345,
        counts: { pulled: 4, delivered: 2, dead: 0 },
      })
      t.same(
        [...opened.cursors.values()].map(({ inlet, version, value }) => ({ inlet, version, value })),
        [{ inlet: 'FileInlet', version: 2, value: { offset: 5 } }],
      )
      t.same(opened.states, new Map([['Distinct', new Map([['a', 1]])]]))
      t.same(
        [...opened.held()].map(([part, one]) => [part, decodeRecords(one)[0]?.payload]),
        [['Buffer', 7]],
      )
      await opened.commit({ forget: ['FileInlet'], held: new Map([['Buffer', undefined]]) })
      const renewed = await LinkStore.open(again.store, 'orders', { renew: true })
      t.match(renewed.opened, { epoch: 3, number: 0, counts: { pulled: 4 } })
      t.not(renewed.opened.uid, link.opened.uid, 'its records get names that none had before')
      t.equal(renewed.cursors.size, 0)
      t.equal(renewed.held().size, 0)
      again.release()
    })

    t.test('belongs to the thread that opened it last', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      const late = await LinkStore.open(owned.store, 'orders')
      const other = await LinkStore.open(owned.store, 'other')
      const thread = await openStore(folder, { driver })
      const next = await LinkStore.open(thread, 'orders')
      const settled = await Promise.allSettled([
        late.commit({ cursors: [{ inlet: 'a', version: 1, value: 1 }], counts: { pulled: 5 } }),
        other.commit({ counts: { pulled: 1 } }),
        next.commit({ cursors: [{ inlet: 'a', version: 1, value: 2 }] }),
      ])
      t.match(settled, [
        { status: 'rejected', reason: { code: 'DATABAY_FENCED', message: /^link orders was opened again elsewhere/ } },
        { status: 'fulfilled' },
        { status: 'fulfilled' },
      ])
      const opened = await LinkStore.open(owned.store, 'orders')
      t.equal(opened.cursors.get('a')?.value, 2)
      const rows = new LinkRows(owned.store.database)
      t.match([rows.find('orders'), rows.find('other')], [{ counts: { pulled: 0 } }, { counts: { pulled: 1 } }])
      thread.close()
      owned.release()
    })

    t.test('is refused what would not come back, and then nothing is written', async (t) => {
      const owned = await ownStore(t.testdir(), { driver })
      const link = await LinkStore.open(owned.store, 'orders')
      const cursor = (value: unknown) =>
        link.commit({ counts: { pulled: 1 }, cursors: [{ inlet: 'SomeInlet', version: 1, value }] })
      for (const [value, path, sort] of [
        [new Date(), 'cursor', 'a Date'],
        [{ at: [NaN] }, 'cursor.at\\[0\\]', 'a number'],
        [undefined, 'cursor', 'undefined'],
        [{ id: 5n }, 'cursor.id', 'a bigint'],
      ] as const) {
        await t.rejects(cursor(value), {
          code: 'DATABAY_INVALID_OPTION',
          message: new RegExp(`^${path} of SomeInlet: expected JSON .*, got '${sort}'`),
        })
      }
      await t.rejects(cursor('x'.repeat(65_536)), {
        message: /^cursor of SomeInlet: expected at most 65536 bytes of JSON, got 65538/,
      })
      await t.rejects(link.commit({ counts: { pulled: 1 }, states: new Map([['CsvOutlet', () => 1]]) }), {
        code: 'DATABAY_UNSPOOLABLE',
        message: /^the state of CsvOutlet cannot be kept on the disk: state is a function/,
      })
      await t.rejects(LinkStore.open(owned.store, ''), { code: 'DATABAY_INVALID_OPTION' })
      t.equal((await LinkStore.open(owned.store, 'orders')).opened.counts.pulled, 0)
      owned.release()
    })

    t.test('keeps dead letters, which a command can mark and drop beside it', async (t) => {
      const folder = t.testdir()
      const owned = await ownStore(folder, { driver })
      const link = await LinkStore.open(owned.store, 'orders')
      const { dead } = await link.commit({
        dead: [letter(), letter({ outlet: 'Other', code: 'X', at: 2000 }), letter({ stage: 'process', at: 3000 })],
        counts: { dead: 3 },
      })
      const [first = 0, second = 0, third = 0] = dead
      const beside = await openStore(folder, { driver })
      const { deadLetters } = await LinkStore.open(beside, 'some other link')
      t.same(
        deadLetters.list({ link: 'orders' }).map(({ id }) => id),
        dead,
      )
      t.same(
        deadLetters.list({ outlet: 'Other' }).map(({ id }) => id),
        [second],
      )
      t.same(
        deadLetters.list({ since: 2000, stage: 'process' }).map(({ id }) => id),
        [third],
      )
      t.same(
        deadLetters.list({ code: 'X', replay: false, after: first, limit: 5 }).map(({ id }) => id),
        [second],
      )
      t.equal(deadLetters.count(), 3)
      t.match(deadLetters.read(first), { link: 'orders', node: 'FileOutlet', attempts: 3, replay: false })
      t.equal(
        decodeRecords(deadLetters.read(first)?.body ?? { codec: 0, bytes: new Uint8Array() })[0]?.payload !== undefined,
        true,
      )
      t.equal(
        deadLetters.atOnce(() => deadLetters.setReplay([first, third, 99], true)),
        2,
      )
      t.equal(deadLetters.setReplay([first], true), 0, 'it is marked already')
      t.same(
        link.deadLetters.list({ replay: true }).map(({ id }) => id),
        [first, third],
        'the link sees it',
      )
      await link.commit({
        deadDone: [first],
        parcels: [{ kind: 'replay', count: 1, at: 1, progress: {}, attempts: 0, body: body(1) }],
      })
      t.equal(link.deadLetters.read(first), undefined)
      t.equal(deadLetters.deleteOldest('orders', 1), 1)
      t.equal(deadLetters.deleteBefore('orders', 3001), 1)
      t.equal(deadLetters.count(), 0)
      const { dead: without } = await link.commit({ dead: [letter({ body: undefined as never })] })
      t.notOk('body' in (deadLetters.read(without[0] ?? 0) ?? { body: 1 }), 'its records are not on the disk')
      beside.close()
      owned.release()
    })

    t.test('keeps parcels in their order, and what each outlet took of them', async (t) => {
      const owned = await ownStore(t.testdir(), { driver })
      const link = await LinkStore.open(owned.store, 'orders')
      const parcel = (n: number) => ({
        kind: 'round' as const,
        count: 1,
        at: n,
        progress: {},
        attempts: 0,
        body: body(n),
      })
      const { parcels } = await link.commit({ parcels: [parcel(1), parcel(2)] })
      const [first = 0, second = 0] = parcels
      t.match(link.parcels.next('orders'), { damaged: false, parcel: { seq: first, kind: 'round', count: 1 } })
      t.match(link.parcels.size('orders'), { parcels: 2 })
      await link.commit({
        parcelsTried: [
          { seq: first, progress: { a: 'done', b: 3 }, attempts: 1, nextAt: 50, error: { name: 'E', message: 'm' } },
        ],
      })
      t.match(link.parcels.next('orders'), {
        damaged: false,
        parcel: { progress: { a: 'done', b: 3 }, attempts: 1, nextAt: 50, error: { message: 'm' } },
      })
      await link.commit({ parcelsDone: [first] })
      const next = link.parcels.next('orders')
      t.equal(next?.parcel.seq, second)
      t.equal(decodeRecords(next?.parcel.body ?? body())[0]?.payload, 2)
      owned.store.database.exec(`UPDATE parcel SET body = x'00' WHERE seq = ${second}`)
      t.match(link.parcels.next('orders'), { damaged: true, parcel: { seq: second } })
      t.equal(link.parcels.next('orders', second), undefined)
      owned.release()
    })

    t.test('does not open when what the store has of it is damaged; others do', async (t) => {
      const owned = await ownStore(t.testdir(), { driver })
      const { store } = owned
      for (const id of ['a', 'b', 'c', 'd']) {
        const link = await LinkStore.open(store, id)
        await link.commit({ cursors: [{ inlet: 'x', version: 1, value: 10 }], states: new Map([['y', 10]]) })
      }
      store.database.exec(`UPDATE cursor SET value = '11' WHERE link = 'a'`)
      store.database.exec(`UPDATE state SET body = x'ff0f4916' WHERE link = 'b'`)
      store.database.exec(`UPDATE link SET number = 7 WHERE id = 'c'`)
      const corrupt = (what: string) => ({
        code: 'DATABAY_STORE_CORRUPT',
        message: new RegExp(`store\\.db: ${what} is not what was written`),
      })
      await t.rejects(LinkStore.open(store, 'a'), corrupt('cursor a, x'))
      await t.rejects(LinkStore.open(store, 'b'), corrupt('state b, y, state'))
      await t.rejects(LinkStore.open(store, 'c'), corrupt('link c'))
      t.equal((await LinkStore.open(store, 'd')).cursors.get('x')?.value, 10)
      owned.release()
    })
  })
}
