import { isDeepStrictEqual } from 'node:util'
import fc from '../helpers/fast-check.js'
import t from 'tap'
import { jsonText } from '../../src/connectors/json-text.js'
import { readNumber } from '../../src/connectors/big-integers.js'
import { isRisky, parseJson } from '../../src/connectors/parse-json.js'

t.test('an integer that a number cannot hold is an error that names its place', (t) => {
  const cases: [text: string, message: string][] = [
    ['9007199254740993', '$ is an integer that a number cannot hold exactly'],
    [
      '[1, {"a":[{"the id":-9007199254740993}]}]',
      '$[1].a[0]["the id"] is an integer that a number cannot hold exactly',
    ],
    ['{"a":9007199254740993.0}', '$.a is an integer that a number cannot hold exactly'],
    ['{"a":9007199254740.993e3}', '$.a is an integer that a number cannot hold exactly'],
    ['{"a":18446744073709551616}', '$.a is an integer that a number cannot hold exactly'],
    ['{"a":[1,1e400]}', '$.a[1] is a number that JavaScript cannot hold'],
    ['[-1E+400]', '$[0] is a number that JavaScript cannot hold'],
    ['[1e-400]', '$[0] is a number that JavaScript cannot hold'],
    ['[1.5e0000400]', '$[0] is a number that JavaScript cannot hold'],
    ['{"a":1.5e-0400}', '$.a is a number that JavaScript cannot hold'],
    [`[0.${'0'.repeat(400)}1]`, '$[0] is a number that JavaScript cannot hold'],
    [`[-0.${'0'.repeat(230)}1e-99]`, '$[0] is a number that JavaScript cannot hold'],
    [`[${'1'.repeat(300)}.5e10]`, '$[0] is a number that JavaScript cannot hold'],
    ['[1.0000000000000001e16]', '$[0] is an integer that a number cannot hold exactly'],
    [`[1${'0'.repeat(400)}]`, '$[0] is a number that JavaScript cannot hold'],
  ]
  for (const [text, message] of cases) t.throws(() => parseJson(text, 'error'), { message })
  t.throws(() => parseJson('[1e400]', 'number'), { message: '$[0] is a number that JavaScript cannot hold' })
  t.throws(() => parseJson('[9007199254740993', 'error'), SyntaxError)
  t.end()
})

t.test('a number that cannot be had does not count when its name comes again', (t) => {
  t.strictSame(parseJson('{"a":1e400,"a":1}', 'error'), { a: 1 })
  t.strictSame(parseJson('{"a":[9007199254740993],"a":1,"b":2}', 'error'), { a: 1, b: 2 })
  t.throws(() => parseJson('{"a":1,"a":1e400}', 'error'), { message: '$.a is a number that JavaScript cannot hold' })
  t.end()
})

t.test('numbers with harmless exponents are read by the engine alone', (t) => {
  for (const text of ['1e5', '[1.234567e+2]', '{"a":-1.5E+10}', '{"a":1.2345678901234567e-7}', '[6.02214076e23]']) {
    t.notOk(isRisky(text), text)
  }
  t.end()
})

t.test('whatever number is written, it is had as it is, or refused', (t) => {
  const digits = (maxLength: number) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), { minLength: 1, maxLength })
      .map((list) => list.join(''))
  const exponent = fc.oneof(
    fc.constant(''),
    fc.integer({ min: -420, max: 420 }).map((one) => `e${one > 0 ? '+' : ''}${one}`),
  )
  const number = fc.tuple(fc.oneof(fc.constant('0'), digits(25)), fc.oneof(digits(25), digits(400)), exponent)
  fc.assert(
    fc.property(number, ([whole, fraction, power]) => {
      const text = `${whole.replace(/^0+(?=\d)/, '')}.${fraction}${power}`
      return isRisky(text) || readNumber(text, 'error') === JSON.parse(text)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('bigIntegers says what it is instead', (t) => {
  const text = '{"id":9007199254740993,"n":[12345678901234567890,5,0.1],"x":1e22,"same":9007199254740991}'
  const others = { x: 1e22, same: 9007199254740991 }
  t.strictSame(parseJson(text, 'bigint'), { id: 9007199254740993n, n: [12345678901234567890n, 5, 0.1], ...others })
  t.strictSame(parseJson(text, 'string'), { id: '9007199254740993', n: ['12345678901234567890', 5, 0.1], ...others })
  t.strictSame(parseJson(text, 'number'), JSON.parse(text))
  t.strictSame(parseJson('[1e400,-1e-400]', 'string'), ['1e400', '-1e-400'])
  t.equal(jsonText('FileOutlet', parseJson('{"id":9007199254740993}', 'bigint')), '{"id":9007199254740993}')
  t.end()
})

t.test('what is exact, and decimals, are as JavaScript has them', (t) => {
  for (const text of [
    '{"__proto__":{"a":9007199254740991},"a":1,"a":{"b":2}}',
    '[0.12345678901234567891,3.141592653589793238462643,6.02214076e23,1E5,-0,0e999,1.5e-300]',
    '{"a":"9007199254740993","b":"x: 9007199254740993","c":12345678901234567.5}',
    '100000000000000000000',
  ])
    for (const one of ['error', 'bigint', 'string', 'number'] as const)
      t.strictSame(parseJson(text, one), JSON.parse(text))
  t.strictSame(
    Object.entries(parseJson('{"__proto__":1,"a":1,"a":9007199254740993}', 'bigint') as object),
    [
      ['__proto__', 1],
      ['a', 9007199254740993n],
    ],
    'names and names that come twice, too',
  )
  t.end()
})

t.test('any JSON with bigints comes back as it was written', (t) => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      // an integer beyond 2^53 that a number shows need not be the one that it holds: it comes back as a bigint
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((number) => !Number.isInteger(number) || Number.isSafeInteger(number)),
      fc.maxSafeInteger(),
      fc.bigInt().filter((integer) => !Number.isSafeInteger(Number(integer)) && !isRound(integer)),
      fc.constantFrom(null, true, false),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value')),
    ),
  })).value
  fc.assert(
    fc.property(json, (value) => isDeepStrictEqual(parseJson(jsonText('FileOutlet', value), 'bigint'), plain(value))),
  )
  t.end()
})

/** Whether a number holds an integer and shows all of its digits: it is read as a number then. */
function isRound(integer: bigint): boolean {
  return /^\d+$/.test(String(Number(integer))) && String(Number(integer)) === String(integer)
}

/** The value without the odd prototypes that fast-check gives its dictionaries. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}
