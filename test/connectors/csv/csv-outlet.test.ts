import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { tagged } from '../../../src/base/bson.js'
import { CsvOutlet, type CsvOutletOptions } from '../../../src/connectors/csv/csv-outlet.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import { Outlet } from '../../../src/core/outlet.js'
import { Record, type Metadata } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'

const { CSV_FILE, FILE_MODE } = CsvOutlet
const NO_ROW = 'CsvOutlet: a payload cannot be a row:'
const ADVICE = ': make it plain data, or use the option serialize'
const update = new Update(['csv'], 0)

function setUp(t: Test, options?: CsvOutletOptions, existing?: string) {
  const folder = realpathSync(t.testdir(existing === undefined ? {} : { 'out.csv': existing }))
  const outlet = new CsvOutlet(`${folder}/out.csv`, options)
  const push = (...payloads: unknown[]) =>
    outlet.push(
      payloads.map((payload) => new Record(payload)),
      update,
    )
  const pushTo = (metadata: Metadata, ...payloads: unknown[]) =>
    outlet.push(
      payloads.map((payload) => new Record(payload, metadata)),
      update,
    )
  const read = (file = 'out.csv') => readFileSync(`${folder}/${file}`, 'utf8')
  return { folder, outlet, push, pushTo, read }
}

const invalidPayload = (message: string | RegExp) => ({ code: 'DATABAY_INVALID_PAYLOAD', message })

t.test('a file gets one header, and a row per record', async (t) => {
  const { push, read } = setUp(t)
  await push({ name: 'cat', legs: 4 }, { name: 'bird', legs: 2 })
  await push({ name: 'fish', legs: 0 })
  t.equal(read(), 'name,legs\ncat,4\nbird,2\nfish,0\n')
})

t.test('values stand in the column of their name', async (t) => {
  const { push, read } = setUp(t)
  await push({ a: 1, b: 2 }, { b: 4, a: 3 })
  t.equal(read(), 'a,b\n1,2\n3,4\n')
})

t.test('a column without a key is an error, and nothing is written', async (t) => {
  const { push, read } = setUp(t)
  await push({ a: 1, b: 2 })
  const message = "CsvOutlet: a payload has no key 'b', which is a column of the file"
  await t.rejects(push({ a: 1, b: 2 }, { a: 'secret' }), invalidPayload(message))
  t.equal(read(), 'a,b\n1,2\n')
  await push({ a: 3, b: null }, { a: 4, b: undefined })
  t.equal(read(), 'a,b\n1,2\n3,\n4,\n', 'a key without a value is one')
})

t.test('cells without a key are empty when that is wanted', async (t) => {
  const { push, read } = setUp(t, { missingColumns: 'empty' })
  await push({ a: 1, b: 2 }, { b: 4, a: 3 }, { b: 6 }, {})
  t.equal(read(), 'a,b\n1,2\n3,4\n,6\n,\n')
})

t.test('a key that is no column is an error, and nothing is written', async (t) => {
  const { folder, push, read } = setUp(t)
  const message = "CsvOutlet: the key 'extra' is no column of the file, which has [ 'a', 'b' ]"
  await t.rejects(push({ a: 1, b: 2 }, { a: 1, extra: 'secret' }), invalidPayload(message))
  t.same(readdirSync(folder), [])
  await push({ a: 1, b: 2 })
  await t.rejects(push({ a: 3, b: 4 }, { extra: 1 }), invalidPayload(message))
  t.equal(read(), 'a,b\n1,2\n')
})

t.test('values without a column are left out when that is wanted', async (t) => {
  const { push, read } = setUp(t, { extraColumns: 'ignore' })
  await push({ a: 1 }, { a: 2, extra: { deep: true } })
  t.equal(read(), 'a\n1\n2\n')
})

t.test('the columns can be given', async (t) => {
  const { push, read } = setUp(t, { columns: ['b', 'a', 'c'], missingColumns: 'empty' })
  await push({ a: 1, b: 2 })
  await push({ c: 3 })
  t.equal(read(), 'b,a,c\n2,1,\n,,3\n')
})

t.test('a file that is there says which columns it has', async (t) => {
  const { push, read } = setUp(t, {}, '\uFEFFb,"the ""a"""\r\n1,2')
  await push({ 'the "a"': 4, b: 3 })
  t.equal(read(), '\uFEFFb,"the ""a"""\r\n1,2\n3,4\n', 'its last line is ended first')

  const same = setUp(t, { columns: ['b', 'a'] }, 'a,b\n1,2\n')
  await same.push({ b: 4, a: 3 })
  t.equal(same.read(), 'a,b\n1,2\n3,4\n', 'in its own order')

  const other = setUp(t, { columns: ['a', 'c'] }, 'a,b\n')
  await t.rejects(other.push({ a: 1 }), {
    code: 'DATABAY_FILE',
    message: `CsvOutlet: cannot add to ${other.folder}/out.csv: it has the columns [ 'a', 'b' ], not [ 'a', 'c' ]`,
  })
  const twice = setUp(t, {}, 'a,a\n')
  await t.rejects(twice.push({ a: 1 }), { code: 'DATABAY_FILE', message: /its header has a name twice/ })
  const broken = setUp(t, {}, 'a"b\n')
  await t.rejects(broken.push({ a: 1 }), { code: 'DATABAY_FILE', message: /its header cannot be read/ })
  const empty = setUp(t, {}, '')
  await empty.push({ a: 1 })
  t.equal(empty.read(), 'a\n1\n')
})

t.test('empty lines and a byte order mark in front of the header are passed over', async (t) => {
  for (const [existing, expected] of [
    ['\n\r\nb,a\n', '\n\r\nb,a\n2,1\n'],
    ['\uFEFF\nb,a', '\uFEFF\nb,a\n2,1\n'],
    ['\uFEFF', '\uFEFFa,b\n1,2\n'],
    ['\n', '\na,b\n1,2\n'],
  ] as const) {
    const { push, read } = setUp(t, {}, existing)
    await push({ a: 1, b: 2 })
    t.equal(read(), expected)
  }
})

t.test('cells', async (t) => {
  const { push, read } = setUp(t)
  await push({ v: 'a,"b"', w: 'two\nlines' })
  await push({ v: -1.5, w: 10n }, { v: true, w: false }, { v: null, w: undefined })
  await push({ v: new Date(0), w: new URL('http://a.b/?c=d') }, { v: -0, w: Object(1n) as unknown })
  t.equal(
    read(),
    'v,w\n"a,""b""","two\nlines"\n-1.5,10\ntrue,false\n,\n1970-01-01T00:00:00.000Z,http://a.b/?c=d\n-0,1\n',
  )
  const single = setUp(t, { missingColumns: 'empty' })
  await single.push({ v: '' }, { v: null }, {}, { v: 1 })
  t.equal(single.read(), 'v\n""\n""\n""\n1\n', 'an empty cell alone is no empty line')
})

t.test('what is no flat object is an error', async (t) => {
  const { folder, push } = setUp(t)
  const cases: [unknown, string][] = [
    ['secret', 'CsvOutlet: a payload is of type string: expected an object'],
    [null, 'CsvOutlet: a payload is null: expected an object'],
    [[1], 'CsvOutlet: a payload is an array: expected an object'],
    [{ a: { secret: 1 } }, `${NO_ROW} payload.a is an object, which is no cell${ADVICE}`],
    [{ a: ['secret'] }, `${NO_ROW} payload.a is a list, which is no cell${ADVICE}`],
    [{ a: () => 'secret' }, `${NO_ROW} payload.a is a function${ADVICE}`],
    [{ a: Symbol('secret') }, `${NO_ROW} payload.a is a symbol${ADVICE}`],
    [{ 'a b': NaN }, `${NO_ROW} payload["a b"] is NaN${ADVICE}`],
    [{ a: -Infinity }, `${NO_ROW} payload.a is -Infinity${ADVICE}`],
    [{ a: new Date(NaN) }, `${NO_ROW} payload.a is an invalid date${ADVICE}`],
    [{ a: new Map() }, `${NO_ROW} payload.a is a Map, which is no cell${ADVICE}`],
    [{ a: /secret/ }, `${NO_ROW} payload.a is a RegExp, which is no cell${ADVICE}`],
    [{ a: { secret: 1, toJSON: () => null } }, `${NO_ROW} payload.a is an object, which is no cell${ADVICE}`],
    [{ a: 'cut \ud83d' }, 'CsvOutlet: a payload has the character U+D83D, which utf-8 does not have'],
    [{}, 'CsvOutlet: the first payload of a file has no keys'],
  ]
  for (const [payload, message] of cases) {
    await t.rejects(push(payload), invalidPayload(message))
    await push(payload).catch((error: unknown) => t.notMatch(String(error), /secret/))
  }
  t.same(readdirSync(folder), [])
})

t.test('an object that has no keys for what it holds is an error, and no empty row', async (t) => {
  const { folder, push } = setUp(t, { columns: ['a'], missingColumns: 'empty' })
  for (const payload of [new Map([['a', 1]]), new Set([1]), new Date(), new Error('a')]) {
    const message = `CsvOutlet: a payload is a ${payload.constructor.name}: expected an object`
    await t.rejects(push({ a: 1 }, payload), invalidPayload(message))
  }
  t.same(readdirSync(folder), [])
})

t.test('a pipe is not read for a header: its first batch is written with one', async (t) => {
  const { folder, push } = setUp(t)
  if (spawnSync('mkfifo', [`${folder}/out.csv`]).status !== 0) {
    t.pass('needs mkfifo', { skip: true })
    return
  }
  const reader = openSync(`${folder}/out.csv`, constants.O_RDONLY | constants.O_NONBLOCK)
  t.teardown(() => closeSync(reader))
  await push({ a: 1 })
  await push({ a: 2 })
  const read = Buffer.alloc(100)
  t.equal(read.toString('utf8', 0, readSync(reader, read)), 'a\n1\n2\n')
})

t.test(
  'a pipe gets one header, also from pushes at once and after a move; a file in its place gets its own',
  async (t) => {
    const { folder, outlet, push } = setUp(t)
    const path = `${folder}/out.csv`
    if (spawnSync('mkfifo', [path]).status !== 0) {
      t.pass('needs mkfifo', { skip: true })
      return
    }
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    t.teardown(() => closeSync(reader))
    await Promise.all([push({ a: 1 }), push({ a: 2 })])
    const moved = new CsvOutlet(path)
    moved.restoreState(structuredClone(outlet.saveState()))
    await moved.push([new Record({ a: 3 })], update)
    const other = new CsvOutlet(path, { columns: ['b'] })
    other.restoreState(outlet.saveState())
    await other.push([new Record({ b: 4 })], update)
    const read = Buffer.alloc(100)
    // which of the pushes at once comes first is open
    t.match(read.toString('utf8', 0, readSync(reader, read)), /^a\n(1\n2|2\n1)\n3\nb\n4\n$/)
    rmSync(path)
    await push({ a: 5 })
    t.equal(readFileSync(path, 'utf8'), 'a\n5\n')
    t.equal(outlet.saveState(), undefined)
    for (const state of [undefined, 'x', [1], [['x']], [[1, ['a']]], [['x', [1]]]]) outlet.restoreState(state)
    t.equal(outlet.saveState(), undefined, 'what is no state is ignored')
  },
)

t.test('a pipe that was written to beside a file that failed gets no second header', async (t) => {
  const { folder } = setUp(t, undefined, 'b\n')
  const path = `${folder}/pipe.csv`
  if (spawnSync('mkfifo', [path]).status !== 0) {
    t.pass('needs mkfifo', { skip: true })
    return
  }
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  t.teardown(() => closeSync(reader))
  const outlet = new CsvOutlet(`${folder}/out.csv`)
  const records = [new Record({ a: 1 }, { [CSV_FILE]: 'pipe.csv' }), new Record({ a: 1 })]
  await t.rejects(outlet.push(records, update), { name: 'PartialPushError' })
  await outlet.push([new Record({ a: 2 }, { [CSV_FILE]: 'pipe.csv' })], update)
  const read = Buffer.alloc(100)
  t.equal(read.toString('utf8', 0, readSync(reader, read)), 'a\n1\n2\n')
})

t.test('a guarded name in the header stays as it is, however often the file is cleared', async (t) => {
  const { outlet, read } = setUp(t, { fileMode: 'w', whenEmpty: 'clear' }, "'@id,b\n1,2\n")
  for (let time = 0; time < 3; time++) await outlet.onEmptyTransfer(update)
  t.equal(read(), "'@id,b\n")
})

t.test('values of BSON are their digits, and others extended JSON', async (t) => {
  const { push, read } = setUp(t)
  const id = new ObjectId('650000000000000000000001')
  await push(
    { v: id, w: Long.fromString('9007199254740993') },
    { v: Decimal128.fromString('1.50'), w: new Int32(5) },
    { v: new Double(1.5), w: new Binary(Buffer.from('ab'), 5) },
    { v: structuredClone(tagged(id)), w: '' },
  )
  t.equal(
    read(),
    `v,w
${String(id)},9007199254740993
1.50,5
1.5,"{""$binary"":{""base64"":""YWI="",""subType"":""05""}}"
${String(id)},
`,
  )
})

t.test('serialize says what is written for a row, and for a cell', async (t) => {
  const { push, read } = setUp(t, {
    serialize: (value, path) => {
      if (value instanceof Map) return Object.fromEntries(value) as unknown
      if (path === 'tags') return JSON.stringify(value)
      return path === 'risky' ? `=${String(value)}` : undefined
    },
  })
  await push(
    new Map<string, unknown>([
      ['tags', ['a', 'b']],
      ['risky', 1],
    ]),
  )
  t.equal(read(), `tags,risky\n"[""a"",""b""]",'=1\n`)
  const failing = setUp(t, {
    serialize: (value, path) => {
      if (path === 'a') throw new Error('no')
      return value
    },
  })
  await t.rejects(failing.push({ a: 1 }), invalidPayload(`${NO_ROW} serialize failed at payload.a: no${ADVICE}`))
})

t.test('a string that a spreadsheet would run as a formula is guarded, and a number is not', async (t) => {
  const risky = ['=1+1', '+1+1', '-a', '@a', '\tx', '\rx', '\nx', '\uff1d1', '\uff0b1', '\uff0d1', '\uff20a', "'=1"]
  const safe = ['safe=', '-122.4194', '+3', '-0.5e-3', '-.5', "'tis"]
  const { push, read } = setUp(t)
  await push(...safe.map((v) => ({ v })), ...risky.map((v) => ({ v })), { v: -1 })
  const guarded = risky.map((text) => (/[\r\n]/.test(text) ? `"'${text}"` : `'${text}`))
  t.equal(read(), `v\n${[...safe, ...guarded, '-1'].join('\n')}\n`)
  const off = setUp(t, { guardFormulas: false })
  await off.push(...risky.slice(0, 4).map((v) => ({ v })))
  t.equal(off.read(), 'v\n=1+1\n+1+1\n-a\n@a\n')
})

t.test('a column whose name is guarded is found again', async (t) => {
  const { push, read } = setUp(t)
  await push({ '=a': 1, b: 2 })
  await push({ b: 4, '=a': 3 })
  t.equal(read(), "'=a,b\n1,2\n3,4\n")
  const given = setUp(t, { columns: ['b', '=a'] }, "'=a,b\n")
  await given.push({ b: 2, '=a': 1 })
  t.equal(given.read(), "'=a,b\n1,2\n")
  const foreign = setUp(t, { columns: ['=a'] }, '=a\n')
  await foreign.push({ '=a': 1 })
  t.equal(foreign.read(), '=a\n1\n')
})

t.test('mode w replaces the file once in each transfer, header and all', async (t) => {
  const { outlet, push, pushTo, read } = setUp(t, { fileMode: 'w' }, 'old\n1\n')
  await push({ a: 1 }, { a: 2 })
  t.equal(read(), 'a\n1\n2\n')
  await push({ a: 3 })
  t.equal(read(), 'a\n1\n2\n3\n')
  await outlet.push([new Record({ b: 3 })], new Update(['csv'], 1))
  t.equal(read(), 'b\n3\n')
  await pushTo({ [FILE_MODE]: 'a' }, { b: 4 })
  t.equal(read(), 'b\n3\n4\n')
  const next = outlet.push([new Record({ c: 1 }), new Record({ d: 1 })], new Update(['csv'], 2))
  await t.rejects(next, invalidPayload(/the key 'd'/))
  t.equal(read(), 'b\n3\n4\n', 'a batch that does not fit leaves the file as it was')
})

t.test('records choose their file in the metadata, below the base folder', async (t) => {
  const { folder, outlet, pushTo, read } = setUp(t)
  await outlet.push(
    [
      new Record({ cat: 1 }, { [CSV_FILE]: 'pets/cat' }),
      new Record({ dog: 1 }, { [CSV_FILE]: 'dog.csv' }),
      new Record({ cat: 2 }, { [CSV_FILE]: 'pets/cat' }),
    ],
    update,
  )
  t.equal(read('pets/cat'), 'cat\n1\n2\n', 'no .csv is added')
  t.equal(read('dog.csv'), 'dog\n1\n')
  await t.rejects(pushTo({ [CSV_FILE]: '../x.csv' }, { a: 1 }), {
    code: 'DATABAY_INVALID_OPTION',
    option: 'CsvOutlet.CSV_FILE',
  })
  await t.rejects(pushTo({ [FILE_MODE]: 'x' }, { a: 1 }), {
    code: 'DATABAY_INVALID_OPTION',
    option: 'CsvOutlet.FILE_MODE',
  })
  t.notOk(existsSync(`${folder}/../x.csv`))
})

t.test('the parts in which a large batch is made are whole rows, in their order', async (t) => {
  const { push, read } = setUp(t)
  const texts = Array.from({ length: 30 }, (_, index) => String.fromCharCode(97 + index).repeat(1 << 19))
  await push(...texts.map((text, n) => ({ n, text })))
  t.ok(read() === `n,text\n${texts.map((text, n) => `${n},${text}\n`).join('')}`)
})

t.test('batches at once leave one header', async (t) => {
  const { folder, read } = setUp(t)
  const outlets = [1, 2, 3].map(() => new CsvOutlet(`${folder}/out.csv`))
  const batch = Array.from({ length: 100 }, (_, a) => new Record({ a, b: 1 }))
  await Promise.all(outlets.map((outlet) => outlet.push(batch, update)))
  const lines = read().trimEnd().split('\n')
  t.equal(lines.length, 301)
  t.equal(lines.filter((line) => line === 'a,b').length, 1)
})

t.test('other delimiters and encodings, in the header and in what is there', async (t) => {
  const { folder, push, pushTo } = setUp(t, { delimiter: ';', encoding: 'utf-16le' })
  await push({ 'é;': 'a,b', b: ';' })
  await push({ b: 'ü', 'é;': '' })
  t.equal(readFileSync(`${folder}/out.csv`, 'utf16le'), '"é;";b\na,b;";"\n;ü\n')
  await pushTo({ [CSV_FILE]: 'other.csv' }, { a: 1 })
  t.equal(readFileSync(`${folder}/other.csv`, 'utf16le'), 'a\n1\n')

  const latin = setUp(t, { encoding: 'latin1' })
  await latin.push({ a: 'é' })
  const message = 'CsvOutlet: a payload has the character U+20AC, which latin1 does not have'
  await t.rejects(latin.push({ a: '€' }), invalidPayload(message))
  t.equal(readFileSync(`${latin.folder}/out.csv`, 'latin1'), 'a\né\n')
})

t.test('a transfer that is cancelled writes nothing', async (t) => {
  const { folder, outlet } = setUp(t)
  const cancellation = new Cancellation()
  cancellation.cancel(new TransferCancelledError('stop'))
  const pushed = outlet.push([new Record({ a: 1 })], new Update([], 0, cancellation))
  await t.rejects(pushed, TransferCancelledError)
  t.same(readdirSync(folder), [])
})

t.test('an outlet names itself with its path, and has no state', async (t) => {
  const outlet = new CsvOutlet('a/b.csv')
  t.equal(String(outlet), 'CsvOutlet(a/b.csv)')
  t.equal(outlet.saveState(), undefined)
})

t.test('options are checked', async (t) => {
  const cases: [string, object, string][] = [
    ['', {}, 'CsvOutlet.filepath'],
    ['a', { columns: 'a' }, 'CsvOutlet.columns'],
    ['a', { columns: [] }, 'CsvOutlet.columns'],
    ['a', { columns: ['a', 'a'] }, 'CsvOutlet.columns'],
    ['a', { columns: ['a', 7] }, 'CsvOutlet.columns'],
    ['a', { columns: ['a', ''] }, 'CsvOutlet.columns'],
    ['a', { extraColumns: 'add' }, 'CsvOutlet.extraColumns'],
    ['a', { missingColumns: 'ignore' }, 'CsvOutlet.missingColumns'],
    ['a', { guardFormulas: 1 }, 'CsvOutlet.guardFormulas'],
    ['a', { delimiter: ', ' }, 'CsvOutlet.delimiter'],
    ['a', { delimiter: '"' }, 'CsvOutlet.delimiter'],
    ['a', { encoding: 'base64' }, 'CsvOutlet.encoding'],
    ['a', { fsync: 1 }, 'CsvOutlet.fsync'],
    ['a', { retry: { retries: -1 } }, 'CsvOutlet.retry.retries'],
    ['a', { fileMode: 'x' }, 'CsvOutlet.fileMode'],
    ['a', { header: true }, 'CsvOutlet.header'],
  ]
  for (const [file, options, option] of cases) {
    t.throws(() => new CsvOutlet(file, options), { code: 'DATABAY_INVALID_OPTION', option })
  }
})

t.test('a payload that holds more than its fields is refused, as is a field that cannot be read', async (t) => {
  const { push, folder } = setUp(t)
  class Account {
    #secret = 1
    name = 'a'
    secret() {
      return this.#secret
    }
  }
  const broken = {
    get name(): never {
      throw new Error('not now')
    },
  }
  const refused = (what: string) => invalidPayload(`${NO_ROW} ${what}`)
  await t.rejects(push(new Account()), refused(`payload is an Account, which has private fields${ADVICE}`))
  await t.rejects(push({ a: 1, [Symbol('b')]: 2 }), refused(`payload has a field that a symbol names${ADVICE}`))
  await t.rejects(
    push(Object.assign(Object.create({ unit: 'kg' }), { a: 1 })),
    refused(`payload is an object${ADVICE}`),
  )
  await t.rejects(push(broken), refused('payload.name cannot be read: not now'))
  t.notOk(existsSync(`${folder}/out.csv`))
})

t.test('what becomes of payloads while their batch waits to be written does not show in the file', async (t) => {
  for (const isStarted of [true, false]) {
    for (const options of [{}, { extraColumns: 'ignore', columns: ['id', 'at', 'link'] }] as const) {
      const { outlet, read } = setUp(t, options)
      if (isStarted) await outlet.onStart()
      const row = (id: number) => ({ id, at: new Date(id), link: { toJSON: () => `x${id}` } })
      const records = [row(1), row(2)].map((payload) => new Record(payload))
      for (const expected of ['id,at,link\n', '']) {
        const pushing = outlet.push(records, update)
        for (const { payload } of records) {
          payload.id = 9
          payload.at.setTime(9)
          payload.link.toJSON = () => 'changed'
          Object.assign(payload, { more: 1 })
        }
        await pushing
        if (expected !== '') {
          const rows = '1,1970-01-01T00:00:00.001Z,x1\n2,1970-01-01T00:00:00.002Z,x2\n'
          t.equal(read(), `${expected}${rows}`, `${isStarted ? 'started' : 'not started'}, ${JSON.stringify(options)}`)
        }
        records.splice(0, 2, ...[row(1), row(2)].map((payload) => new Record(payload)))
      }
      await outlet.onShutdown()
    }
  }
})

t.test(
  'a CsvOutlet gets the payloads themselves: what another outlet makes of its copies reaches nobody',
  async (t) => {
    class Spoiling extends Outlet<{ id: number; place: { toJSON: () => string } }> {
      override async push(records: Record<{ id: number; place: { toJSON: () => string } }>[]): Promise<void> {
        for (const { payload } of records) payload.id = 9
        await Promise.resolve()
        for (const { payload } of records) payload.place.toJSON = () => 'spoiled'
      }
    }
    const { outlet, read } = setUp(t)
    await outlet.onStart()
    t.equal(outlet.readsOnly, true)
    t.equal(new CsvOutlet('x', { extraColumns: 'ignore' }).readsOnly, false, 'which keys are columns is known too late')
    t.equal(new CsvOutlet('x', { extraColumns: 'ignore', columns: ['a'] }).readsOnly, true)
    class Own extends CsvOutlet {
      override push(records: Record[], update: Update): Promise<void> {
        return super.push(records, update)
      }
    }
    t.equal(new Own('x').readsOnly, false)
    class Rows extends Inlet<{ id: number; place: { toJSON: () => string } }> {
      pull() {
        return [1, 2].map((id) => ({ id, place: { toJSON: () => `p${id}` } }))
      }
    }
    const link = new Link({
      inlets: new Rows(),
      outlets: [new Spoiling(), outlet, new Spoiling()],
      interval: 1,
      id: 'a',
    })
    const report = await link.transfer()
    t.match(report, { errors: [], outlets: [{ pushed: 2 }, { pushed: 2 }, { pushed: 2 }] })
    t.equal(read(), 'id,place\n1,p1\n2,p2\n')
    await outlet.onShutdown()
  },
)
