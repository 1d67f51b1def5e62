import fc from 'fast-check'
import t from 'tap'
import { packDescriptions, unpackDescriptions } from '../../../src/threads/protocol/descriptions.js'
import type { LinkDescription } from '../../../src/threads/protocol/link-description.js'

const MODULE = 'file:///links.js'

/** What a thread gets of links that another has described. */
const crossing = (links: readonly LinkDescription[]) =>
  unpackDescriptions(structuredClone(packDescriptions(MODULE, links)))

/** Objects as they come out of a structured clone. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })

const tags = fc.array(fc.string(), { maxLength: 2 })
const link: fc.Arbitrary<LinkDescription> = plain<LinkDescription>({
  module: fc.constant(MODULE),
  exportName: fc.constantFrom('links', 'default'),
  index: fc.option(fc.nat(), { nil: undefined }),
  name: fc.oneof(fc.string(), fc.constant('same')),
  tags: fc.oneof(tags, fc.constant(['same'])),
  schedule: plain({
    every: fc.option(fc.constantFrom(1000, 2500.5), { nil: undefined }),
    cron: fc.option(fc.constant('* * * * *'), { nil: undefined }),
    timeZone: fc.constant(undefined),
    jitter: fc.constantFrom(0, 10),
    alignToClock: fc.boolean(),
  }),
  immediateTransfer: fc.boolean(),
  ignoreExceptions: fc.boolean(),
  maxInstances: fc.constantFrom(1, 3),
  stateless: fc.boolean(),
  lane: fc.constantFrom('auto' as const, 'cpu' as const),
  text: fc.string(),
  buffers: fc.boolean(),
  parts: fc.array(fc.constantFrom('NullInlet', 'NullOutlet'), { maxLength: 3 }),
  movable: fc.boolean(),
  identity: fc.maxSafeNat(),
  instances: fc.array(fc.maxSafeNat(), { maxLength: 3 }),
})

t.test('property: links are on the other side what they were, in their order', async (t) => {
  fc.assert(
    fc.property(fc.array(link), (links) => {
      t.strictSame(crossing(links), links)
    }),
  )
})

t.test('what links have in common is kept once', async (t) => {
  const [one] = fc.sample(link, 1) as [LinkDescription]
  const schedule = { every: 1000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }
  const like = (index: number) => ({ ...one, index, schedule: { ...schedule } })
  const [first, second] = crossing([like(0), like(1)]) as [LinkDescription, LinkDescription]
  t.equal(first.schedule, second.schedule)
  t.equal(first.parts, second.parts)
})
