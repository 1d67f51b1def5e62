import { Readable } from 'node:stream'
import t from 'tap'
import { adviceFor, pendingData } from '../../../src/core/transfer/not-data.js'
import { Link } from '../../../src/core/link.js'
import type { AnyGrouper, AnyProcessor } from '../../../src/core/processor.js'
import { Record } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'
import { FromInlet, KeepOutlet } from '../../helpers/nodes.js'

function* generate() {
  yield 1
}
async function* generateLater() {
  yield 1
}
const thenable = { then: (resolve: (value: number) => void) => resolve(5) }

const PENDING: readonly [string, () => unknown, string][] = [
  ['a promise', () => Promise.resolve(1), 'a promise'],
  ['what is like a promise', () => thenable, 'a promise'],
  ['a generator', generate, 'a generator or iterator'],
  ['an iterator of a Map', () => new Map().values(), 'a generator or iterator'],
  ['an iterator by hand', () => ({ next: () => ({ done: true }) }), 'an iterator'],
  ['an async generator', generateLater, 'an async iterable'],
  ['an async iterable by hand', () => ({ [Symbol.asyncIterator]: generateLater }), 'an async iterable'],
  ['a stream of Node', () => Readable.from([1]), 'a stream'],
  ['a stream of the Web', () => new ReadableStream(), 'a stream'],
]

t.test('what stands for data to come is told from data', async (t) => {
  for (const [what, make, name] of PENDING) t.equal(pendingData(make()), name, what)
  const broken = Object.defineProperty({}, 'then', {
    get() {
      throw new Error('no')
    },
  })
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const data of [
    ...[undefined, null, 0, 'text', true, 5n, {}, [], { next: 5, then: 'later' }, new Map(), new Set([1])],
    ...[new Date(), new Uint8Array(2), new ArrayBuffer(2), new URL('http://x.test'), () => 1, broken, proxy],
  ]) {
    t.equal(pendingData(data), undefined)
  }
  t.equal(adviceFor('a promise'), 'await it, or all of them by Promise.all()')
  t.equal(adviceFor('a stream'), 'collect what it yields into a list')
})

/** What a transfer says of an inlet that gives a value, and what its outlet was given. */
async function transferOf(pull: () => unknown, parts: { processors?: AnyProcessor; groupers?: AnyGrouper } = {}) {
  const outlet = new KeepOutlet()
  const link = new Link({ inlets: new FromInlet(pull), outlets: outlet, interval: 1, ...parts } as never)
  const { errors, pulled, dropped } = await link.transfer()
  return { message: errors[0]?.message, pushed: outlet.payloads.flat(), pulled, dropped }
}

t.test('an inlet that gives it in a list is refused by name, and nothing becomes a record', async (t) => {
  captureLogs(t, 'silent')
  for (const [what, make, name] of PENDING) {
    const advice = adviceFor(name)
    const nested = await transferOf(() => [1, make()])
    t.match(nested, { message: `pull() returned ${name} at 1 of its list: ${advice}`, pushed: [], pulled: 0 }, what)
    const wrapped = await transferOf(() => [new Record(make())])
    t.match(wrapped, { message: `pull() returned ${name} at 0 of its list, as the payload of a record: ${advice}` })
  }
})

t.test('an inlet may stream instead of giving a list: what comes is its records', async (t) => {
  for (const [what, make, name] of PENDING) {
    const isEmpty = what === 'an iterator of a Map' || what === 'an iterator by hand'
    if (name === 'a promise' || what === 'a stream of the Web') continue
    t.match(await transferOf(make), { message: undefined, pushed: isEmpty ? [] : [1] }, what)
  }
  const web = new ReadableStream({
    start(controller) {
      controller.enqueue(1)
      controller.close()
    },
  })
  t.match(await transferOf(() => web), { message: undefined, pushed: [1] })
})

t.test('Sets, Maps, strings and typed arrays stay one payload', async (t) => {
  for (const payload of [new Set([1]), new Map([[1, 2]]), 'text', new Uint8Array(3)]) {
    t.same((await transferOf(() => payload)).pushed, [payload])
  }
})

t.test('processors and groupers that give it are refused by name', async (t) => {
  captureLogs(t, 'silent')
  const process = (give: (records: Record[]) => unknown) => transferOf(() => [1], { processors: give as AnyProcessor })
  t.match(await process((records) => records.map(async (record) => record)), {
    message: 'returned a list with a promise at 0: await it, or all of them by Promise.all()',
    pushed: [],
    dropped: 1,
  })
  t.match(await process((records) => records.map((record) => record.with({ payload: Promise.resolve(1) }))), {
    message: /^returned a list with a promise at 0, as the payload of a record: /,
  })
  t.match(await process(generate), { message: 'returned a generator or iterator: expected a list of records' })
  const group = (give: () => unknown) => transferOf(() => [1], { groupers: give as AnyGrouper })
  t.match(await group(generate), { message: 'returned a generator or iterator: expected a list of batches' })
  t.match(await group(() => [generateLater()]), {
    message: 'returned a list with an async iterable at 0: expected batches (lists of records)',
  })
})
