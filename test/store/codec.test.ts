import { ObjectId, Decimal128, DBRef, BSON } from 'mongodb'
import t from 'tap'
import fc from '../helpers/fast-check.js'
import { Record } from '../../src/core/record.js'
import { CODEC, decodeRecords, decodeValue, encodeRecords, encodeValue } from '../../src/store/codec.js'

const inlet = { __inlet__: 'OrdersInlet' }

/** Records as they come back from the disk. */
function again(payloads: readonly unknown[], metadata: object = inlet): unknown[] {
  const shared = Object.freeze({ ...metadata })
  return decodeRecords(encodeRecords(payloads.map((payload) => new Record(payload, shared)))).map(
    ({ payload }) => payload,
  )
}

t.test('records come back as they were', async (t) => {
  const payloads = [
    ...[1, 'text', 'caf\u00e9 \ud83d\ude00', '\ud800', null, undefined, true, -0, NaN, Infinity, 12n],
    { a: [1, { b: undefined }], d: new Date(5), m: new Map([[{ k: 1 }, new Set([1])]]), r: /x/gi },
    [
      new Uint8Array([1, 2]),
      Buffer.from('hi'),
      new Float64Array([1.5]),
      new ArrayBuffer(3),
      new DataView(new ArrayBuffer(2)),
    ],
    Object.assign(Object.create(null) as object, { plain: 1 }),
    ['sparse', , 'list'],
  ]
  t.same(again(payloads), payloads)
  t.ok(Object.is(again([-0])[0], -0))
  const circle: { self?: unknown; date: Date } = { date: new Date(1) }
  circle.self = circle
  const [back] = again([circle]) as [typeof circle]
  t.equal(back.self, back, 'a circle stays one')
  const shared = { big: 1 }
  const [one, two] = again([{ shared }, { shared }]) as [{ shared: object }, { shared: object }]
  t.equal(one.shared, two.shared, 'what is there twice stays one')
})

/** Values within others. Invalid dates are not among them: a difference of those cannot be printed. */
const VALUES = [
  ...[fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constantFrom(null, undefined, Number.NaN)],
  fc.date({ noInvalidDate: true }),
]

t.test('whatever JSON can be comes back', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.anything({ values: VALUES, withMap: true, withSet: true, withTypedArray: true, withBigInt: true })),
      (payloads) => {
        t.same(again(payloads).length, payloads.length)
        t.strictSame(again(payloads), payloads)
      },
    ),
    { numRuns: 50 },
  )
  const [invalid] = again([new Date(Number.NaN)])
  t.ok(invalid instanceof Date && Number.isNaN(invalid.getTime()))
})

t.test('records of a pull share their metadata again', async (t) => {
  const [a, b] = [Object.freeze({ ...inlet, n: 1 }), Object.freeze({ ...inlet, n: 2 })]
  const records = decodeRecords(encodeRecords([new Record(1, a), new Record(2, b), new Record(3, a)]))
  t.same(
    records.map(({ metadata }) => metadata['n']),
    [1, 2, 1],
  )
  t.equal(records[0]?.metadata, records[2]?.metadata)
  t.same(decodeRecords(encodeRecords([])), [])
})

t.test('values of BSON come back: as plain data with their tag, or as they were', async (t) => {
  const id = new ObjectId()
  const payload = {
    _id: id,
    price: Decimal128.fromString('1.10'),
    ref: new DBRef('c', id),
    list: [id],
    map: new Map([['id', id]]),
  }
  const body = encodeRecords([new Record(payload, inlet)])
  t.equal(body.codec, CODEC.v8 | CODEC.bson)
  const [plain] = decodeRecords(body) as [Record<{ _id: unknown }>]
  t.same(plain.payload._id, { _bsontype: 'ObjectId', $oid: id.toHexString() })
  const revive = (form: object) => BSON.EJSON.deserialize(form, { relaxed: false }) as unknown
  const [back] = decodeRecords(body, revive) as [Record<typeof payload>]
  t.ok(back.payload._id instanceof ObjectId && back.payload._id.equals(id))
  t.equal(back.payload.price.toString(), '1.10')
  t.ok(back.payload.map.get('id')?.equals(id))
  t.ok(back.payload.list[0]?.equals(id))
  t.equal(payload._id, id, 'the record itself is not changed')
})

class Order {
  id = 1
}
class Secret {
  readonly #key = 'secret'
  key(): string {
    return this.#key
  }
}
class MyDate extends Date {}
const throwing = Object.defineProperty({}, 'x', {
  enumerable: true,
  get: () => {
    throw new Error('no')
  },
})

const refused: readonly (readonly [name: string, payload: unknown, message: RegExp])[] = [
  [
    'an instance of a class',
    { a: [{ order: new Order() }] },
    /payload\.a\[0\]\.order is an Order, whose class would be lost/,
  ],
  ['private fields', { s: new Secret() }, /payload\.s is a Secret/],
  ['a URL', new URL('http://user:secret@some.test'), /payload is a URL/],
  ['a class that extends one of the engine', { d: new MyDate() }, /payload\.d is a MyDate/],
  ['a function', { f: () => 1 }, /payload\.f is a function/],
  ['a symbol', { s: Symbol('x') }, /payload\.s is a symbol/],
  ['a symbol for a key', { deep: { [Symbol('x')]: 1 } }, /payload\.deep has a symbol for a key/],
  [
    'an error, of which a newer Node could not read the cause',
    { e: new Error('x', { cause: 1 }) },
    /payload\.e is an Error/,
  ],
  ['a field beside a date', { d: Object.assign(new Date(), { zone: 'x' }) }, /payload\.d is a Date with a field zone/],
  ['a proxy', { d: new Date(), p: new Proxy({}, {}) }, /payload(\.p)? /],
  ['a promise in a map', { d: new Map([['a', Promise.resolve()]]) }, /payload\.d\[0\] is a Promise/],
  ['shared memory', { d: new SharedArrayBuffer(1) }, /payload\.d is a SharedArrayBuffer/],
  ['a getter that throws', throwing, /payload\.x/],
]
for (const [name, payload, message] of refused) {
  t.test(`${name} is refused, with the inlet and the path`, async (t) => {
    const encode = () => encodeRecords([new Record(1, inlet), new Record(payload, inlet)])
    t.throws(encode, {
      code: 'DATABAY_UNSPOOLABLE',
      message: /^record 1 of OrdersInlet cannot be kept on the disk: payload/,
    })
    t.throws(encode, { message })
    try {
      encode()
    } catch (error) {
      t.notMatch((error as Error).message, /secret/)
    }
  })
}

t.test('so is what is in metadata, and in the state of a node', async (t) => {
  t.throws(() => encodeRecords([new Record(1, { ...inlet, at: new Order() })]), {
    message: /^record 0 of OrdersInlet cannot be kept on the disk: metadata\.at is an Order/,
  })
  t.throws(() => encodeValue({ seen: new Order() }, 'the state of Distinct'), {
    code: 'DATABAY_UNSPOOLABLE',
    message: /^the state of Distinct cannot be kept on the disk: state\.seen is an Order/,
  })
  t.same(decodeValue(encodeValue({ position: 5, seen: new Map([[1, 2]]) }, 'the state of x')), {
    position: 5,
    seen: new Map([[1, 2]]),
  })
})

t.test('what a newer databay encoded is refused', async (t) => {
  const body = encodeRecords([new Record(1, inlet)])
  t.throws(() => decodeRecords({ ...body, codec: 64 | 1 }), { code: 'DATABAY_STORE_VERSION' })
})
