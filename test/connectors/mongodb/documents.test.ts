import * as mongo from 'mongodb'
import t from 'tap'
import { tagged } from '../../../src/base/bson.js'
import { toEntries } from '../../../src/connectors/mongodb/documents.js'
import { resolveOutletOptions } from '../../../src/connectors/mongodb/outlet-options.js'

class Secret {
  #code = 1
  open = 2
  code() {
    return this.#code
  }
}

const broken = {
  get field(): never {
    throw new Error('not now')
  },
}

t.test('what BSON would change or lose is refused, with its path', (t) => {
  const cases: [payload: unknown, message: RegExp][] = [
    [{ text: 'cut \ud83d' }, /: payload\.text is a text with half of a surrogate pair/],
    [{ a: { '\ud83d': 1 } }, /: payload\.a is a text with half of a surrogate pair/],
    [[{ n: 1 }, { a: ['\ud83d'] }], /: payload\[1]\.a\[0] is a text with half of a surrogate pair/],
    [{ a: [1, undefined] }, /: payload\.a\[1] is undefined/],
    [{ a: new Secret() }, /: payload\.a is a Secret, which has private fields/],
    [new Secret(), /: payload is a Secret, which has private fields/],
    [{ a: { [Symbol('s')]: 1 } }, /: payload\.a has a field that a symbol names/],
    [{ a: new Map([[1, 2]]) }, /: a payload cannot be stored: /],
    [new Map([[1, 2]]), /: payload has a key that is a number/],
    [{ a: new ArrayBuffer(3) }, /: payload\.a is an ArrayBuffer/],
    [{ a: Object.assign([1], { index: 0 }) }, /: payload\.a\.index is a field of a list/],
    [{ a: Object.assign(new Date(0), { zone: 'UTC' }) }, /: payload\.a\.zone is a field of a Date/],
    [{ a: Object.create({ unit: 'kg' }) as object }, /: payload\.a is an object/],
    [{ a: { [Symbol.toStringTag]: 'Date' } }, /: payload\.a has a field that a symbol names/],
    [{ a: [broken] }, /: payload\.a\[0]\.field cannot be read: not now/],
    [{ a: /x/g }, /: payload\.a is a RegExp with the flags g/],
    [{ a: 2n ** 63n }, /: payload\.a is a number of more than 64 bits/],
  ]
  for (const [payload, message] of cases) {
    t.throws(() => toEntries(mongo, 0, payload, undefined), { code: 'DATABAY_INVALID_PAYLOAD', message })
  }
  const nested = { a: { b: '\ud83d' }, n: 1 }
  t.throws(() => toEntries(mongo, 0, nested, ['a.b']), { message: /: payload\.a\.b is a text with half/ })
  t.throws(() => toEntries(mongo, 0, { 'a.b': 1 }, ['a.b']), { message: /its key field a\.b is missing/ })
  t.end()
})

t.test('serialize says what is stored, and values of BSON that crossed to another thread are what they were', (t) => {
  const id = new mongo.ObjectId()
  const [crossed] = toEntries(
    mongo,
    0,
    { id: structuredClone(tagged(id)), n: [structuredClone(tagged(mongo.Long.fromString('5')))] },
    undefined,
  )
  t.ok(id.equals(crossed?.document['id'] as mongo.ObjectId))
  t.equal(String((crossed?.document['n'] as unknown[])[0]), '5')
  const paths: string[] = []
  const [entry] = toEntries(mongo, 0, { a: [new Set([1])], b: 'x' }, undefined, (value, path) => {
    paths.push(path)
    return value instanceof Set ? [...(value as Set<unknown>)] : undefined
  })
  t.match(entry?.document, { a: [[1]], b: 'x' })
  t.strictSame(paths, ['', 'a', 'a[0]', 'a[0][0]', 'b'])
  t.end()
})

t.test('data from elsewhere that only looks like a value of BSON never becomes one: it is refused by its path', (t) => {
  const id = '650000000000000000000001'
  const cases: object[] = [
    { _bsontype: 'x', $code: 'sleep(1)' },
    { _bsontype: 'x', $foo: 1, b: 2 },
    { _bsontype: 'ObjectId', $oid: 'hello' },
    { _bsontype: 'Long', $oid: id },
    { _bsontype: 'ObjectId', $oid: id, b: 2 },
    { _bsontype: 'ObjectId', id },
    { $oid: id, _bsontype: 'ObjectId' },
  ]
  const message = /: payload\.a\[0\] has an invalid _bsontype: its other fields are not those of a value of BSON/
  for (const value of cases) {
    t.throws(() => toEntries(mongo, 0, { a: [value] }, undefined), { code: 'DATABAY_INVALID_PAYLOAD', message })
    t.throws(() => toEntries(mongo, 0, value, undefined), { message: /: payload has an invalid _bsontype/ })
  }
  t.end()
})

t.test('a key field has a name for each of its steps', (t) => {
  for (const key of ['a..b', '.a', 'a.', '', '\ud83d']) {
    t.throws(() => resolveOutletOptions({ mode: 'upsert', keys: [key] }), { message: /^MongoOutlet\.keys: / })
  }
  t.strictSame(resolveOutletOptions({ mode: 'upsert', keys: ['a.b'] }).keys, ['a.b'])
  t.end()
})

t.test('a document shares nothing with its payload, which may change until it is sent', (t) => {
  class Sealed {
    #list = [1]
    toBSON() {
      return { list: this.#list }
    }
    change() {
      this.#list.push(2)
    }
  }
  for (const keys of [undefined, ['key.n']]) {
    const payload = {
      key: { n: 1 },
      list: [{ a: 1 }],
      date: new Date(5),
      bytes: Buffer.from('abc'),
      map: new Map([['a', { b: 1 }]]),
      sealed: new Sealed(),
    }
    const [entry] = toEntries(mongo, 0, payload, keys)
    payload.key.n = 2
    payload.list[0] = { a: 2 }
    payload.date.setTime(6)
    payload.bytes.fill(0)
    payload.map.set('a', { b: 2 })
    payload.sealed.change()
    const { _id, ...stored } = mongo.BSON.deserialize(mongo.BSON.serialize(entry?.document ?? {}), {
      promoteBuffers: true,
    })
    t.strictSame(stored, {
      key: { n: 1 },
      list: [{ a: 1 }],
      date: new Date(5),
      bytes: Buffer.from('abc'),
      map: { a: { b: 1 } },
      sealed: { list: [1] },
    })
    if (keys !== undefined) t.strictSame(entry?.filter, { 'key.n': { $eq: 1 } })
  }
  t.end()
})

t.test('a payload gets no _id, nor anything else', (t) => {
  const payload = Object.freeze({ a: Object.freeze([1]) })
  const [entry] = toEntries(mongo, 0, payload, undefined)
  t.ok(entry?.document['_id'])
  t.strictSame(payload, { a: [1] })
  t.end()
})
