import t from 'tap'
import { BSON } from 'mongodb'
import { plainCopy } from '../../../src/connectors/mongodb/plain-document.js'
import fc from '../../helpers/fast-check.js'

const MEBIBYTE = 1024 * 1024

const bytes = (value: object) => BSON.serialize(value, { ignoreUndefined: true })

t.test('plain data is copied: the copy is stored as the same bytes, and shares nothing', async (t) => {
  const texts = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__' && !text.includes('\0'))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.dictionary(texts, tie('part'), { maxKeys: 5, noNullPrototype: true }),
    part: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      tie('tree'),
      fc.array(tie('part'), { maxLength: 4 }),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      const copy = plainCopy(value)
      t.ok(copy !== undefined)
      const before = bytes(value)
      t.same(bytes(copy ?? {}), before)
      empty(value)
      t.same(bytes(copy ?? {}), before)
    }),
    { numRuns: 50 },
  )
})

/** Removes all parts of a value, at any depth. */
function empty(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    const fields = value as { [name: string]: unknown }
    empty(fields[name])
    Reflect.deleteProperty(value, name)
  }
}

class Point {
  readonly x = 1
}

const holed: unknown[] = [1]
holed.length = 2

for (const [what, value] of Object.entries({
  'a date': new Date(),
  'a big integer': 1n,
  'a function': () => 1,
  'a map': new Map(),
  bytes: new Uint8Array(2),
  'an instance of a class': new Point(),
  'half of a surrogate pair': '\ud800',
  'undefined in a list': [undefined],
  'a list with a hole': holed,
  'a list with a field': Object.assign([1], { more: 1 }),
  'a field that a symbol names': { [Symbol('a')]: 1 },
  'a value of BSON': new BSON.ObjectId(),
  'what stands for a value of BSON': { _bsontype: 'ObjectId' },
  'what the driver asks for its document': { toBSON: 1 },
  'a name with a NUL': { 'a\0b': 1 },
  'a name with half of a surrogate pair': { '\udc00': 1 },
  'a field named __proto__': JSON.parse('{ "__proto__": 1 }') as unknown,
  'much text': 'x'.repeat(3 * MEBIBYTE),
})) {
  t.test(`${what} is no plain data`, async (t) => {
    t.equal(plainCopy({ a: 1, value }), undefined)
    t.equal(plainCopy({ a: [{ value }] }), undefined, 'in a list')
  })
}

t.test('a payload that is no object, refers to itself or is nested too deeply is no plain data', async (t) => {
  for (const value of [[], 'text', 1, null, undefined, new Point()]) t.equal(plainCopy(value), undefined)
  const circle: { [name: string]: unknown } = {}
  circle['self'] = circle
  t.equal(plainCopy(circle), undefined)
  let deep: object = {}
  for (let depth = 0; depth < 40; depth++) deep = { deep }
  t.equal(plainCopy(deep), undefined)
})

t.test('undefined is kept, as the driver leaves such fields out', async (t) => {
  t.strictSame(plainCopy({ a: undefined, b: 1 }), { a: undefined, b: 1 })
})
