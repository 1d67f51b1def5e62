import { Buffer } from 'node:buffer'
import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { stringify } from 'csv-stringify/sync'
import fc, { runsOf } from '../../helpers/fast-check.js'
import t, { type Test } from 'tap'
import { BIG_INTEGERS, type BigIntegers } from '../../../src/connectors/big-integers.js'
import { CsvInlet, type CsvInletOptions } from '../../../src/connectors/csv/csv-inlet.js'
import type { CsvRow } from '../../../src/connectors/csv/types.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const update = new Update(['csv'], 0)

/** Starts an inlet for a file with this content. It is shut down when the test ends. */
async function open(t: Test, content: string | Buffer, options: CsvInletOptions = {}) {
  const file = `${t.testdir({ csv: content })}/csv`
  const inlet = new CsvInlet(file, options)
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return { file, inlet, pull: () => pulledBy(inlet, update) }
}

/** Rows of a file with this content, or the error of the pull. */
async function rowsOf(t: Test, content: string | Buffer, options: CsvInletOptions = {}): Promise<CsvRow[] | string> {
  const { file, pull } = await open(t, content, options)
  return pull().catch((error: unknown) => (error as Error).message.replace(`CsvInlet: cannot read ${file}: `, ''))
}

t.test('a row is an object by the names in the header', async (t) => {
  t.same(await rowsOf(t, '\uFEFFid,name\r\n1,one\r\n\r\n2,"two, ""2""\r\nlines"\r\n'), [
    { id: '1', name: 'one' },
    { id: '2', name: 'two, "2"\r\nlines' },
  ])
  t.same(await rowsOf(t, 'a;b\n1;"2;3"\n', { delimiter: ';' }), [{ a: '1', b: '2;3' }])
  t.same(await rowsOf(t, Buffer.from('\uFEFFé,b\nà,"c\nd"\n', 'utf16le'), { encoding: 'utf-16le' }), [
    { é: 'à', b: 'c\nd' },
  ])
  t.same(await rowsOf(t, Buffer.from('é\nà\n', 'latin1'), { encoding: 'latin1' }), [{ é: 'à' }])
  t.same(await rowsOf(t, 'only,header\n'), [])
  t.same(await rowsOf(t, ''), [])
})

t.test('a quote in a cell that does not start with one is text', async (t) => {
  t.same(await rowsOf(t, 'a,b\n5",6 "x"\n"7",8""\n'), [
    { a: '5"', b: '6 "x"' },
    { a: '7', b: '8""' },
  ])
})

t.test('a transfer reads all rows that are there, or so many', async (t) => {
  const content = `n\n${Array.from({ length: 3000 }, (_, row) => `${row}\n`).join('')}`
  t.equal((await rowsOf(t, content)).length, 3000)
  t.equal((await rowsOf(t, content, { rowsPerTransfer: 1000 })).length, 1000)
})

t.test('names of columns can be given', async (t) => {
  t.same(await rowsOf(t, 'a,b\n1,2\n', { columns: ['x', 'y'] }), [{ x: '1', y: '2' }])
  t.same(await rowsOf(t, '1,2\n3,4\n', { columns: ['x', 'y'], header: false }), [
    { x: '1', y: '2' },
    { x: '3', y: '4' },
  ])
  t.equal(
    await rowsOf(t, 'a,b\n1,2\n', { columns: ['x'] }),
    'line 1: the header has 2 cells, but there are 1 in the option columns',
  )
})

t.test('odd names of columns are names like others', async (t) => {
  const [row] = (await rowsOf(t, '__proto__,constructor,,toString\n1,2,3,4\n')) as CsvRow[]
  t.same(Object.entries(row ?? {}), [
    ['__proto__', '1'],
    ['constructor', '2'],
    ['', '3'],
    ['toString', '4'],
  ])
  t.equal(Object.getPrototypeOf(row), Object.prototype)
  t.equal(await rowsOf(t, '\na,b,a\n1,2,3\n'), "line 2: the header has the name 'a' twice")
  t.equal(await rowsOf(t, 'a,"b\n1,2\n"x\n3,4\n'), 'line 1: something follows a closing quote')
})

t.test('columns have types', async (t) => {
  const types = { n: 'number', i: 'bigint', b: 'boolean', d: 'date', s: 'string' } as const
  const read = (row: string) => rowsOf(t, `n,i,b,d,s\n${row}\n`, { types })
  t.same(await read('-1.5e3,12345678901234567890,TRUE,2020-07-30, x'), [
    { n: -1500, i: 12345678901234567890n, b: true, d: new Date('2020-07-30T00:00Z'), s: ' x' },
  ])
  t.same(await read(' 7 ,-1,0,2020-07-30T19:51:41.318+0200,'), [
    { n: 7, i: -1n, b: false, d: new Date('2020-07-30T17:51:41.318Z'), s: '' },
  ])
  t.match(await read('.5,+1,1,2020-07-30 19:51,'), [{ n: 0.5, i: 1n, b: true, d: new Date('2020-07-30T19:51Z') }])
  t.same(await read(',"",,,'), [{ n: null, i: null, b: null, d: null, s: '' }])

  const odd: [string, string][] = [
    ['x,,,,', 'n'],
    ['0x10,,,,', 'n'],
    ['Infinity,,,,', 'n'],
    ['1e999,,,,', 'n'],
    ['12345678901234567890,,,,', 'n'],
    [',1.5,,,', 'i'],
    [',,yes,,', 'b'],
    [',,,30.07.2020,', 'd'],
    [',,,2021-02-29,', 'd'],
    [',,,2021-13-01,', 'd'],
    [',,,2021-12-01T25:00,', 'd'],
  ]
  for (const [row, column] of odd) {
    const message = await read(`"1",1,1,,"a\nb"\n${row}`)
    t.same(message, [{ n: 1, i: 1n, b: true, d: null, s: 'a\nb' }], 'rows before are not held up')
    t.match(
      await read(row),
      new RegExp(`^line 2, column '${column}': expected an? |^line 2, column 'b': expected true`),
    )
  }
  t.equal(
    await rowsOf(t, 'a,b\n1,2\n', { types: { c: 'number' } }),
    "line 1: the header has no column 'c', which the option types names",
  )
})

t.test('a bad row fails again and again, or is left out and counted', async (t) => {
  const logs = captureLogs(t)
  const bad = ['1', '1,2,3', '1,"2', '1,"2"x', 'secret,2', `1,${'2'.repeat(50)}`]
  const options = { types: { a: 'number' }, maxRowLength: 40 } as const
  const expected = [
    'line 4: the row has 1 cell instead of 2',
    'line 4: the row has 3 cells instead of 2',
    'line 4: the row is longer than maxRowLength, which is 40 bytes',
    'line 4: something follows a closing quote',
    "line 4, column 'a': expected a number such as -1.5e3",
    'line 4: the row is longer than maxRowLength, which is 40 bytes',
  ]
  for (const [index, row] of bad.entries()) {
    const content = `a,b\n1,"x\ny"\n${row}\n5,6\n${'7,8\n'.repeat(20)}9,"10"\n`
    const { pull, file } = await open(t, content, { ...options, badRows: 'error' })
    t.same(await pull(), [{ a: 1, b: 'x\ny' }])
    const message = `CsvInlet: cannot read ${file}: ${expected[index]}`
    for (let attempt = 0; attempt < 2; attempt++) await t.rejects(pull(), { code: 'DATABAY_FILE', message, path: file })

    const skipping = await open(t, content, { ...options, badRows: 'skip' })
    const rows = await skipping.pull()
    t.equal(rows.length, 23, row)
    t.match(logs.entries().at(-1), { damaged: 1, msg: new RegExp(`1 rows not taken as they are: ${expected[index]}`) })
  }
  t.notMatch(logs.lines.join(''), /secret/)
})

t.test('a header is never passed over', async (t) => {
  t.equal(await rowsOf(t, 'a,a\n1,2\n', { badRows: 'skip' }), "line 1: the header has the name 'a' twice")
  const header = 'a'.repeat(50)
  const long = 'line 1: the row is longer than maxRowLength, which is 40 bytes'
  t.equal(await rowsOf(t, `${header}\n1\n`, { badRows: 'skip', maxRowLength: 40 }), long)
})

t.test('short rows can be filled', async (t) => {
  t.same(await rowsOf(t, 'a,b,c\n1\n1,2\n', { shortRows: 'fill', types: { c: 'number' } }), [
    { a: '1', b: null, c: null },
    { a: '1', b: '2', c: null },
  ])
  t.equal(await rowsOf(t, 'a\n1,2\n', { shortRows: 'fill' }), 'line 2: the row has 2 cells instead of 1')
})

t.test('a transfer reads so many rows, and the last one waits until it is whole', async (t) => {
  const { file, pull } = await open(t, 'a,b\n1,2\n3,4\n5,"6', { rowsPerTransfer: 1 })
  t.same([await pull(), await pull(), await pull()], [[{ a: '1', b: '2' }], [{ a: '3', b: '4' }], []])
  appendFileSync(file, '\n7"')
  t.same(await pull(), [])
  appendFileSync(file, '\r')
  t.same(await pull(), [])
  appendFileSync(file, '\n')
  t.same(await pull(), [{ a: '5', b: '6\n7' }])
})

t.test('a file that takes the place of another has a header of its own', async (t) => {
  captureLogs(t)
  const { file, pull } = await open(t, 'a,b\n1,2\n3,4')
  t.same(await pull(), [{ a: '1', b: '2' }])
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'b,c\n5,6\n')
  t.same(await pull(), [{ a: '3', b: '4' }])
  t.same(await pull(), [{ b: '5', c: '6' }])
  truncateSync(file)
  appendFileSync(file, 'd\n7\n')
  t.same(await pull(), [{ d: '7' }])
})

t.test('a half row at the end of a rotated file is an error once, and the next file follows', async (t) => {
  for (const [half, why] of [
    ['3', 'line 3: the row has 1 cell instead of 2'],
    ['3,"4\n5,6\n', 'line 3: a quote is not closed'],
    [`3,${'4'.repeat(50)}`, 'line 3: the row is longer than maxRowLength, which is 40 bytes'],
  ] as const) {
    const logs = captureLogs(t)
    const { file, inlet, pull } = await open(t, `a,b\n1,2\n${half}`, { maxRowLength: 40 })
    t.same(await pull(), [{ a: '1', b: '2' }])
    renameSync(file, `${file}.1`)
    writeFileSync(file, 'a,b\n7,8\n')
    await t.rejects(pull(), { code: 'DATABAY_FILE', message: `CsvInlet: cannot read ${file}: ${why}` })
    t.match(logs.entries().at(-1), { damaged: 1, total: 1, msg: new RegExp(`1 rows not taken as they are: ${why}$`) })
    t.match(inlet.saveState(), { damaged: 1 })
    t.same(await pull(), [{ a: '7', b: '8' }])
  }
})

t.test('half a header at the end of a rotated file is an error once, and the next file follows', async (t) => {
  captureLogs(t)
  const { file, pull } = await open(t, 'a,a')
  t.same(await pull(), [])
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'a,b\n7,8\n')
  await t.rejects(pull(), { message: /line 1: the header has the name 'a' twice$/ })
  t.same(await pull(), [{ a: '7', b: '8' }])
})

t.test('another instance goes on where the state was saved, with the columns and lines', async (t) => {
  const { file, inlet, pull } = await open(t, 'a\n1\n2\nx,y\n', { rowsPerTransfer: 1 })
  await pull()
  const state = JSON.parse(JSON.stringify(inlet.saveState())) as unknown
  const other = new CsvInlet(file)
  other.restoreState(state)
  await other.onStart()
  t.same(await other.pull(update), [{ a: '2' }])
  await t.rejects(other.pull(update), /line 4: the row has 2 cells/)
  await other.onShutdown()
  for (const odd of [1, null, { line: 'x' }, { line: 1, names: 'ab', inLongRow: null }]) {
    const fresh = new CsvInlet(file)
    fresh.restoreState({ ...(state as object), state: odd })
    t.equal(fresh.saveState(), undefined)
  }
})

t.test('it reads what CsvOutlet writes', async (t) => {
  const file = `${t.testdir()}/out.csv`
  const rows = [
    { id: 1, text: 'a "b", c', at: new Date(0), none: null },
    { id: 2, text: 'line\nline', at: new Date(1e12), none: null },
  ]
  await new CsvOutlet(file).push(
    rows.map((row) => new Record(row)),
    update,
  )
  const inlet = new CsvInlet(file, { types: { id: 'number', at: 'date', none: 'number' } })
  await inlet.onStart()
  t.same(await inlet.pull(update), rows)
  t.equal(String(inlet), `CsvInlet(${file})`)
  await inlet.onShutdown()
})

t.test('rows come as they were written, wherever the file is cut while it grows', async (t) => {
  captureLogs(t)
  const folder = t.testdir({})
  const cell = fc.oneof(
    // NULs at the start of a line are taken for damage
    fc.string({ unit: 'binary' }).filter((text) => !/(^|[\r\n])\0/.test(text)),
    fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'é', '😀', ' ', 'a') }),
  )
  const table = fc
    .integer({ min: 2, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }))
  let runs = 0
  const property = fc.asyncProperty(
    table,
    fc.constantFrom('\n' as const, '\r\n' as const),
    fc.array(fc.nat(20)),
    fc.integer({ min: 1, max: 3 }),
    fc.boolean(),
    async (rows, newline, cuts, rowsPerTransfer, restarts) => {
      const names = (rows[0] ?? []).map((_, index) => `column ${index}`)
      const bytes = Buffer.from(
        stringify([names, ...rows], { record_delimiter: newline, quoted_match: /[\r\n"]/, quoted_empty: true }),
      )
      const file = `${folder}/${runs}`
      writeFileSync(file, '')
      let inlet = new CsvInlet(file, { rowsPerTransfer })
      await inlet.onStart()
      const pulled: CsvRow[] = []
      const pullAll = async () => {
        for (let got = await pulledBy(inlet, update); got.length > 0; got = await pulledBy(inlet, update)) {
          if (got.length > rowsPerTransfer) throw new Error(`${got.length} rows at once`)
          pulled.push(...got)
        }
      }
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const next = at + 1 + (cuts[cut] ?? bytes.length)
        appendFileSync(file, bytes.subarray(at, next))
        at = next
        await pullAll()
        if (restarts) {
          await inlet.onShutdown()
          const state = inlet.saveState()
          inlet = new CsvInlet(file, { rowsPerTransfer })
          inlet.restoreState(state)
          await inlet.onStart()
        }
      }
      await inlet.onShutdown()
      const expected = rows.map((row) =>
        Object.fromEntries(row.map((value, index) => [names[index] ?? '', value] as const)),
      )
      if (JSON.stringify(pulled) !== JSON.stringify(expected)) {
        throw new Error(`${JSON.stringify(readFileSync(file, 'utf8'))} gave ${JSON.stringify(pulled)}`)
      }
      runs++
    },
  )
  await fc.assert(property, { numRuns: runsOf(200) })
  t.equal(runs, runsOf(200))
  t.comment(`CsvInlet against what was written: ${runs} runs held`)
})

t.test('options are checked', async (t) => {
  const cases: [unknown, unknown, string][] = [
    ['', {}, 'filepath'],
    ['a', { delimiter: ',,' }, 'delimiter'],
    ['a', { delimiter: '"' }, 'delimiter'],
    ['a', { delimiter: 'é' }, 'delimiter'],
    ['a', { delimiter: '\0' }, 'delimiter'],
    ['a', { header: 'no' }, 'header'],
    ['a', { header: false }, 'columns'],
    ['a', { columns: [] }, 'columns'],
    ['a', { columns: 'ab' }, 'columns'],
    ['a', { columns: ['a', 'a'] }, 'columns'],
    ['a', { columns: [1] }, 'columns'],
    ['a', { types: 1 }, 'types'],
    ['a', { types: { a: 'int' } }, 'types.a'],
    ['a', { types: { b: 'number' }, columns: ['a'] }, 'types.b'],
    ['a', { shortRows: 'allow' }, 'shortRows'],
    ['a', { badRows: 'ignore' }, 'badRows'],
    ['a', { rowsPerTransfer: 0 }, 'rowsPerTransfer'],
    ['a', { maxRowLength: 0 }, 'maxRowLength'],
    ['a', { missing: 'wait' }, 'missing'],
    ['a', { encoding: 'hex' }, 'encoding'],
    ['a', { rows: 1 }, 'rows'],
  ]
  for (const [file, options, option] of cases) {
    t.throws(() => new CsvInlet(file as string, options as CsvInletOptions), {
      code: 'DATABAY_INVALID_OPTION',
      option: `CsvInlet.${option}`,
    })
  }
})

t.test('rows with bytes that are not of the encoding are counted in the log', async (t) => {
  const logs = captureLogs(t)
  const file = `${t.testdir({ rows: Buffer.from('a,b\n1,x\n2,ä\n3,ö\n4\n', 'latin1') })}/rows`
  const inlet = new CsvInlet(file, { badRows: 'skip' })
  await inlet.onStart()
  const rows = await pulledBy(inlet, update)
  t.same(
    rows.map(({ b }) => b),
    ['x', '\uFFFD', '\uFFFD'],
  )
  await inlet.onShutdown()
  t.match(logs.entries(), [{ damaged: 3, msg: /3 rows not taken as they are: line 3 has bytes that are not utf-8$/ }])
})

t.test('an integer that a number cannot hold is a bad row, or what bigIntegers says', async (t) => {
  const changing: [string, bigint][] = [
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9007199254740993.0', 9007199254740993n],
    ['9007199254740993e0', 9007199254740993n],
    ['9007199254740.993e3', 9007199254740993n],
    ['12345678901234567890.00', 12345678901234567890n],
    ['18446744073709551616', 18446744073709551616n],
    ['12345678901234560000', 12345678901234560000n],
  ]
  const beyond = ['1e400', '-1e400', '1e-400']
  const fine: [string, number][] = [
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['0.12345678901234567891', 0.12345678901234568],
    ['9007199254740991.4', Number('9007199254740991.4')],
    ['12345678901234567.5', 12345678901234568],
    ['6.02214076e23', 6.02214076e23],
    ['100000000000000000000', 1e20],
    ['0e999', 0],
    ['-0', -0],
  ]
  const read = (text: string, bigIntegers?: BigIntegers) =>
    rowsOf(t, `id\n${text}\n`, { types: { id: 'number' }, ...(bigIntegers === undefined ? {} : { bigIntegers }) })
  const bad = "line 2, column 'id': expected a number that can be held exactly enough (see the option bigIntegers)"
  for (const text of [...changing.map(([text]) => text), ...beyond]) t.equal(await read(text), bad, text)
  for (const [text, id] of fine) {
    for (const one of BIG_INTEGERS) t.strictSame(await read(text, one), [{ id }], text)
  }
  for (const [text, id] of changing) {
    t.strictSame(await read(text, 'bigint'), [{ id }], text)
    t.strictSame(await read(text, 'string'), [{ id: text }], text)
    t.strictSame(await read(text, 'number'), [{ id: Number(id) }], text)
  }
  for (const text of beyond) {
    t.strictSame(await read(text, 'string'), [{ id: text }])
    for (const one of ['bigint', 'number'] as const) t.equal(await read(text, one), bad)
  }
  t.strictSame(await read('9'.repeat(400), 'bigint'), [{ id: BigInt('9'.repeat(400)) }])
  t.throws(() => new CsvInlet('x', { bigIntegers: 'big' as never }), { message: /^CsvInlet.bigIntegers: / })
})

t.test('any integer is exact as a bigint, with a fraction of zeros and without', async (t) => {
  const integer = fc.tuple(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.nat(6))
  await fc.assert(
    fc.asyncProperty(fc.array(integer, { minLength: 1 }), async (integers) => {
      const texts = integers.map(([value, zeros]) => `${value}${zeros === 0 ? '' : `.${'0'.repeat(zeros - 1)}`}`)
      const options = { types: { id: 'number' }, bigIntegers: 'bigint' } as const
      const rows = (await rowsOf(t, `id\n${texts.join('\n')}\n`, options)) as CsvRow[]
      t.strictSame(
        rows.map(({ id }) => BigInt(id as number | bigint)),
        integers.map(([value]) => value),
      )
    }),
    { numRuns: 50 },
  )
})

t.test('dates of ISO 8601', async (t) => {
  const cases: [string, string][] = [
    ['2020-12-31 21:25:58.745232+02', '2020-12-31T19:25:58.745Z'],
    ['2020-12-31 21:25:58 -0330', '2021-01-01T00:55:58.000Z'],
    ['2020-12-31 21:25:58.5 UTC', '2020-12-31T21:25:58.500Z'],
    ['20201231T212558Z', '2020-12-31T21:25:58.000Z'],
    ['20201231', '2020-12-31T00:00:00.000Z'],
    ['2020-12-31t21:25z', '2020-12-31T21:25:00.000Z'],
    ['2020-12-31T21', '2020-12-31T21:00:00.000Z'],
    ['2020-12-31T21:25:58,5Z', '2020-12-31T21:25:58.500Z'],
    ['2020-12-31T24:00:00Z', '2021-01-01T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['+012020-01-01T00:00:00.000Z', '+012020-01-01T00:00:00.000Z'],
  ]
  for (const [text, date] of cases) {
    t.strictSame(await rowsOf(t, `at\n"${text}"\n`, { types: { at: 'date' } }), [{ at: new Date(date) }], text)
  }
  const none = ['2020-02-31', '2021-02-29T00:00Z', '2020-12-31T24:00:01Z', '2020-12-31T25:00Z', '2020-12-31T21:60']
  const odd = ['2020-1231', '2020-12-31T21:25:58+2', '12020-01-01', '20201231T21:25:58', '1609449958']
  for (const text of [...none, ...odd])
    t.match(await rowsOf(t, `at\n"${text}"\n`, { types: { at: 'date' } }), /expected a date/, text)
})

t.test('what CsvOutlet wrote comes back as it was, formulas and names of columns too', async (t) => {
  const characters = [
    "'",
    '=',
    '-',
    '+',
    '@',
    '\t',
    '\r',
    '\n',
    ',',
    ';',
    '|',

    '"',
    ' ',
    '1',
    '.',
    'e',
    'a',
    '\uFEFF',
    '\uFF1D',
  ]
  const cell = fc.string({ unit: fc.constantFrom(...characters) })
  const table = fc
    .uniqueArray(
      cell.filter((text) => text !== ''),
      { minLength: 1, maxLength: 4 },
    )
    .chain((names) =>
      fc.array(fc.record(Object.fromEntries(names.map((name) => [name, cell])), { noNullPrototype: true }), {
        minLength: 1,
      }),
    )
  const folder = t.testdir({})
  let run = 0
  await fc.assert(
    fc.asyncProperty(table, fc.boolean(), async (payloads, guardFormulas) => {
      const file = `${folder}/${run++}.csv`
      const outlet = new CsvOutlet(file, { guardFormulas })
      for (const payload of payloads) await outlet.push([new Record(payload)], update)
      const inlet = new CsvInlet(file, { guardFormulas })
      await inlet.onStart()
      try {
        t.strictSame(await inlet.pull(update), payloads)
      } finally {
        await inlet.onShutdown()
      }
    }),
    { numRuns: 100 },
  )
})

t.test('a NUL at the start of a row that CsvOutlet wrote is text, and no damage', async (t) => {
  const file = `${t.testdir({})}/csv`
  const payloads = [
    { a: '\0', b: 'some text' },
    { a: '\0more', b: '\0' },
  ]
  await new CsvOutlet(file).push(
    payloads.map((payload) => new Record(payload)),
    update,
  )
  const inlet = new CsvInlet(file)
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  t.same(await inlet.pull(update), payloads)
})
