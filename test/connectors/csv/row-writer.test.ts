/** Rows are written by code of our own; csv-stringify, and a writer that knows no row before, say what is right. */
import { stringify } from 'csv-stringify/sync'
import fc from '../../helpers/fast-check.js'
import { strictEqual } from 'node:assert'
import t from 'tap'
import { cellText } from '../../../src/connectors/csv/cell.js'
import type { CsvFormat } from '../../../src/connectors/csv/csv-format.js'
import { withGuard } from '../../../src/connectors/csv/formulas.js'
import { RowTaker } from '../../../src/connectors/csv/row-taker.js'
import { RowWriter } from '../../../src/connectors/csv/row-writer.js'
import { headerText } from '../../../src/connectors/csv/rows.js'

const usual: CsvFormat = {
  delimiter: ',',
  guardFormulas: true,
  ignoreExtraColumns: false,
  allowMissingColumns: false,
}

const KEYS = ['a', 'b', '=c', '__proto__', '1']

const words = [
  '',
  'x',
  ',',
  ';',
  '"',
  '\n',
  '\r',
  '\t',
  '=',
  '+1',
  '-2',
  "'",
  '@',
  '\0',
  '\uFEFF',
  '\u20ac',
  'long word',
]
const text = fc.array(fc.constantFrom(...words), { maxLength: 3 }).map((parts) => parts.join(''))
const value = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.oneof(fc.double(), fc.integer(), fc.constant(-0)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(null, undefined, true, 12n, new Date(0), new Date('-000001-01-01')),
  },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(new URL('http://a,b/'), {}, [], new Date(NaN), Symbol('s')) },
)
/** Payload with these keys, in this order. */
const payloadOf = (keys: readonly string[]) =>
  fc
    .array(value, { minLength: keys.length, maxLength: keys.length })
    .map((values) => Object.fromEntries(keys.map((key, index) => [key, values[index]])))
const payload = fc.oneof(
  { weight: 8, arbitrary: payloadOf(KEYS) },
  { weight: 1, arbitrary: fc.shuffledSubarray(KEYS).chain(payloadOf) },
  { weight: 1, arbitrary: fc.shuffledSubarray([...KEYS, 'other']).chain(payloadOf) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 'text', [1], new Map(), Object.create(null), new Date(0)) },
  {
    weight: 1,
    arbitrary: payloadOf(KEYS).map((row) => Object.defineProperty(row, Symbol('s'), { value: 1, enumerable: true })),
  },
)
const format = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '1', ']', '\\', '\u20ac', '-'),
  guardFormulas: fc.boolean(),
  ignoreExtraColumns: fc.boolean(),
  allowMissingColumns: fc.boolean(),
})

/** Takes rows of payloads and writes them. */
class Writer {
  readonly #taker: RowTaker
  readonly #writer: RowWriter

  constructor(columns: readonly string[], format: CsvFormat) {
    this.#taker = new RowTaker(format, columns)
    this.#writer = new RowWriter(columns, format)
  }

  text(payload: unknown): string {
    return this.#writer.text(this.#taker.take(payload))
  }
}

function resultOf(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return String(error)
  }
}

t.test('a row is the same, whatever was written before it', async () => {
  fc.assert(
    fc.property(format, fc.array(payload, { maxLength: 20 }), (given, payloads) => {
      const writer = new Writer(KEYS, given)
      for (const one of payloads) {
        const expected = resultOf(() => new Writer(KEYS, given).text(one))
        strictEqual(
          resultOf(() => writer.text(one)),
          expected,
        )
      }
    }),
  )
})

t.test('cells are in quotes where csv-stringify puts them', async () => {
  const columns = fc.integer({ min: 1, max: KEYS.length }).map((count) => KEYS.slice(0, count))
  const rows = columns.chain((keys) => fc.tuple(fc.constant(keys), fc.array(payloadOf(keys), { maxLength: 5 })))
  fc.assert(
    fc.property(format, rows, (given, [keys, payloads]) => {
      const writer = new Writer(keys, given)
      const guard = (one: unknown, cell: string) =>
        given.guardFormulas && (typeof one === 'string' || one instanceof URL) ? withGuard(cell) : cell
      for (const one of payloads) {
        const cells = resultOf(() => keys.map((key) => guard(one[key], cellText(key, one[key]))).join('\u{1f600}'))
        const written = resultOf(() => writer.text(one))
        if (cells.startsWith('Error: ')) strictEqual(written.startsWith('InvalidPayloadError: '), true)
        else strictEqual(written, quotedBy(cells.split('\u{1f600}'), given.delimiter))
      }
    }),
  )
})

t.test('cells stand in their columns, whatever the order of these and of the keys', async () => {
  fc.assert(
    fc.property(
      format,
      fc.shuffledSubarray(KEYS, { minLength: 2 }),
      fc.array(payload, { maxLength: 5 }),
      (given, columns, payloads) => {
        const other = new Writer(columns, given)
        const some = { ...given, ignoreExtraColumns: true, allowMissingColumns: true }
        const alone = columns.map((key) => [key, new Writer([key, 'beside'], some)] as const)
        for (const one of payloads) {
          const written = resultOf(() => other.text(one))
          if (written.startsWith('InvalidPayloadError: ')) continue
          const cells = alone.map(([, writer]) => writer.text(one).slice(0, -2))
          strictEqual(written, `${cells.join(given.delimiter)}\n`)
        }
      },
    ),
  )
})

function quotedBy(cells: readonly string[], delimiter: string): string {
  return stringify([[...cells]], {
    delimiter,
    quoted_empty: cells.length === 1,
    quoted_match: [/\r/, /^[\uFEFF\0]/],
  })
}

t.test('what an object makes of itself is guarded, too', async (t) => {
  const payloads = [
    { a: { toJSON: () => '=HYPERLINK("x")' } },
    { a: new String('@x') },
    { a: new Date('-000001-01-01') },
  ]
  const writer = new Writer(['a'], usual)
  t.same(
    payloads.map((one) => writer.text(one)),
    ['"\'=HYPERLINK(""x"")"\n', "'@x\n", '-000001-01-01T00:00:00.000Z\n'],
  )
})

t.test('a getter that fails, and a prototype that others have added to, are seen in any row', async (t) => {
  const writer = new Writer(['a'], usual)
  writer.text({ a: 1 })
  const failing = {
    get a() {
      throw new Error('not now')
    },
  }
  t.throws(() => writer.text(failing), { code: 'INVALID_PAYLOAD', message: /not now/ })
  t.throws(() => writer.text(Object.assign(Object.create({ b: 1 }), { a: 1 })), { code: 'INVALID_PAYLOAD' })
  t.equal(writer.text({ a: 2 }), '2\n')
})

t.test('a header is guarded and quoted like cells, and one name alone shows that it is one', async (t) => {
  t.equal(headerText(['a', '=b', 'c,d', ''], usual), 'a,\'=b,"c,d",\n')
  t.equal(headerText(['a;b'], usual), '"a;b"\n')
  t.equal(headerText([''], usual), '""\n')
  t.equal(headerText(['=1;2'], usual), '"\'=1;2"\n')
})
