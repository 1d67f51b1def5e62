import t from 'tap'
import { Record } from '../../../src/core/record.js'
import { pack, unpack } from '../../../src/threads/protocol/records.js'
import { uncloneable } from '../../../src/threads/protocol/uncloneable.js'

const crossing = (records: Record[]) => unpack(structuredClone(pack(records)))

/** Error for records that cannot cross. */
function refused(records: readonly Record[]): Error {
  try {
    structuredClone(pack(records))
  } catch (thrown) {
    return uncloneable(records, thrown)
  }
  throw new Error('they were cloned')
}

t.test('records are the same on the other side, in their order', async (t) => {
  const records = crossing([new Record({ at: new Date(5) }, { a: 1 }), new Record(undefined), new Record([1, 2])])
  t.ok(records.every((record) => record instanceof Record))
  t.strictSame(
    records.map(({ payload, metadata }) => [payload, metadata]),
    [
      [{ at: new Date(5) }, { a: 1 }],
      [undefined, {}],
      [[1, 2], {}],
    ],
  )
  t.same(crossing([]), [])
})

t.test('records that share their metadata share it on the other side, frozen', async (t) => {
  const metadata = Object.freeze({ inlet: 'a' })
  const [a, b, c] = crossing([new Record(1, metadata), new Record(2, metadata), new Record(3, { inlet: 'a' })])
  t.equal(a?.metadata, b?.metadata)
  t.not(a?.metadata, c?.metadata)
  t.ok(Object.isFrozen(a?.metadata))
})

t.test('payloads alike go in columns, others as they are', async (t) => {
  const alike = [new Record({ id: 1, name: 'a' }, { a: 1 }), new Record({ id: 2, name: 'b' })]
  t.same(pack(alike).columns?.names, ['id', 'name'])
  t.strictSame(
    crossing(alike).map(({ payload, metadata }) => [payload, metadata]),
    [
      [{ id: 1, name: 'a' }, { a: 1 }],
      [{ id: 2, name: 'b' }, {}],
    ],
  )
  const payload = { id: 1, parts: [1] }
  const [first, second] = crossing([new Record(payload), new Record(payload)])
  t.strictSame(first?.payload, payload)
  t.equal(first?.payload, second?.payload, 'what was one object is one object')
})

t.test('what cannot be cloned is named by its record, its inlet and its path', async (t) => {
  const fine = new Record({ a: 1 }, { __inlet__: 'Fine' })
  const error = refused([fine, new Record({ rows: [{ at: 1 }, { at: () => 1 }] }, { __inlet__: 'RowInlet' })])
  t.match(error, {
    name: 'UncloneableRecordError',
    code: 'DATABAY_UNCLONEABLE_RECORD',
    message:
      /^record 1 of RowInlet cannot cross to a thread: payload\.rows\[1\]\.at cannot be cloned \(.* could not be cloned/,
    cause: { name: 'DataCloneError' },
  })
})

t.test('the payload itself, and metadata, are named too', async (t) => {
  t.match(refused([new Record(() => 1)]).message, /^record 0 cannot cross to a thread: payload cannot be cloned/)
  t.match(refused([new Record(1, { by: Symbol('x') })]).message, /metadata\.by cannot be cloned/)
})

t.test('a payload that refers to itself is looked through once', async (t) => {
  const payload: { [key: string]: unknown } = { name: 'circle' }
  payload['self'] = payload
  payload['bad'] = () => 1
  t.match(refused([new Record(payload)]).message, /payload\.bad cannot be cloned/)
})

t.test('what is inside of a container without fields is named by its container', async (t) => {
  t.match(refused([new Record({ map: new Map([['f', () => 1]]) })]).message, /payload\.map cannot be cloned/)
})

t.test('a field that throws when it is read is named', async (t) => {
  const payload = {
    inner: {
      get broken(): never {
        throw new Error('do not read me')
      },
    },
  }
  t.match(refused([new Record(payload)]), {
    code: 'DATABAY_UNCLONEABLE_RECORD',
    message: /payload\.inner\.broken cannot be cloned \(do not read me\)/,
  })
})

t.test('when each record alone can be cloned, the error says that something cannot', async (t) => {
  const error = uncloneable([new Record(1)], 'no reason')
  t.match(error, { code: 'DATABAY_UNCLONEABLE_RECORD', message: /^records cannot cross to a thread: something/ })
  t.match(uncloneable([new Record(() => 1)], 'no reason').message, /payload cannot be cloned$/)
})
