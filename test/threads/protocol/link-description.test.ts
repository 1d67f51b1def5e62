import fc from '../../helpers/fast-check.js'
import t from 'tap'
import type { RoundSize } from '../../../src/core/link-options.js'
import {
  exportId,
  keyOf,
  nameOf,
  Kinds,
  type LinkDescription,
  type LinkKind,
  type SentDescription,
} from '../../../src/threads/protocol/link-description.js'
import { packDescriptions, unpackDescriptions } from '../../../src/threads/protocol/packed-descriptions.js'

const MODULE = 'file:///links.js'

/** Descriptions of links as they arrive in another thread. */
function crossing(links: readonly LinkDescription[]): LinkDescription[] {
  const kinds = new Kinds()
  const sent = links.map((link): SentDescription => {
    const { module, exportName, settings, buffers, keepsRecords, nodes, parts, movable, ...rest } = link
    return {
      kind: kinds.share({ module, exportName, settings, buffers, keepsRecords, nodes, parts, movable }),
      ...rest,
    }
  })
  return unpackDescriptions(structuredClone(packDescriptions(sent)))
}

/** Objects as they come out of a structured clone. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })

const settings: fc.Arbitrary<LinkKind['settings']> = plain<LinkKind['settings']>({
  schedule: plain({
    every: fc.option(fc.constantFrom(1000, 2500.5), { nil: undefined }),
    cron: fc.option(fc.constant('* * * * *'), { nil: undefined }),
    timeZone: fc.constant(undefined),
    jitter: fc.constantFrom(0, 10),
    alignToClock: fc.boolean(),
  }),
  copyRecords: fc.boolean(),
  ignoreExceptions: fc.boolean(),
  onStartFailure: fc.constantFrom('stop', 'retry'),
  inletConcurrency: fc.constantFrom(1, 9999),
  immediateTransfer: fc.boolean(),
  rounds: fc.constantFrom<RoundSize>('pulled', 'whole', 5),
  timeout: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
  maxInstances: fc.constantFrom(1, 3),
  stateless: fc.boolean(),
  delivery: fc.constantFrom('memory', 'cursor'),
  retry: plain({ minDelay: fc.constantFrom(1000, 2000), maxDelay: fc.constant(300_000) }),
  deadLetters: fc.option(
    plain({
      after: fc.constantFrom(1, 3),
      max: fc.constant(100_000),
      maxAge: fc.constantFrom(1000, Infinity),
      whenFull: fc.constantFrom('wait', 'dropOldest', 'dropNewest'),
      payload: fc.boolean(),
      redact: fc.constant(undefined),
    }),
    { nil: false },
  ),
  catchUp: fc.boolean(),
  lane: fc.constantFrom('auto' as const, 'cpu' as const),
})

const link: fc.Arbitrary<LinkDescription> = plain<LinkDescription>({
  module: fc.constant(MODULE),
  exportName: fc.constantFrom('links', 'default'),
  index: fc.option(fc.nat(), { nil: undefined }),
  id: fc.oneof(fc.string(), fc.constant('same')),
  tags: fc.oneof(fc.array(fc.string(), { maxLength: 2 }), fc.constant(['same'])),
  settings,
  text: fc.string(),
  buffers: fc.boolean(),
  keepsRecords: fc.boolean(),
  nodes: plain({ inlets: fc.nat(3), outlets: fc.nat(3) }),
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

t.test('what links that follow each other have in common is kept once', async (t) => {
  const [one] = fc.sample(link, 1) as [LinkDescription]
  const like = (index: number) => ({ ...one, index, settings: structuredClone(one.settings), parts: [...one.parts] })
  const [first, second] = crossing([like(0), like(1)]) as [LinkDescription, LinkDescription]
  t.equal(first.settings, second.settings)
  t.equal(first.parts, second.parts)
})

t.test('every setting tells kinds apart, whichever settings there will be', async (t) => {
  const [one] = fc.sample(settings, 1) as [LinkKind['settings']]
  const nodes = { inlets: 0, outlets: 0 }
  const kind = (some: LinkKind['settings']): LinkKind => ({
    ...{
      module: MODULE,
      exportName: 'links',
      settings: some,
      buffers: false,
      keepsRecords: false,
      nodes,
      parts: [],
      movable: true,
    },
  })
  for (const name of Object.keys(one)) {
    const kinds = new Kinds()
    const first = kinds.share(kind(one))
    t.equal(kinds.share(kind({ ...one })), first, 'the same settings')
    t.not(kinds.share(kind({ ...one, [name]: 'another' })), first, `another ${name}`)
  }
})

t.test('a link is named after its export, and a default export after its file', async (t) => {
  const ids: [string, string, number | undefined, string][] = [
    [MODULE, 'todos', undefined, 'todos'],
    [MODULE, 'links', 3, 'links[3]'],
    ['file:///a/orders.mjs', 'default', undefined, 'orders'],
    ['file:///a/orders.test.ts?x=1#y', 'default', 0, 'orders.test[0]'],
    ['file:///a/two%20words.js', 'default', undefined, 'two words'],
  ]
  for (const [module, exportName, index, id] of ids) t.equal(exportId({ module, exportName, index }), id)
})

t.test('an address has one name in its module, and one key', async (t) => {
  const address = { module: MODULE, exportName: 'links', index: 3 }
  t.equal(nameOf(address), 'links[3]')
  t.equal(nameOf({ exportName: 'todos', index: undefined }), 'todos')
  t.equal(keyOf(address), 'file:///links.js links[3]')
})
