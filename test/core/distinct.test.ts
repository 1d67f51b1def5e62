import fc from '../helpers/fast-check.js'
import t from 'tap'
import { show } from '../../src/base/errors.js'
import { Distinct, type DistinctOptions } from '../../src/core/distinct.js'
import type { DistinctKey } from '../../src/core/distinct-key.js'
import { Record } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'
import { captureLogs } from '../helpers/logs.js'

/** Payload of the tests, which mostly are named by their id. */
interface Thing {
  readonly id: DistinctKey
  readonly also?: readonly DistinctKey[]
}

/** A processor, and shortcuts that make transfers of it. */
function setUp(options: Partial<DistinctOptions<Thing>> = {}) {
  const clock = { now: 0 }
  const make = () => new Distinct<Thing>({ by: 'id', now: () => clock.now, ...options })
  let distinct = make()
  let transfers = 0
  const begin = () => new Update(['d'], transfers++)
  const see = (update: Update, ...ids: DistinctKey[]) =>
    distinct.process(
      ids.map((id) => new Record({ id })),
      update,
    )
  return {
    clock,
    begin,
    see: (update: Update, ...ids: DistinctKey[]) => see(update, ...ids).map(({ payload }) => payload.id),
    end: (update: Update, delivered: boolean) => {
      distinct.onTransferEnd(update, delivered)
    },
    /** Makes a whole transfer; gives the ids that passed. */
    transfer: (delivered: boolean, ...ids: DistinctKey[]) => {
      const update = begin()
      const passed = see(update, ...ids).map(({ payload }) => payload.id)
      distinct.onTransferEnd(update, delivered)
      return passed
    },
    /** Moves to another instance, as when a link moves. */
    move: () => {
      const state = structuredClone(distinct.saveState())
      distinct.reset()
      distinct = make()
      distinct.restoreState(state)
    },
    get known() {
      return distinct.known
    },
  }
}

t.test('a thing passes once', async (t) => {
  const { transfer } = setUp()
  t.same(transfer(true, 'b', 'a', 'b'), ['b', 'a'])
  t.same(transfer(true, 'c', 'b'), ['c'])
  t.same(transfer(true, 'c', 'b', 'a'), [])
  t.same(transfer(true), [])
})

t.test('what was seen in a failed transfer passes again, and nothing else', async (t) => {
  const { transfer } = setUp()
  transfer(true, 'a')
  t.same(transfer(false, 'a', 'b', 'c'), ['b', 'c'])
  t.same(transfer(false, 'a', 'b', 'c'), ['b', 'c'])
  t.same(transfer(true, 'a', 'b'), ['b'])
  t.same(transfer(true, 'a', 'b', 'c'), ['c'])
})

t.test('what is on its way is held back, until it is known what came of it', async (t) => {
  const { begin, see, end } = setUp()
  const [first, second, third, fourth] = [begin(), begin(), begin(), begin()]
  t.same(see(first, 'a'), ['a'])
  t.same(see(second, 'a', 'b'), ['b'])
  end(second, true)
  t.same(see(third, 'a', 'b'), [])
  end(first, false)
  end(third, true)
  t.same(see(fourth, 'a', 'b'), ['a'])
})

t.test('several calls of a transfer, as for the batches of an outlet, are one', async (t) => {
  const { begin, see, end } = setUp()
  const update = begin()
  t.same([see(update, 'a'), see(update, 'a', 'b')], [['a'], ['b']])
  end(update, false)
  t.same(see(begin(), 'a', 'b'), ['a', 'b'])
})

t.test('when it is full, what was seen longest ago is forgotten', async (t) => {
  const { transfer } = setUp({ capacity: 3 })
  transfer(true, 'always')
  for (let round = 0; round < 20; round++) t.same(transfer(true, `new${round}`, 'always'), [`new${round}`])
  t.same(transfer(true, 'new19', 'new18'), [])
  t.same(transfer(true, 'new0'), ['new0'], 'long gone, so forgotten')
})

t.test('a transfer with more keys than are remembered is warned of, once', async (t) => {
  const logs = captureLogs(t)
  const { transfer } = setUp({ capacity: 2 })
  transfer(true, 'a', 'b')
  transfer(true, 'a', 'b', 'a')
  t.same(logs.messages(), [])
  for (let round = 0; round < 9; round++) transfer(true, 'a', 'b', 'c')
  t.same(logs.messages(), ['d.2 has 3 keys, but 2 are remembered: others come again, see capacity'])
})

t.test('after a while in which a thing was not seen, it is forgotten', async (t) => {
  const { clock, transfer } = setUp({ ttl: { minutes: 1 } })
  transfer(true, 'a', 'b')
  clock.now = 59_999
  t.same(transfer(true, 'a'), [])
  clock.now = 60_000
  t.same(transfer(true, 'b'), ['b'])
  clock.now = 59_999 + 60_000
  t.same(transfer(true, 'a', 'b'), ['a'])
})

t.test('what it knows, and what is on its way, moves along', async (t) => {
  const { clock, begin, see, end, move, transfer } = setUp({ ttl: 1 })
  transfer(true, 'known')
  clock.now = 500
  const [failed, delivered] = [begin(), begin()]
  see(failed, 'failed')
  see(delivered, 'delivered')
  move()
  t.same(see(begin(), 'known', 'failed', 'delivered'), [])
  move()
  end(new Update(['d'], failed.transferNumber), false)
  end(new Update(['d'], delivered.transferNumber), true)
  t.same(transfer(true, 'failed', 'delivered'), ['failed'])
  clock.now = 1600
  t.same(transfer(true, 'known', 'delivered'), ['known', 'delivered'], 'their age moved along')
})

t.test('where updates of two links read the same, both must be delivered once it has moved', async (t) => {
  const { see, end, move, begin } = setUp()
  const twins = [new Update(['d'], 7), new Update(['d'], 7)]
  twins.forEach((update, at) => see(update, at))
  move()
  end(new Update(['d'], 7), true)
  t.same(see(begin(), 0, 1), [], 'on their way still')
  end(new Update(['d'], 7), false)
  t.same(see(begin(), 0, 1), [0, 1])
})

t.test('keys are equal when their values are', async (t) => {
  const id = (hex: string) => new ObjectId(hex)
  const same: [DistinctKey, DistinctKey][] = [
    [1, 1n],
    [0, -0],
    [2n ** 60n, 2n ** 60n],
    [new Date(5), new Date(5)],
    [
      ['a', 1, null],
      ['a', 1n, null],
    ],
    [
      ['a', [true]],
      ['a', [true]],
    ],
    [id('aa'), id('aa')],
  ]
  for (const [one, other] of same) t.equal(setUp().transfer(true, one, other).length, 1, show(one))
  const different: [DistinctKey, DistinctKey][] = [
    [1, '1'],
    [true, 'true'],
    ['', ' '],
    [new Date(5), '\0d5'],
    [['a', 'b'], ['a,b']],
    [['a', 'b'], 'a,b'],
    [
      ['a"', 'b'],
      ['a', '"b'],
    ],
    [[null], ['null']],
    [['a'], '\0l"a"'],
    [['a'], '\0\0l"a"'],
    [id('aa'), id('bb')],
  ]
  for (const [one, other] of different) t.equal(setUp().transfer(true, one, other).length, 2, show(one))
})

/** Stands for a value of a type of BSON. */
class ObjectId {
  readonly #hex: string
  constructor(hex: string) {
    this.#hex = hex
  }
  get _bsontype() {
    return 'ObjectId'
  }
  toExtendedJSON() {
    return { $oid: this.#hex }
  }
}

t.test('a key is a field, several, or what a function gives', async (t) => {
  const payloads = [
    { id: 1, of: { kind: 'a' } },
    { id: 1, of: { kind: 'b' } },
    { id: 2, of: { kind: 'a' } },
    { id: 2, of: { kind: 'a' } },
  ]
  const records = payloads.map((payload) => new Record(payload, { at: payload.id }))
  const count = (by: DistinctOptions<(typeof payloads)[number]>['by']) =>
    new Distinct({ by }).process(records, new Update([], 0)).length
  t.equal(count('id'), 2)
  t.equal(count('of.kind'), 2)
  t.equal(count(['id', 'of.kind']), 3)
  t.equal(
    count(({ id, of }) => `${id} ${of.kind}`),
    3,
  )
  t.equal(
    count((_, { metadata }) => metadata['at'] as number),
    2,
  )
})

t.test('a record without a key is an error, and the others of its transfer come again', async (t) => {
  const wrong: [DistinctOptions['by'], unknown, RegExp][] = [
    ['id', {}, /^Distinct: record 1: it has no id, which the option by names$/],
    ['id', { id: null }, /^Distinct: record 1: it has no id, /],
    ['id', 'text', /^Distinct: record 1: it has no id, /],
    ['constructor', { constructor: undefined }, /^Distinct: record \d: it has no constructor, /],
    [['id', 'of.kind'], { id: 1, of: {} }, /^Distinct: record 1: it has no of\.kind, /],
    ['id', { id: Number.NaN }, /^Distinct: record 1: expected a text, .* as its key, got NaN$/],
    ['id', { id: { secret: 5 } }, /^Distinct: record 1: expected a text, .* as its key, got an object$/],
    [(payload) => (payload as Thing).id, undefined, /^Distinct: record 1: Cannot read properties of undefined/],
  ]
  for (const [by, payload, message] of wrong) {
    const distinct = new Distinct({ by, now: () => 0 })
    const update = new Update([], 0)
    const good = new Record({ id: 'good', of: { kind: 'a' } })
    t.throws(() => distinct.process([good, new Record(payload)], update), { code: 'DATABAY_INVALID_PAYLOAD', message })
    distinct.onTransferEnd(update, false)
    if (by === 'constructor') continue
    t.equal(distinct.process([good], new Update([], 1)).length, 1)
  }
})

t.test('a thing is known by any of its aliases', async (t) => {
  const clock = { now: 0 }
  const distinct = new Distinct<Thing>({ by: 'id', aliases: ({ also = [] }) => also, now: () => clock.now })
  let transfers = 0
  const transfer = (delivered: boolean, id: string, ...also: string[]) => {
    const update = new Update([], transfers++)
    const { length } = distinct.process([new Record({ id, also })], update)
    distinct.onTransferEnd(update, delivered)
    return length
  }
  t.equal(transfer(true, 'ci1'), 1)
  t.equal(transfer(true, 'ci1', 'us2'), 0, 'seen by another network')
  t.equal(transfer(true, 'us2'), 0, 'whose id becomes the main one')
  t.equal(transfer(false, 'ak3', 'at4'), 1)
  t.equal(transfer(true, 'at4'), 1)
  t.equal(transfer(true, 'ak3'), 1)
})

t.test('a state is taken over in addition to what was seen, each thing with its younger age', async (t) => {
  const clock = { now: 0 }
  const make = () => new Distinct<string>({ by: (text) => text, ttl: 0.1, now: () => clock.now })
  let transfers = 0
  const see = (distinct: Distinct<string>, ...things: string[]) => {
    const update = new Update(['a'], transfers++)
    const passed = distinct.process(
      things.map((one) => new Record(one)),
      update,
    )
    distinct.onTransferEnd(update, true)
    return passed.map(({ payload }) => payload)
  }
  const [shared, moved] = [make(), make()]
  see(shared, 'old here')
  see(moved, 'old there')
  clock.now = 50
  see(shared, 'here', 'old there')
  see(moved, 'there', 'old here')
  const open = new Update(['b'], 0)
  moved.process([new Record('on its way'), new Record('both')], open)
  const here = new Update(['c'], 0)
  shared.process([new Record('both')], here)
  shared.restoreState(structuredClone(moved.saveState()))
  clock.now = 120
  t.same(see(shared, 'here', 'there', 'old here', 'old there', 'on its way', 'both'), [])
  shared.onTransferEnd(here, false)
  shared.onTransferEnd(new Update(['b'], 0), false)
  t.same(see(shared, 'here', 'there', 'on its way', 'both'), ['on its way', 'both'])
})

t.test('what options are, is checked', async (t) => {
  const wrong: [unknown, RegExp][] = [
    [{}, /^Distinct.by: expected the path of a field, several, or a function, got undefined$/],
    [{ by: [] }, /^Distinct.by: expected the path of a field, several, or a function, got \[\]$/],
    [{ by: 'a..b' }, /^Distinct.by: expected the path of a field, like 'id' or 'data.items', got 'a..b'$/],
    [{ by: 5 }, /^Distinct.by: expected the path of a field, /],
    [{ by: 'id', capacity: 0 }, /^Distinct.capacity: expected an integer of at least 1, or Infinity, got 0$/],
    [{ by: 'id', ttl: 0 }, /^Distinct.ttl: expected /],
    [{ by: 'id', aliases: 'ids' }, /^Distinct.aliases: expected a function, got 'ids'$/],
    [{ by: 'id', keys: 5 }, /^Distinct.keys: expected one of the options by, /],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => new Distinct(options as DistinctOptions), { code: 'DATABAY_INVALID_OPTION', message })
  }
})

type Command =
  | { readonly do: 'see'; readonly transfer: number; readonly things: readonly (readonly number[])[] }
  | { readonly do: 'end'; readonly transfer: number; readonly delivered: boolean }
  | { readonly do: 'wait'; readonly time: number }
  | { readonly do: 'move' }

const key = fc.integer({ min: 0, max: 9 })
const transfer = fc.integer({ min: 0, max: 3 })
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('see' as const),
      transfer,
      things: fc.array(fc.array(key, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), transfer, delivered: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.integer({ min: 0, max: 70 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const) }) },
)

/** As simple as it can be: lists, which are searched each time. */
class Model {
  known: { key: number; at: number }[] = []
  underWay: { key: number; transfer: number }[] = []
  now = 0
  readonly #capacity: number
  readonly #ttl: number

  constructor(capacity: number, ttl: number) {
    this.#capacity = capacity
    this.#ttl = ttl
  }

  see(transfer: number, things: readonly (readonly number[])[]): number[] {
    this.known = this.known.filter(({ at }) => this.now - at < this.#ttl)
    const passed = things.flatMap((keys, place) => (this.#passes(transfer, keys) ? [place] : []))
    this.#trim()
    return passed
  }

  end(transfer: number, delivered: boolean): void {
    const [mine, others] = [
      this.underWay.filter((one) => one.transfer === transfer),
      this.underWay.filter((one) => one.transfer !== transfer),
    ]
    this.underWay = others
    if (delivered) for (const { key } of mine) this.#touch(key)
    this.#trim()
  }

  #passes(transfer: number, given: readonly number[]): boolean {
    const keys = [...new Set(given)]
    if (this.known.some((one) => keys.includes(one.key))) {
      for (const key of keys) this.#touch(key)
      return false
    }
    const owners = keys.flatMap((key) => this.underWay.find((one) => one.key === key) ?? [])
    for (const key of keys) {
      if (this.underWay.some((one) => one.key === key)) continue
      this.underWay.push({ key, transfer: owners[0]?.transfer ?? transfer })
    }
    return owners.length === 0
  }

  #touch(key: number): void {
    this.known = [...this.known.filter((one) => one.key !== key), { key, at: this.now }]
  }

  #trim(): void {
    this.known = this.known.slice(-this.#capacity)
  }
}

t.test('it does what a naive model does, whatever is seen, ends, passes and moves', async (t) => {
  captureLogs(t, 'silent')
  const capacities = fc.constantFrom(1, 2, 5, 1000)
  const ttls = fc.constantFrom(50, 100, Infinity)
  fc.assert(
    fc.property(capacities, ttls, fc.array(command, { maxLength: 40 }), (capacity, ttl, commands) => {
      const model = new Model(capacity, ttl)
      const options = {
        by: ([first = 0]: readonly number[]) => first,
        aliases: ([, ...also]: readonly number[]) => also,
      }
      const make = () =>
        new Distinct<readonly number[]>({ ...options, capacity, ttl: ttl / 1000, now: () => model.now })
      let distinct = make()
      // a number of transfers goes on, each one named by its number; when one has ended, another takes its place
      let updates = [0, 1, 2, 3].map((number) => new Update([], number))
      const numbers = [0, 1, 2, 3]
      let last = 3
      // links move when none of their transfers runs: then nothing is seen in these any more
      const [began, moved] = [new Set<number>(), new Set<number>()]
      for (const step of commands) {
        if (step.do === 'wait') model.now += step.time
        else if (step.do === 'move') {
          const state = structuredClone(distinct.saveState())
          distinct = make()
          distinct.restoreState(state)
          updates = numbers.map((number) => new Update([], number))
          for (const transfer of began) moved.add(transfer)
        } else if (step.do === 'see') {
          if (moved.has(numbers[step.transfer] ?? 0)) continue
          began.add(numbers[step.transfer] ?? 0)
          const records = step.things.map((keys, place) => new Record(keys, { place }))
          const passed = distinct.process(records, updates[step.transfer] as Update)
          const expected = model.see(numbers[step.transfer] ?? 0, step.things)
          if (passed.map(({ metadata }) => metadata['place']).join() !== expected.join()) return false
        } else {
          distinct.onTransferEnd(updates[step.transfer] as Update, step.delivered)
          model.end(numbers[step.transfer] ?? 0, step.delivered)
          numbers[step.transfer] = ++last
          updates[step.transfer] = new Update([], last)
        }
        if (distinct.known !== model.known.length && step.do !== 'wait') return false
      }
      return true
    }),
    { numRuns: 2000 },
  )
})
