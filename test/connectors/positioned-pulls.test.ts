import t from 'tap'
import { Cancellation } from '../../src/core/cancellation.js'
import type { Cursor } from '../../src/core/cursor.js'
import { Update } from '../../src/core/update.js'
import type { Lists } from '../../src/connectors/lists.js'
import { PositionedPulls, type ListReader, type ReadList } from '../../src/connectors/positioned-pulls.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'
import fc from '../helpers/fast-check.js'

interface Place {
  readonly at: number
}

let number = 0
const nextUpdate = (cancellation?: Cancellation) => new Update(['pulls'], number++, cancellation)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

/** Pulls the numbers from 0 on, in lists. */
function numbers({
  end = 9,
  size = 3,
  redeliver = true,
  hasPositions = true,
  first = undefined as Place | undefined,
} = {}) {
  const open = new Set<object>()
  /** What each read waits for. */
  const held: (Promise<unknown> | undefined)[] = []
  const source = { end, size }
  let reads = 0
  const pulls = new PositionedPulls<number, Place>({
    connector: 'Numbers',
    noun: 'numbers',
    where: () => 'all numbers',
    use: (work) => work(),
    positions: hasPositions
      ? {
          first,
          redeliver,
          keep: (position) => position?.at ?? '',
          isKept: (value) => value === '' || typeof value === 'number',
          positionOf: (kept) => {
            if (kept === '') return undefined
            if (typeof kept !== 'number') throw new Error('no number')
            return { at: kept }
          },
        }
      : undefined,
  })
  pulls.start()
  const reader = (): ListReader<number, Place> => {
    const self = {}
    let given = 0
    return {
      read: async (position): Promise<ReadList<number, Place>> => {
        open.add(self)
        await held[reads++]
        const from = hasPositions ? (position?.at ?? 0) : given
        const to = Math.min(source.end, from + source.size)
        given += to - from
        const isMore = to < source.end
        return { records: range(from, to), position: to === from ? position : { at: to }, isMore }
      },
      close: async () => void open.delete(self),
    }
  }
  const pull = (update = nextUpdate(), cursor?: Cursor) => pulls.pull(update, cursor, reader)
  const stream = async (update?: Update, cursor?: Cursor) => (await pull(update, cursor)) as Lists<number>
  const all = async (update?: Update, cursor?: Cursor) => {
    const pulled = await pull(update, cursor)
    if (Array.isArray(pulled)) return pulled
    const found: number[] = []
    for await (const list of pulled) found.push(...list)
    return found
  }
  return { pulls, pull, stream, all, open, held, source }
}

const ofCursor = (value?: unknown) => {
  const advanced: unknown[] = []
  const cursor: Cursor = { durable: true, value, advance: (to) => advanced.push(to) }
  return { cursor, advanced }
}

t.test('each pull goes on where the one before has ended, list by list', async (t) => {
  const logs = captureLogs(t, 'info')
  const { all, open, source } = numbers({ end: 7 })
  t.same(await all(), range(0, 7))
  t.same(await all(), [])
  source.end = 9
  t.same(await all(), [7, 8])
  t.equal(open.size, 0)
  t.same(logs.messages().slice(0, 2), [
    `pulls.${number - 3} pulling all numbers`,
    `pulls.${number - 3} received 7 numbers of all numbers`,
  ])
})

t.test('without positions, each pull reads all, and there is no state', async (t) => {
  const { pulls, all } = numbers({ hasPositions: false })
  pulls.restore({ position: 3 })
  pulls.start()
  t.same([await all(), await all()], [range(0, 9), range(0, 9)])
  t.equal(pulls.save(), undefined)
})

t.test('pulls at the same time share the numbers', async (t) => {
  const { stream } = numbers({ end: 12 })
  const [one, other] = [await stream(), await stream()]
  const lists = []
  for (let step = 0; step < 2; step++) lists.push((await one.next()).value, (await other.next()).value)
  t.same(lists, [range(0, 3), range(3, 6), range(6, 9), range(9, 12)])
})

t.test('a pull that is broken off moves nothing', async (t) => {
  const { pull, all, open, held, pulls } = numbers({ end: 3 })
  const cancellation = new Cancellation()
  const read = deferred()
  held[0] = read.promise
  const update = nextUpdate(cancellation)
  const pulling = pull(update)
  cancellation.cancel(new Error('enough'))
  pulls.ended(update, false)
  read.resolve()
  await t.rejects(pulling, { message: 'enough' })
  t.equal(open.size, 0, 'its reader is closed')
  t.equal(pulls.save(), undefined)
  t.same(await all(), [0, 1, 2])
})

t.test('what fails behind a read closes the reader', async (t) => {
  const { all, open } = numbers()
  const cursor: Cursor = {
    durable: true,
    value: undefined,
    advance: () => {
      throw new Error('too long')
    },
  }
  await t.rejects(all(nextUpdate(), cursor), { message: 'too long' })
  t.equal(open.size, 0)
})

t.test('a stream that is left while its next list is read, or waits for its turn, keeps nothing open', async (t) => {
  for (const waits of [false, true]) {
    const { stream, open, held, pull, pulls } = numbers({ end: 30 })
    const one = await stream()
    await one.next()
    const read = deferred()
    held[1] = read.promise
    const other = waits ? pull() : undefined
    const next = one.next()
    while (!waits && open.size === 0) await new Promise(setImmediate)
    await one.return()
    read.resolve()
    t.same(await next, { done: true, value: undefined })
    await ((await other) as Lists<number> | undefined)?.return()
    await pull().then((last) => (last as Lists<number>).return())
    t.equal(open.size, 0, waits ? 'waits' : 'is read')
    t.match(pulls.save(), { position: waits ? 9 : 6 }, 'the list that nobody took moves nothing')
  }
})

t.test('what was not delivered is read again, from the first list that was not', async (t) => {
  const { messages } = captureLogs(t)
  const { all, pulls } = numbers()
  const update = nextUpdate()
  t.same(await all(update), range(0, 9))
  pulls.ended(update, false, { rounds: 3, deliveredRounds: 1 })
  t.match(pulls.save(), { position: 3 })
  const again = nextUpdate()
  t.same(await all(again), range(3, 9))
  pulls.ended(again, true)
  t.same(await all(), [])
  t.same(messages(), ['all numbers: 6 numbers were not delivered: they are read again'])
  const once = numbers({ redeliver: false })
  await once.all(update)
  once.pulls.ended(update, false)
  t.same(await once.all(), [])
})

t.test('another instance goes on with the state', async (t) => {
  captureLogs(t, 'silent')
  const { pulls, stream } = numbers({ first: { at: 1 } })
  const [held, moved] = [nextUpdate(), nextUpdate()]
  await (await stream(held)).return()
  await (await stream(moved)).return()
  pulls.ended(moved, true)
  const state = structuredClone(pulls.save())
  t.same(state, { position: 7, carried: { start: 1, updates: [String(held)], records: 3 } })
  for (const delivered of [true, false]) {
    const heir = numbers()
    heir.pulls.restore(state)
    t.same(heir.pulls.save(), state, 'handed on before it starts')
    heir.pulls.start()
    heir.pulls.ended(held, delivered)
    t.same(await heir.all(), range(delivered ? 7 : 1, 9))
  }
  for (const odd of [
    undefined,
    null,
    7,
    {},
    { position: 'x' },
    { carried: { start: 1 } },
    { position: 3, carried: 7 },
  ]) {
    const heir = numbers()
    heir.pulls.restore(odd)
    t.equal(heir.pulls.save(), undefined)
  }
})

t.test('a durable cursor says where a pull begins, and is advanced with each list that moves it', async (t) => {
  const { all, pulls, pull } = numbers({ first: { at: 1 } })
  const begun = ofCursor()
  t.same(await all(nextUpdate(), begun.cursor), range(1, 9))
  t.same(begun.advanced, [4, 7, 9])
  t.equal(pulls.save(), undefined, 'the position is kept by the cursor alone')
  const kept = ofCursor(6)
  const update = nextUpdate()
  t.same(await all(update, kept.cursor), [6, 7, 8])
  pulls.ended(update, false)
  t.same(await all(nextUpdate(), ofCursor(9).cursor), [], 'what comes again, the cursor says')
  const still = ofCursor(9)
  t.same(await all(nextUpdate(), still.cursor), [])
  t.same(still.advanced, [], 'a pull that reads nothing leaves it as it is')
  await t.rejects(pull(nextUpdate(), ofCursor({}).cursor), { message: 'no number' })
})

t.test('whatever fails, each number is delivered, in order, and none without need', async (t) => {
  captureLogs(t, 'silent')
  const step = fc.record({ lists: fc.integer({ min: 0, max: 4 }), delivered: fc.nat(4), moves: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      let now = numbers({ end: 20 })
      const delivered: number[] = []
      for (const { lists, delivered: most, moves } of [...steps, { lists: 99, delivered: 99, moves: false }]) {
        const update = nextUpdate()
        const pulled = await now.pull(update)
        const given: number[][] = []
        if (Array.isArray(pulled)) given.push(pulled)
        else {
          for await (const list of pulled) {
            if (given.length === lists) break
            given.push(list)
          }
        }
        const deliveredRounds = Math.min(most, given.length)
        delivered.push(...given.slice(0, deliveredRounds).flat())
        now.pulls.ended(update, false, { rounds: given.length, deliveredRounds })
        if (!moves) continue
        const heir = numbers({ end: 20 })
        heir.pulls.restore(structuredClone(now.pulls.save()))
        heir.pulls.start()
        now = heir
      }
      t.strictSame(delivered, range(0, 20))
      return true
    }),
  )
})
