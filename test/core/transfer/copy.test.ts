import { execFile } from 'node:child_process'
import { isDeepStrictEqual, promisify } from 'node:util'
import { copy as copyAnything } from 'fast-copy'
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Record } from '../../../src/core/record.js'
import { copyPayload, copyRecords } from '../../../src/core/transfer/copy.js'

/** The objects that can be reached from a value. */
function partsOf(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== 'object' || value === null || found.has(value)) return found
  found.add(value)
  for (const key of Reflect.ownKeys(value)) partsOf(Reflect.get(value, key), found)
  return found
}

function sharedParts(one: unknown, other: unknown): number {
  const others = partsOf(other)
  return [...partsOf(one)].filter((part) => others.has(part)).length
}

t.test('a copy is like its original, and shares nothing with it', async (t) => {
  const values = fc.anything({
    // tap cannot print a date that is none
    values: [fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.date({ noInvalidDate: true })],
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    withBigInt: true,
    maxDepth: 5,
  })
  fc.assert(
    fc.property(values, (payload) => {
      const copied = copyPayload(payload)
      t.strictSame(copied, copyAnything(payload))
      t.strictSame(copied, payload)
      t.equal(sharedParts(copied, payload), 0)
    }),
    { numRuns: 500 },
  )
  t.ok(Number.isNaN((copyPayload(new Date(NaN)) as Date).getTime()), 'a date that is none')
})

t.test('what is there twice in the original is there twice in the copy, near and far from each other', async (t) => {
  for (const distance of [0, 1, 15, 16, 17, 100]) {
    const twice = { name: 'twice' }
    const payload = [twice, ...Array.from({ length: distance }, (_, at) => ({ at })), { deep: [twice] }]
    const copied = copyPayload(payload) as typeof payload
    const last = copied.at(-1) as { deep: object[] }
    t.equal(last.deep[0], copied[0], `${distance} between`)
    t.not(copied[0], twice)
    t.strictSame(copied, payload)
  }
})

t.test('what contains itself is copied', async (t) => {
  const payload: { name: string; self?: unknown; list: unknown[] } = { name: 'a', list: [] }
  payload.self = payload
  payload.list.push(payload.list)
  const copied = copyPayload(payload) as typeof payload
  t.equal(copied.self, copied)
  t.equal(copied.list[0], copied.list)
  t.not(copied, payload)
})

t.test('instances keep their class, also inside of plain objects', async (t) => {
  class Point {
    x = 1
    tags = ['a']
  }
  class Points extends Array<Point> {}
  const point = new Point()
  const points = Points.from([point])
  const copied = copyPayload({ point, points }) as { point: Point; points: Points }
  t.ok(copied.point instanceof Point)
  t.ok(copied.points instanceof Points)
  t.not(copied.point.tags, point.tags)
  t.not(copied.points[0], point)
})

t.test('what symbols name is there too', async (t) => {
  const key = Symbol('key')
  const payload = { [key]: { a: 1 }, b: { [key]: 2 } }
  const copied = copyPayload(payload) as typeof payload
  t.strictSame([copied[key], copied.b[key]], [{ a: 1 }, 2])
})

t.test('a field named __proto__ is copied as a field', async (t) => {
  const payload = JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":[1]}}') as object
  const copied = copyPayload(payload) as object
  t.strictSame(Object.getOwnPropertyDescriptor(copied, '__proto__')?.value, { admin: true })
  t.equal(Object.getPrototypeOf(copied), Object.prototype)
  t.equal(JSON.stringify(copied), JSON.stringify(payload))
  t.equal(Reflect.get(copied, 'admin'), undefined)
})

t.test('a frozen object becomes one that can be changed', async (t) => {
  const copied = copyPayload(Object.freeze({ a: Object.freeze([1]) })) as { a: number[] }
  copied.a.push(2)
  t.strictSame(copied, { a: [1, 2] })
})

t.test('what is enumerable of all objects is not copied into one', async (t) => {
  Object.defineProperty(Object.prototype, 'polluted', { value: {}, enumerable: true, configurable: true })
  t.teardown(() => Reflect.deleteProperty(Object.prototype, 'polluted'))
  t.strictSame(Object.keys(copyPayload({ a: 1 }) as object), ['a'])
})

t.test('a function is kept, and a value that is no object is itself', async (t) => {
  const work = () => 1
  t.equal((copyPayload({ work }) as { work: () => number }).work, work)
  for (const value of [undefined, null, 1, 'a', 2n, true, work]) t.equal(copyPayload(value), value)
})

t.test('what a getter throws comes out', async (t) => {
  const payload = {
    inner: {
      get secret(): never {
        throw new Error('not to be copied')
      },
    },
  }
  t.throws(() => copyPayload(payload), { message: 'not to be copied' })
})

t.test('a record that cannot be copied is named, with the part of its payload that cannot be read', async (t) => {
  const broken = {
    list: [
      {
        get field(): never {
          throw new Error('not now')
        },
      },
    ],
  }
  const advice = ': put plain data in it, or turn copies off by the option copyRecords: false of the link'
  const refused = (what: string) => ({
    code: 'DATABAY_UNCLONEABLE_RECORD',
    message: `record 1 cannot be copied for its outlet: ${what}${advice}`,
  })
  const records = (payload: unknown) => [new Record(1), new Record(payload)]
  t.throws(() => copyRecords(records(broken), {}), refused('payload.list[0].field cannot be read: not now'))
  let deep: unknown = 1
  for (let depth = 0; depth < 100_000; depth++) deep = { deep }
  t.throws(() => copyRecords(records(deep), {}), refused('its payload is nested too deeply'))
})

t.test('an outlet that gets many records gets the same copies from a function of its own', async (t) => {
  const outlet = {}
  const copied = (payload: unknown) => copyRecords([new Record(payload)], outlet)[0]?.payload
  const kinds = fc.anything({ values: [fc.integer(), fc.string(), fc.constant(null)], withDate: false, maxDepth: 4 })
  const key = Symbol('key')
  copyRecords(Array<Record>(2000).fill(new Record({ place: { city: 'a' }, tags: ['x', { y: 1 }] })), outlet)
  fc.assert(
    fc.property(kinds, (value) => {
      const payload = { place: value, tags: [value, { value }], value }
      t.strictSame(copied(payload), copyPayload(payload))
      t.equal(sharedParts(copied(payload), payload), 0)
    }),
    { numRuns: 300 },
  )
  const payload = { [key]: 1, list: [{ a: 1 }] }
  t.strictSame((copied(payload) as typeof payload)[key], 1)
  const twice = { a: 1 }
  const both = copied({ first: twice, second: [twice] }) as { first: object; second: object[] }
  t.equal(both.first, both.second[0], 'what is there twice is there twice in the copy')
})

t.test('where functions cannot be made of text, copies are made all the same', async (t) => {
  const program = `
    import { Link, Inlet, Outlet, SchedulePlanner } from ${JSON.stringify(new URL('../../../dist/src/index.js', import.meta.url).href)}
    class Rows extends Inlet { pull() { return Array.from({ length: 3000 }, (_, id) => ({ id, place: { city: 'a' } })) } }
    class Sum extends Outlet { push(records) { for (const { payload } of records) total += payload.place.city.length } }
    let total = 0
    try { new Function('') } catch (error) { console.log(error.name) }
    const planner = new SchedulePlanner(new Link({ id: 'a', inlets: new Rows(), outlets: new Sum(), interval: 1 }), { transfers: 2 })
    await planner.start()
    await planner.finished
    console.log(total)`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  t.equal(stdout, 'EvalError\n6000\n')
})

t.test('dates, maps, sets and typed arrays are copied as fast-copy does it, in payloads and for outlets', async (t) => {
  const parts: fc.Arbitrary<unknown> = fc.oneof(
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 3 }),
    fc.float64Array({ maxLength: 3, noNaN: true }),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom<unknown>(
      -0,
      null,
      undefined,
      1n,
      'text',
      new (class Late extends Date {})(5),
      new Error('no data'),
    ),
  )
  const payloads = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      parts,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '0'), tie('any'), { maxKeys: 3 }),
      fc.array(fc.tuple(fc.string(), tie('any')), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(tie('any'), { maxLength: 3 }).map((values) => new Set(values)),
      tie('any').map((part) => ({ first: part, second: [part], third: new Map([['x', part]]) })),
    ),
  }))
  const outlet = {}
  copyRecords(Array<Record>(2000).fill(new Record({ first: new Date(1), second: [new Map()] })), outlet)
  fc.assert(
    fc.property(payloads.any, (payload) => {
      const expected = copyAnything(payload)
      for (const copied of [copyPayload(payload), copyRecords([new Record(payload)], outlet)[0]?.payload]) {
        t.ok(isDeepStrictEqual(copied, expected))
        t.ok(isDeepStrictEqual(copied, payload))
        const shared = [...partsOf(copied)].filter((part) => partsOf(payload).has(part))
        t.ok(shared.every((part) => part instanceof Error))
      }
    }),
    { numRuns: 300 },
  )
  const bytes = Buffer.from('abc')
  const copied = copyPayload({ bytes }) as { bytes: Buffer }
  bytes.fill(0)
  t.equal(String(copied.bytes), 'abc')
  const odd = Object.create(Date.prototype) as object
  t.doesNotThrow(() => copyPayload({ odd }))
})
