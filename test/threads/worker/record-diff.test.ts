import t from 'tap'
import { Record } from '../../../src/core/record.js'
import { pairsOf, snapshotsOf } from '../../../src/threads/worker/record-diff.js'

/** What became of records, one line for each: `1 > 2` for a change of the first field. */
function became(before: readonly unknown[], change: (payloads: readonly unknown[]) => readonly unknown[]): string[] {
  const given = before.map((payload) => new Record(payload))
  const snapshots = snapshotsOf(given, false)
  const out = change(before).map((payload) => new Record(payload))
  return pairsOf(snapshots, out, false).map(({ text, isIn, isOut, fields }) => {
    const changes = fields.map((one) => `${one.field}: ${one.before ?? ''} > ${one.after ?? ''}`)
    return `${isIn ? (isOut ? (changes.length > 0 ? '~' : '=') : '-') : '+'} ${[text, ...changes].join(', ')}`
  })
}

const orders = [
  { id: 1, price: 5 },
  { id: 2, price: 6 },
  { id: 3, price: 7 },
]

t.test('records that were made anew in another order are matched by their ids', async (t) => {
  const dearer = (payloads: readonly unknown[]) =>
    (payloads as typeof orders).map(({ id, price }) => ({ id, price: price * 2 })).reverse()
  t.same(became(orders, dearer), [
    '~ { id: 3, price: 7 }, price: 7 > 14',
    '~ { id: 2, price: 6 }, price: 6 > 12',
    '~ { id: 1, price: 5 }, price: 5 > 10',
  ])
  const many = Array.from({ length: 200 }, (_, id) => ({ id, a: 0, b: 0 }))
  const lines = became(many, () => many.map(({ id }) => ({ id, a: 1, b: 1 })).reverse())
  t.equal(lines.filter((line) => line.startsWith('~') && !line.includes('id: 0 >')).length, 200)
})

t.test('as many records without ids are matched by their order', async (t) => {
  const more = (payloads: readonly unknown[]) => (payloads as number[]).map((one) => one + 1)
  t.same(became([1, 2, 3], more), ['~ 1, payload: 1 > 2', '~ 2, payload: 2 > 3', '~ 3, payload: 3 > 4'])
})

t.test('what left is dropped, and what came is added', async (t) => {
  const last = { id: 9, price: 1 }
  t.same(
    became(orders, ([first]) => [first, last]),
    ['= { id: 1, price: 5 }', '+ { id: 9, price: 1 }', '- { id: 2, price: 6 }', '- { id: 3, price: 7 }'],
  )
  t.same(
    became(
      [
        { id: 1, a: 1 },
        { id: 1, a: 2 },
      ],
      () => [
        { id: 1, a: 5 },
        { id: 1, a: 6 },
        { id: 1, a: 7 },
      ],
    ),
    ['~ { id: 1, a: 1 }, a: 1 > 5', '~ { id: 1, a: 2 }, a: 2 > 6', '+ { id: 1, a: 7 }'],
    'also where ids are not unique',
  )
})
