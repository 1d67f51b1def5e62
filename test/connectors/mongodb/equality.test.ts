import * as mongodb from 'mongodb'
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb'
import t from 'tap'
import { equalityKey } from '../../../src/connectors/mongodb/equality.js'

t.test('values that MongoDB finds equal have one key, and others have others', async (t) => {
  const decimal = (text: string) => Decimal128.fromString(text)
  const groups: unknown[][] = [
    [1, 1n, new Int32(1), new Double(1), Long.fromNumber(1), decimal('1'), decimal('1.00'), decimal('10E-1')],
    [-15, decimal('-15.0'), decimal('-1.5E+1')],
    [0, -0, 0n, decimal('0'), decimal('-0'), decimal('0E+5'), decimal('0.00')],
    [100, decimal('1E+2'), decimal('100')],
    [0.5, new Double(0.5), decimal('0.5'), decimal('0.50')],
    [0.1, new Double(0.1)],
    [decimal('0.1'), decimal('1E-1')],
    [2n ** 60n, 2 ** 60, Long.fromBigInt(2n ** 60n), decimal(String(2n ** 60n))],
    [2n ** 60n + 1n, decimal(String(2n ** 60n + 1n))],
    [1e21, decimal('1E+21')],
    [1e300],
    [decimal('1E+300')],
    [1e-200],
    [2e-200],
    [decimal('1E-200')],
    [NaN, decimal('NaN')],
    [Infinity, decimal('Infinity')],
    [-Infinity, decimal('-Infinity')],
    ['1'],
    [true],
    [null],
    [new Date(1)],
    [new ObjectId()],
    [new ObjectId('65a000000000000000000001'), new ObjectId('65a000000000000000000001')],
    [
      [1, 'a'],
      [Long.fromNumber(1), 'a'],
    ],
    [['a', 1]],
    [['1', 'a']],
    [
      { a: 1, b: { c: [2] } },
      { a: decimal('1.0'), b: { c: [2n] } },
    ],
    [{ b: { c: [2] }, a: 1 }],
    [
      { a: 1, b: new Date(1) },
      { a: 1n, b: new Date(1) },
    ],
    [{ a: 1, b: 1 }],
    [{}],
    [[]],
  ]
  const keys = groups.map((group) => {
    const [key, ...others] = new Set(group.map((value) => equalityKey(mongodb, value)))
    t.same(others, [], String(group[0]))
    return key
  })
  t.equal(new Set(keys).size, groups.length)
})
