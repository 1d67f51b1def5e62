/** Outlets say which records they refuse, so that the others are delivered, and never blame a record for the outlet. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { toError } from '../../src/base/errors.js'
import { CsvOutlet } from '../../src/connectors/csv/csv-outlet.js'
import { FileOutlet } from '../../src/connectors/files/file-outlet.js'
import { failureClass } from '../../src/core/failure-class.js'
import type { Outlet } from '../../src/core/outlet.js'
import { blamedRecords, PartialPushError } from '../../src/core/partial-push.js'
import { Record, type Metadata } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'
import { captureLogs } from '../helpers/logs.js'
import { tinyDisk } from '../helpers/tiny-disk.js'

const update = new Update(['refused'], 0)
const record = (payload: unknown, metadata?: Metadata) => new Record(payload, metadata)

async function failure(outlet: Outlet, records: Record[]): Promise<Error> {
  try {
    await outlet.push(records, update)
  } catch (thrown) {
    return toError(thrown)
  }
  throw new Error('the push did not fail')
}

/** Pushes a batch that fails, then what is left of it as its error says, until all is taken or refused. */
async function deliver(t: Test, outlet: Outlet, records: Record[]) {
  const refused: unknown[] = []
  for (let left = records; left.length > 0;) {
    let error: Error
    try {
      await outlet.push(left, update)
      break
    } catch (thrown) {
      error = toError(thrown)
    }
    const rejected = error instanceof PartialPushError ? error.rejected : blamedRecords(error)
    const places = new Map(rejected.map((one) => [one.index, failureClass(one.error)]))
    const isOver = [...places.values()].includes('refused')
    if (!t.ok(isOver, `it names a record: ${error.message}`)) break
    for (const [at, found] of places) if (found === 'refused') refused.push(left[at]?.payload)
    const isLeft = (at: number) =>
      error instanceof PartialPushError ? places.get(at) === 'unavailable' : !places.has(at)
    left = left.filter((_, at) => isLeft(at))
  }
  return refused
}

const circle: { me?: unknown } = {}
circle.me = circle

t.test('a file gets all lines but those that are refused, in one more push', async (t) => {
  const file = `${t.testdir()}/log`
  const outlet = new FileOutlet(file, { encoding: 'latin1' })
  const bad = [circle, new Map(), 'a \u20ac']
  const error = await failure(
    outlet,
    ['one', bad[0], 'two', bad[1], bad[2]].map((payload) => record(payload)),
  )
  t.match(error, { code: 'DATABAY_INVALID_PAYLOAD', retryable: false })
  t.same(
    blamedRecords(error).map(({ index, error: why }) => [index, failureClass(why)]),
    [
      [1, 'refused'],
      [3, 'refused'],
      [4, 'refused'],
    ],
  )
  const records = ['one', bad[0], 'two', bad[1], bad[2], 'three'].map((payload) => record(payload))
  t.strictSame(await deliver(t, outlet, records), bad)
  t.equal(readFileSync(file, 'utf8'), 'one\ntwo\nthree\n')
})

t.test('records that choose a file, mode or encoding that there is not are refused', async (t) => {
  const folder = t.testdir({ folder: {} })
  const outlet = new FileOutlet(`${folder}/log`)
  const bad = [
    record('outside', { [FileOutlet.FILEPATH]: '../x' }),
    record('mode', { [FileOutlet.FILE_MODE]: 'x' }),
    record('encoding', { [FileOutlet.FILE_ENCODING]: 'x' }),
    record('a folder', { [FileOutlet.FILEPATH]: 'folder' }),
    record('long', { [FileOutlet.FILEPATH]: 'x'.repeat(300) }),
  ]
  const other = record('other', { [FileOutlet.FILEPATH]: 'other' })
  const refused = await deliver(t, outlet, [record('one'), ...bad, other, record('two')])
  t.same(refused.toSorted(), bad.map(({ payload }) => payload).toSorted())
  t.equal(readFileSync(`${folder}/log`, 'utf8'), 'one\ntwo\n')
  t.equal(readFileSync(`${folder}/other`, 'utf8'), 'other\n')
  for (const one of bad) t.equal(failureClass(await failure(outlet, [one])), 'refused', String(one.payload))
})

t.test('a CSV file gets all rows but those that are refused', async (t) => {
  const file = `${t.testdir()}/rows.csv`
  const outlet = new CsvOutlet(file, { encoding: 'latin1' })
  const bad = [5, { a: 1, b: [] }, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: '\u20ac', b: 2 }, null]
  const good = [
    { a: 1, b: 2 },
    { b: 4, a: 3 },
    { a: 5, b: 6 },
  ]
  const payloads = [bad[0], good[0], ...bad.slice(1, 4), good[1], ...bad.slice(4), good[2]]
  t.same(
    await deliver(
      t,
      outlet,
      payloads.map((payload) => record(payload)),
    ),
    bad,
  )
  t.equal(readFileSync(file, 'utf8'), 'a,b\n1,2\n3,4\n5,6\n')
})

t.test('of several files, the rows of one that has a refused row are not refused with it', async (t) => {
  const folder = t.testdir()
  const outlet = new CsvOutlet(`${folder}/own.csv`)
  const to = (payload: unknown) => record(payload, { [CsvOutlet.CSV_FILE]: 'other.csv' })
  const records = [record({ a: 1 }), to({ b: 1 }), to({ c: 2 }), to({ b: 3 }), record({ a: 2 })]
  const error = await failure(outlet, records)
  t.match(error, {
    code: 'DATABAY_PARTIAL_PUSH',
    taken: 2,
    rejected: [
      { index: 1, error: { code: 'DATABAY_UNTRIED_RECORD' } },
      { index: 2, error: { code: 'DATABAY_INVALID_PAYLOAD' } },
      { index: 3, error: { code: 'DATABAY_UNTRIED_RECORD' } },
    ],
  })
  t.same(await deliver(t, outlet, records.slice(1, 4)), [{ c: 2 }])
  t.equal(readFileSync(`${folder}/own.csv`, 'utf8'), 'a\n1\n2\n')
  t.equal(readFileSync(`${folder}/other.csv`, 'utf8'), 'b\n1\n3\n')
})

t.test('a file that cannot be written is no fault of its records', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ 'odd.csv': 'x,x\n1,2\n' })
  mkdirSync(`${folder}/folder`)
  const classes = (error: Error) =>
    error instanceof PartialPushError ? error.rejected.map((one) => failureClass(one.error)) : [failureClass(error)]
  t.same(
    classes(await failure(new FileOutlet(`${folder}/folder`), [record('x')])),
    ['unknown'],
    'its own path is a folder',
  )
  const csv = new CsvOutlet(`${folder}/own.csv`)
  const odd = record({ x: 1 }, { [CsvOutlet.CSV_FILE]: 'odd.csv' })
  t.same(classes(await failure(csv, [record({ a: 1 }), odd])), ['unavailable'], 'a file whose header is odd')
  const disk = tinyDisk(t, 16)
  if (disk === undefined) {
    t.comment('no disk can be mounted')
    return
  }
  const options = { retry: { retries: 0 } }
  const full = 'x'.repeat(20_000)
  t.same(classes(await failure(new FileOutlet(`${disk}/log`, options), [record(full)])), ['unavailable'])
  const both = new FileOutlet(`${disk}/log`, { ...options, allowAnyPath: true })
  const elsewhere = record('fits', { [FileOutlet.FILEPATH]: `${folder}/fits` })
  const partial = await failure(both, [record('y'), elsewhere, record(full)])
  t.same(classes(partial), ['unavailable', 'unavailable'])
  writeFileSync(`${disk}/log`, '')
})
