import fc from '../../helpers/fast-check.js'
import t from 'tap'
import {
  balance,
  groupByCommon,
  place,
  separate,
  threadsFor,
  type KnownLane,
  type Load,
  type Placeable,
} from '../../../src/threads/main/placement.js'

const link = (lane: KnownLane, thread?: number, movable = true): Placeable => ({ lane, thread, movable })

/** Each link in a group of its own. */
const alone = (links: readonly unknown[]) => links.map((_, index) => [index])

t.test('links go to the thread that hosts the fewest, the first of several', async (t) => {
  const links = [link(undefined), link('io'), link(undefined), link(undefined)]
  t.same(place(alone(links), links, 3), [0, 1, 2, 0])
  const later = [link(undefined, 0), link(undefined, 0), link(undefined, 1), link(undefined), link(undefined)]
  t.same(place([[3], [4]], later, 2), [1, 0])
})

t.test('links that must be together are placed together, and count as many as they are', async (t) => {
  const links = Array.from({ length: 5 }, () => link(undefined))
  t.same(place([[0, 2], [1], [3], [4]], links, 2), [0, 1, 1, 0])
})

t.test('a group joins the member that has a thread already', async (t) => {
  const links = [link(undefined, 1), link(undefined), link(undefined)]
  t.same(place([[0, 2], [1]], links, 2), [1, 0])
})

t.test('what computes gets other threads than what waits, or may wait', async (t) => {
  const links = [link('cpu'), link('io'), link('cpu'), link(undefined), link('cpu')]
  t.same(place(alone(links), links, 2), [1, 0, 1, 0, 1])
  t.same(place(alone(links), links, 4), [1, 0, 2, 0, 3])
  const allOfAKind = links.map(() => link('cpu'))
  t.same(place(alone(allOfAKind), allOfAKind, 2), [0, 1, 0, 1, 0], 'all threads when there is nothing to keep apart')
  t.same(place(alone(links), links, 1), [0, 0, 0, 0, 0], 'a single thread has to do')
})

t.test('a group with a link that computes is one that computes', async (t) => {
  const links = [link('io'), link('cpu'), link('io')]
  t.same(place([[0, 1], [2]], links, 2), [1, 0])
})

t.test('a quarter of the threads, one at least, is for what waits', async (t) => {
  const both = [link('io'), link('cpu')]
  const shares = [2, 3, 4, 8, 9].map((threads) => {
    const fitting = threadsFor(both, threads)
    return [fitting('io').length, fitting(undefined).length, fitting('cpu').length]
  })
  t.same(shares, [
    [1, 1, 1],
    [1, 1, 2],
    [1, 1, 3],
    [2, 2, 6],
    [2, 2, 7],
  ])
})

t.test('links are moved to where their lane belongs, those that can be', async (t) => {
  t.same(separate([link('cpu', 0), link('io', 0), link('io', 1)], 2), [
    { link: 0, thread: 1 },
    { link: 2, thread: 0 },
  ])
  t.same(separate([link('cpu', 0, false), link('io', 0, false), link('cpu', undefined)], 2), [])
  t.same(separate([link('cpu', 0), link('cpu', 1)], 2), [], 'nothing to keep apart')
  t.same(
    separate([link('cpu', 0), link('cpu', 0), link('io', 0), link('cpu', 1)], 3),
    [
      { link: 0, thread: 2 },
      { link: 1, thread: 1 },
    ],
    'to the least loaded',
  )
})

t.test('what has a key in common is grouped, through others too', async (t) => {
  t.same(groupByCommon([['a'], ['b'], ['c', 'a'], [], ['b', 'd'], ['d', 'a']]), [[0, 1, 2, 4, 5], [3]])
  t.same(groupByCommon([]), [])
  t.same(groupByCommon([['a', 'a'], ['a']]), [[0, 1]])
})

const keys = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 3 }), {
  maxLength: 12,
})

t.test('property: groups are what a search along common keys finds', async (t) => {
  fc.assert(
    fc.property(keys, (all) => {
      const groups = groupByCommon(all)
      t.same(
        groups.flat().sort((a, b) => a - b),
        [...all.keys()],
        'each item is in one group',
      )
      for (const group of groups) {
        const reached = new Set([group[0] ?? 0])
        for (const at of reached) {
          for (const [other, own] of all.entries()) if (own.some((key) => all[at]?.includes(key))) reached.add(other)
        }
        t.same(
          group,
          [...reached].sort((a, b) => a - b),
        )
      }
    }),
  )
})

const lanes = fc.constantFrom<KnownLane>('io', 'cpu', undefined)
const placeables = (threads: number) =>
  fc.array(
    fc.record({ lane: lanes, thread: fc.option(fc.nat(threads - 1), { nil: undefined }), movable: fc.boolean() }),
  )
const situation = fc
  .integer({ min: 1, max: 9 })
  .chain((threads) => fc.record({ threads: fc.constant(threads), links: placeables(threads) }))

t.test('property: a new link goes to a thread of its lane, and loads stay level', async () => {
  fc.assert(
    fc.property(situation, ({ threads, links }) => {
      const fresh = links.map((one) => ({ ...one, thread: undefined }))
      const placed = place(alone(fresh), fresh, threads)
      const fitting = threadsFor(fresh, threads)
      if (!placed.every((thread, index) => fitting(fresh[index]?.lane).includes(thread))) return false
      return [fitting('io'), fitting('cpu')].every((allowed) => {
        const loads = allowed.map((thread) => placed.filter((one) => one === thread).length)
        return Math.max(...loads) - Math.min(...loads) <= 1
      })
    }),
  )
})

t.test('property: a link that has a thread keeps it when others are placed', async () => {
  fc.assert(
    fc.property(situation, keys, ({ threads, links }, all) => {
      // links that share an instance are in one thread, or nowhere yet
      const groups = groupByCommon(links.map((_, index) => all[index] ?? []))
      const consistent = links.map((one) => ({ ...one }))
      for (const group of groups) {
        const thread = group.map((index) => links[index]!.thread).find((one) => one !== undefined)
        for (const index of group) if (links[index]!.thread !== undefined) consistent[index]!.thread = thread
      }
      const placed = place(groups, consistent, threads)
      return groups.every((group, at) =>
        group.every((index) => consistent[index]!.thread === undefined || consistent[index]!.thread === placed[at]),
      )
    }),
  )
})

t.test(
  'property: after its moves, whatever can be moved is where its lane belongs, and nothing else has moved',
  async () => {
    fc.assert(
      fc.property(situation, ({ threads, links }) => {
        const moved = links.map((one) => ({ ...one }))
        for (const { link: index, thread } of separate(links, threads)) {
          if (!links[index]!.movable || links[index]!.thread === undefined) return false
          moved[index]!.thread = thread
        }
        return separate(moved, threads).length === 0
      }),
    )
  },
)

t.test('links that take time go from busy threads to others, the heaviest first', async (t) => {
  const load = (thread: number, share: number, more: Partial<Load> = {}): Load => ({
    ...{ lane: undefined, thread, share, movable: true },
    ...more,
  })
  const cases: [string, Load[], number, [number, number][]][] = [
    ['nothing to do', [load(0, 0.5), load(1, 0.5)], 2, []],
    ['one heavy link stays', [load(0, 1)], 2, []],
    ['half of two', [load(0, 0.5), load(0, 0.5)], 2, [[0, 1]]],
    ['the rest makes room', [load(0, 0.9), load(0, 0.1), load(0, 0.1)], 2, [[0, 1]]],
    [
      'idle ones are spread too',
      [0, 0, 0, 0].map((thread) => load(thread, 1e-6)),
      2,
      [
        [0, 1],
        [1, 1],
      ],
    ],
    [
      'what cannot be moved stays',
      [load(0, 0.5, { movable: false }), load(0, 0.4), load(0, 0.4)],
      2,
      [
        [1, 1],
        [2, 1],
      ],
    ],
    ['small differences stay', [load(0, 0.5), load(0, 0.01), load(1, 0.5)], 2, []],
    ['lanes are kept apart', [load(0, 0.2), load(1, 0.5, { lane: 'cpu' }), load(1, 0.5, { lane: 'cpu' })], 3, [[1, 2]]],
  ]
  for (const [name, groups, threads, moves] of cases) {
    t.same(
      balance(groups, threads),
      moves.map(([link, thread]) => ({ link, thread })),
      name,
    )
  }
})

t.test('balancing never makes the busiest thread busier, and comes to an end', async (t) => {
  const group = fc.record({
    lane: fc.constantFrom<KnownLane>('io', 'cpu', undefined),
    thread: fc.nat(3),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    movable: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(group, { maxLength: 40 }), (groups) => {
      const busiest = (places: readonly number[]) =>
        Math.max(
          ...[0, 1, 2, 3].map((thread) =>
            groups.reduce((sum, { share }, at) => sum + (places[at] === thread ? share : 0), 0),
          ),
        )
      const places = groups.map(({ thread }) => thread)
      const before = busiest(places)
      for (const { link, thread } of balance(groups, 4)) places[link] = thread
      return busiest(places) <= before + 1e-9
    }),
  )
  t.pass()
})
