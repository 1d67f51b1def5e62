import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { fromColumns, toColumns, withoutSame } from '../../../src/threads/protocol/columns.js'

/** Payloads as they arrive by columns; `undefined` when they have to go as they are. */
function crossing(payloads: readonly unknown[]): unknown[] | undefined {
  const columns = toColumns(payloads)
  return columns === undefined ? undefined : fromColumns(structuredClone(columns))
}

t.test('plain objects with the same fields come back as they were', async (t) => {
  const payloads = [
    { id: 1, name: 'a', at: undefined, big: 5n, none: null, on: true, '7': -0 },
    { id: NaN, name: '\ud800', at: 'x', big: 1, none: 0.5, on: false, '7': Infinity },
  ]
  t.strictSame(crossing(payloads), payloads)
  t.ok(Object.is(crossing(payloads)?.map((payload) => (payload as { '7': number })['7'])[0], -0))
})

t.test('whatever goes in columns arrives as a structured clone would', async (t) => {
  const value = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constantFrom(null, undefined, true), fc.object())
  const name = fc.constantFrom('a', 'b', '0', '10', 'constructor', '__proto__', 'toString')
  const payload = fc.dictionary(name, value)
  const alike = fc
    .tuple(payload, fc.array(fc.array(value, { minLength: 7, maxLength: 7 })))
    .map(([first, rows]) =>
      rows.map((row) => Object.fromEntries(Object.keys(first).map((name, index) => [name, row[index]]))),
    )
  fc.assert(
    fc.property(fc.oneof(alike, fc.array(payload)), (payloads) => {
      const crossed = crossing(payloads)
      if (crossed !== undefined) t.strictSame(crossed, structuredClone(payloads))
    }),
  )
})

t.test('other payloads go as they are', async (t) => {
  class Point {
    x = 1
  }
  const shared = { a: 1 }
  const circle: { [key: string]: unknown } = {}
  circle['self'] = circle
  const inherited: unknown = Object.create({ a: 1 })
  const others: { [what: string]: unknown[] } = {
    none: [],
    'no objects': [1, 'a'],
    null: [null],
    lists: [[1], [2]],
    'objects without fields': [{}, {}],
    'objects of a class': [new Point()],
    dates: [new Date(), new Date()],
    'another one later': [{ a: 1 }, 5],
    'another class later': [{ x: 1 }, new Point()],
    'other fields': [{ a: 1 }, { b: 1 }],
    'more fields': [{ a: 1 }, { a: 1, b: 1 }],
    'fewer fields': [{ a: 1, b: 1 }, { a: 1 }],
    'another order': [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    'values that may be shared': [{ a: shared }, { a: shared }],
    circles: [circle],
    functions: [{ a: () => 1 }],
    symbols: [{ a: Symbol('a') }],
    'one object twice': [shared, shared],
    'a field that would be the prototype': [JSON.parse('{"__proto__":1}')],
    'a prototype of its own': [inherited],
  }
  for (const [what, payloads] of Object.entries(others)) t.equal(toColumns(payloads), undefined, what)
})

t.test('what stands on every object is no field', async (t) => {
  const everywhere = Object.prototype as { everywhere?: number }
  everywhere.everywhere = 1
  t.teardown(() => {
    delete everywhere.everywhere
  })
  t.equal(toColumns([{ a: 1 }]), undefined)
})

t.test('an answer is without the columns that are as they were sent, and comes back whole', async (t) => {
  const sent = toColumns([
    { id: 1, name: 'a', zero: 0, no: NaN },
    { id: 2, name: 'b', zero: 0, no: NaN },
  ])
  if (sent === undefined) throw new Error('they are plain')
  const processed = [
    { no: NaN, name: 'a', zero: -0, id: 3, more: true },
    { no: NaN, name: 'b', zero: 0, id: 2, more: false },
  ]
  const columns = toColumns(processed)
  if (columns === undefined) throw new Error('they are plain')
  const answer = withoutSame(columns, sent)
  t.strictSame(answer.values, [3, 1, [-0, 0], [3, 2], [true, false]])
  t.strictSame(fromColumns(structuredClone(answer), sent), processed)
})

t.test('an answer comes back whole, whatever was made of what was sent', async (t) => {
  const value = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom(NaN, -0, '', 'a', null, undefined))
  const rows = fc.array(fc.record({ a: value, b: value, c: value }, { noNullPrototype: true }), {
    minLength: 1,
    maxLength: 4,
  })
  const renamed = fc.array(fc.record({ b: value, a: value, d: value }, { noNullPrototype: true }), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(rows, fc.oneof(rows, renamed), (before, after) => {
      const sent = toColumns(before)
      const columns = toColumns(after)
      if (sent === undefined || columns === undefined) throw new Error('they are plain')
      const crossed = fromColumns(structuredClone(withoutSame(columns, sent)), sent)
      t.strictSame(crossed, after)
      t.ok(
        after.every((row, at) =>
          Object.entries(row).every(([name, one]) => Object.is(Reflect.get(crossed[at] as object, name), one)),
        ),
      )
    }),
  )
})
