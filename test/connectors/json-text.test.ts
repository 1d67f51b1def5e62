import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import fc from '../helpers/fast-check.js'
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import t from 'tap'
import { withTags } from '../../src/core/crossing.js'
import { jsonText, lineText } from '../../src/connectors/json-text.js'
import type { Serialize } from '../../src/connectors/serialize.js'

const textOf = (payload: unknown, serialize?: Serialize) => jsonText('FileOutlet', payload, serialize)

class Point {
  x = 1
  move() {
    this.x++
  }
}
class Secret {
  #code = 1
  open = 2
  code() {
    return this.#code
  }
}
class Silent {
  #code = 1
  static codeOf(silent: Silent) {
    return silent.#code
  }
}
/** A class about '#codes' and "#texts", with no private field. */
class Commented {
  // such as #this
  text = '#that'
}
class Empty {
  move() {
    return 1
  }
}
class Legacy extends Map<string, number> {}
/** As older JavaScript writes classes: what all instances share is in the prototype. */
function Shared(this: { own: number }) {
  this.own = 1
}
Shared.prototype = { constructor: Shared, unit: 'kg' }
const inherited = new (Shared as unknown as new () => object)()

t.test('JSON holds all of a payload, and refuses what it would lose: it names the path and what is there', (t) => {
  const cycle: { list: unknown[] } = { list: [] }
  cycle.list.push(cycle)
  const matched = /b/.exec('abc')
  let deep: unknown = new Date(0)
  for (let depth = 0; depth < 20_000; depth++) deep = [deep]
  const cases: [payload: unknown, where: RegExp][] = [
    [undefined, /: payload is undefined:/],
    [() => 'secret', /: payload is a function:/],
    [Symbol('secret'), /: payload is a symbol:/],
    [{ a: { b: [0, () => 1] } }, /: payload\.a\.b\[1] is a function:/],
    [{ 'odd name': Symbol('s') }, /: payload\["odd name"] is a symbol:/],
    [{ a: NaN }, /: payload\.a is NaN:/],
    [[-Infinity], /: payload\[0] is -Infinity:/],
    [{ a: Object(NaN) as unknown }, /: payload\.a is NaN:/],
    [{ a: new Date(NaN) }, /: payload\.a is an invalid date:/],
    [{ a: Promise.resolve(1) }, /: payload\.a is a Promise:/],
    [{ a: new TypeError('secret') }, /: payload\.a is a TypeError:/],
    [{ a: /secret/ }, /: payload\.a is a RegExp:/],
    [{ a: new Map([[1, 2]]) }, /: payload\.a is a Map:/],
    [{ a: new Legacy() }, /: payload\.a is a Legacy:/],
    [{ a: [new Set([1])] }, /: payload\.a\[0] is a Set:/],
    [{ a: new WeakMap() }, /: payload\.a is a WeakMap:/],
    [{ a: new WeakRef({}) }, /: payload\.a is a WeakRef:/],
    [{ a: new ArrayBuffer(3) }, /: payload\.a is an ArrayBuffer:/],
    [{ a: new Uint8Array(3) }, /: payload\.a is a Uint8Array:/],
    [{ a: new DataView(new ArrayBuffer(3)) }, /: payload\.a is a DataView:/],
    [{ a: new Secret() }, /: payload\.a is a Secret, which has private fields:/],
    [{ a: new Silent() }, /: payload\.a is a Silent, which has private fields:/],
    [{ a: new Headers() }, /: payload\.a is a Headers/],
    [{ a: new URLSearchParams('a=b') }, /: payload\.a is a URLSearchParams/],
    [{ a: [1][Symbol.iterator]() }, /: payload\.a is /],
    [{ a: inherited }, /: payload\.a is /],
    [{ a: Object.create({ b: 1 }) as unknown }, /: payload\.a is /],
    [{ a: new Empty() }, /: payload\.a is an Empty:/],
    [{ a: { [Symbol('s')]: 1 } }, /: payload\.a has a field that a symbol names:/],
    [{ a: [1, undefined] }, /: payload\.a\[1] is undefined:/],
    [{ a: [1, , 3] }, /: payload\.a\[1] is missing from a list:/],
    [{ a: matched }, /: payload\.a\.index is a field of a list:/],
    [cycle, /: payload\.list\[0] is an object that it is part of:/],
    [deep, /: it is nested too deeply:/],
    [{ a: { toJSON: () => undefined } }, /: payload\.a is an object whose toJSON\(\) gives undefined:/],
    [{ a: { invalid: true, toJSON: () => null } }, /: payload\.a is an object whose toJSON\(\) gives null:/],
    [{ a: { toJSON: () => new Map() } }, /: payload\.a is a Map:/],
    [{ a: { toJSON: () => ({ b: new Date(NaN) }) } }, /: payload\.a\.b is an invalid date:/],
    [{ a: { toJSON: () => () => 1 } }, /: payload\.a is a function:/],
    [
      {
        get a(): unknown {
          throw new Error('no access')
        },
      },
      /no access/,
    ],
    [
      {
        a: {
          toJSON() {
            throw new Error('not now')
          },
        },
      },
      /: toJSON\(\) failed at payload\.a: not now:/,
    ],
    [{ a: runInNewContext('new Map([[1, 2]])') as unknown }, /: payload\.a is a Map:/],
  ]
  for (const [payload, message] of cases) {
    t.throws(() => textOf(payload), { code: 'DATABAY_INVALID_PAYLOAD', message }, String(message))
  }
  t.throws(() => textOf({ a: new Map() }), {
    message:
      'FileOutlet: a payload cannot be JSON: payload.a is a Map: make it plain data, or use the option serialize',
  })
  t.notMatch(
    messageOf(() => textOf({ ['x'.repeat(5000)]: NaN })),
    /.{300}/,
    'a long name is cut',
  )
  t.end()
})

function messageOf(act: () => unknown): string {
  try {
    act()
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

t.test('what JSON can hold is written, in whatever it is', (t) => {
  const same = { b: 1 }
  const id = new ObjectId('650000000000000000000001')
  const cases: [payload: unknown, text: string][] = [
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [{ a: new Date(0) }, '{"a":"1970-01-01T00:00:00.000Z"}'],
    [[1n, { id: 9007199254740993n }], '[1,{"id":9007199254740993}]'],
    [{ a: -0, b: [-0] }, '{"a":-0,"b":[-0]}'],
    [{ a: 1n, b: [1.5, 1e21, true, null, 'x"y', undefined].slice(0, 5) }, '{"a":1,"b":[1.5,1e+21,true,null,"x\\"y"]}'],
    [{ a: 'cut \ud83d' }, '{"a":"cut \\ud83d"}'],
    [{ a: new Point() }, '{"a":{"x":1}}'],
    [{ a: new Commented() }, '{"a":{"text":"#that"}}'],
    [{ a: new URL('http://some.where/?a=b') }, '{"a":"http://some.where/?a=b"}'],
    [{ a: Buffer.from('a') }, '{"a":{"type":"Buffer","data":[97]}}'],
    [{ a: Object.create(null) as unknown }, '{"a":{}}'],
    [{ a: Object(1) as unknown, b: Object('x') as unknown, c: Object(2n) as unknown }, '{"a":1,"b":"x","c":2}'],
    [{ a: same, b: same, c: [1n] }, '{"a":{"b":1},"b":{"b":1},"c":[1]}'],
    [{ a: { secret: 1, toJSON: () => ({ shown: [1n] }) } }, '{"a":{"shown":[1]}}'],
    [{ a: { toJSON: 'data' } }, '{"a":{"toJSON":"data"}}'],
    [
      { a: runInNewContext('({ b: [1], at: new Date(0) })') as unknown },
      '{"a":{"b":[1],"at":"1970-01-01T00:00:00.000Z"}}',
    ],
    [JSON.parse('{"__proto__":{"a":1},"b":{"__proto__":2}}'), '{"__proto__":{"a":1},"b":{"__proto__":2}}'],
    [{ _bsontype: 'ObjectId', id: 'of somebody else' }, '{"_bsontype":"ObjectId","id":"of somebody else"}'],
    [{ id }, '{"id":"650000000000000000000001"}'],
    [Long.fromString('9007199254740993'), '{"$numberLong":"9007199254740993"}'],
    [{ a: Decimal128.fromString('1.50') }, '{"a":{"$numberDecimal":"1.50"}}'],
    [{ a: new Binary(Buffer.from('ab'), 5) }, '{"a":{"$binary":{"base64":"YWI=","subType":"05"}}}'],
    [{ a: new Int32(5), b: new Double(1.5), c: new Double(-0) }, '{"a":5,"b":1.5,"c":-0}'],
    [{ a: new Double(NaN) }, '{"a":{"$numberDouble":"NaN"}}'],
    [{ a: new Timestamp({ t: 1, i: 2 }) }, '{"a":{"$timestamp":{"t":1,"i":2}}}'],
    [{ a: new BSONRegExp('a', 'i') }, '{"a":{"$regularExpression":{"pattern":"a","options":"i"}}}'],
    [{ a: new MinKey(), b: new MaxKey() }, '{"a":{"$minKey":1},"b":{"$maxKey":1}}'],
    [{ a: new Code('f', { id }) }, '{"a":{"$code":"f","$scope":{"id":"650000000000000000000001"}}}'],
  ]
  for (const [payload, text] of cases) t.equal(textOf(payload), text)
  t.end()
})

t.test('a value of BSON is the same text when it has crossed to another thread', (t) => {
  const values = [
    new ObjectId('650000000000000000000001'),
    Long.fromString('5'),
    new Double(1),
    Long.MAX_UNSIGNED_VALUE,
    new Double(-0),
    new Double(1e21),
    new Double(NaN),
    new Int32(-2147483648),
    Decimal128.fromString('-1.5E+30'),
    new Binary(Buffer.from('a')),
    new Binary(Buffer.from(''), 0x80),
    new Timestamp({ t: 4294967295, i: 2 }),
    new BSONRegExp('a', 'i'),
    new BSONSymbol('s'),
    new MinKey(),
    new MaxKey(),
    new Code('f'),
    new Code('f', { a: 1 }),
    new DBRef('of', new ObjectId('650000000000000000000001'), 'db', { a: 1 }),
  ]
  for (const value of values) t.equal(textOf([structuredClone(withTags(value))]), textOf([value]))
  t.end()
})

t.test('data from elsewhere that only looks like a value of BSON is written as it is', (t) => {
  const cases: object[] = [
    { _bsontype: 'x', $foo: 1, b: 2 },
    { _bsontype: 'x', $oid: '650000000000000000000001' },
    { _bsontype: 'Long', $oid: '650000000000000000000001' },
    { _bsontype: 'toString', $oid: '650000000000000000000001' },
    { _bsontype: 'ObjectId', $oid: 'hello' },
    { _bsontype: 'ObjectId', $oid: ['650000000000000000000001'] },
    { _bsontype: 'ObjectId', $oid: '650000000000000000000001', b: 2 },
    { _bsontype: 'Int32', $numberInt: '5000000000' },
    { _bsontype: 'Long', $numberLong: '5.5' },
    { _bsontype: 'Long', $numberLong: '99999999999999999999' },
    { _bsontype: 'Double', $numberDouble: '' },
    { _bsontype: 'Code', $code: 'f', more: 1 },
    { _bsontype: 'Timestamp', $timestamp: { t: 1 } },
    { _bsontype: 'Binary', $binary: { base64: '!', subType: '00' } },
    { _bsontype: 'MinKey', $minKey: 2 },
    { _bsontype: 'DBRef', $ref: 'a', $id: 1, $where: 'x' },
  ]
  for (const value of cases) t.equal(textOf({ value }), JSON.stringify({ value }))
  t.end()
})

t.test('any JSON is read back as it was, whichever way it is written', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      // one part that is not plain makes all of it go the other way
      const odd = JSON.parse(textOf({ payload, odd: 1n })) as { payload: unknown }
      return isDeepStrictEqual(JSON.parse(textOf(payload)), payload) && isDeepStrictEqual(odd.payload, payload)
    }),
  )
  t.end()
})

t.test('serialize says what is written, for any value, and nothing else is asked', (t) => {
  const paths: string[] = []
  const serialize: Serialize = (value, path) => {
    paths.push(path)
    if (value instanceof Map) return Object.fromEntries(value) as unknown
    if (value instanceof Date) return value.getTime()
    return value === 'secret' ? null : undefined
  }
  const payload = { map: new Map([['at', new Date(5)]]), list: [{ 'odd name': 'secret' }] }
  t.equal(textOf(payload, serialize), '{"map":{"at":5},"list":[{"odd name":null}]}')
  t.strictSame(paths, ['', 'map', 'map.at', 'list', 'list[0]', 'list[0]["odd name"]'])
  t.equal(textOf(new Map(), serialize), '{}')
  t.throws(() => textOf({ a: [new Set()] }, serialize), { message: /: payload\.a\[0] is a Set:/ })
  t.throws(
    () =>
      textOf({ a: 1 }, (value, path) => {
        if (path === 'a') throw new Error('no idea')
        return value
      }),
    { code: 'DATABAY_INVALID_PAYLOAD', message: /: serialize failed at payload\.a: no idea/ },
  )
  t.throws(() => textOf(1, (value) => ({ value })), { message: /nested too deeply/ })
  t.equal(
    lineText('FileOutlet', new Date(0), (value) => value instanceof Date && 'a line'),
    'a line',
  )
  t.equal(lineText('FileOutlet', 'as it is'), 'as it is')
  t.end()
})

t.test('a field that was put on a date or a boxed text is refused, by its path', (t) => {
  const tagged = () => Object.assign(new Date(0), { zone: 'UTC' })
  t.throws(() => textOf({ at: tagged() }), { message: /: payload\.at\.zone is a field of a Date:/ })
  t.throws(() => textOf({ at: [1n, tagged()] }), { message: /: payload\.at\[1]\.zone is a field of a Date:/ })
  const text = Object.assign(new String('a'), { language: 'en' })
  t.throws(() => textOf({ text }), { message: /: payload\.text\.language is a field of a String:/ })
  t.end()
})

t.test('what cannot be read is named by its path', (t) => {
  const payload = {
    list: [
      {
        get broken(): never {
          throw new Error('no connection')
        },
      },
    ],
  }
  t.throws(() => textOf(payload), { message: /: payload\.list\[0]\.broken cannot be read: no connection$/ })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.throws(() => textOf({ a: { proxy } }), { message: /: payload\.a\.proxy cannot be read: / })
  t.end()
})
