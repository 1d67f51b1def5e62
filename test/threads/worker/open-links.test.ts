import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Link } from '../../../src/core/link.js'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { Attribution } from '../../../src/threads/worker/attribution.js'
import { OpenLinks } from '../../../src/threads/worker/open-links.js'
import { TimeLimits } from '../../../src/threads/worker/time-limits.js'
import type { LinkState } from '../../../src/threads/worker/unsettled-state.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, giving, KeepOutlet, turnOfTheLoop } from '../../helpers/nodes.js'

const never = () => deferred().promise

/** Opens links of a module that exports them as a list. */
function setUp(t: Test, count: number, timeout = Infinity) {
  const logs = captureLogs(t)
  const pulse = new Pulse()
  const links = Array.from(
    { length: count },
    (_, at) => new Link({ inlets: giving(1), outlets: new KeepOutlet(), interval: 1, tags: `link${at}` }) as Link,
  )
  const exported = new Map(
    links.map((link, index) => [`links[${index}]`, { exportName: 'links', index, link }] as const),
  )
  const load = async (module: string): Promise<typeof exported> => {
    if (module === 'hangs') await wait(timeout)
    throw new Error(module === 'hangs' ? 'hangs did not load' : `${module} does not load`)
  }
  const timeouts = { startTimeout: timeout, shutdownTimeout: timeout, streamGrace: 1000 }
  const attribution = new Attribution(pulse, false)
  const loadInTime = (module: string) => (module === 'good' ? exported : load(module))
  const open = new OpenLinks({ loadInTime }, new TimeLimits(pulse), attribution, timeouts)
  const request = (index: number, id: number, module = 'good') => ({ module, exportName: 'links', index, id })
  return { logs, pulse, links, open, request }
}

t.test('links are opened under their ids, each tried by itself', async (t) => {
  const { links, open, request } = setUp(t, 2)
  const answer = await open.open([request(0, 5), request(0, 1, 'bad'), request(9, 2), request(1, 6)])
  t.match(answer, [null, { message: 'bad does not load' }, { code: 'DATABAY_LINK_MODULE' }, null])
  t.same(
    [5, 1, 2, 6].map((id) => open.get(id)?.link.name),
    ['link0', undefined, undefined, 'link1'],
  )
  t.ok(links.every((link) => link.nodes().every(({ active }) => active)))
})

t.test('a link that starts is shown by the pulse', async (t) => {
  const { pulse, links, open, request } = setUp(t, 1)
  const seen: unknown[] = []
  const [inlet] = links[0]!.inlets
  inlet!.onStart = () => void seen.push(pulse.inside)
  await open.open([request(0, 3)])
  t.same([...seen, pulse.inside], [3, undefined])
})

t.test('a link that takes too long to start or to stop is an error', async (t) => {
  const { links, open, request } = setUp(t, 2, 5)
  links[0]!.inlets[0]!.onStart = never
  links[1]!.inlets[0]!.onShutdown = never
  t.match(await open.open([request(0, 0), request(1, 1)]), [{ message: 'link0 did not start within 5 ms' }, null])
  t.match(await open.close([0, 1]), [null, { message: 'link1 did not shut down within 5 ms' }])
  t.equal(open.get(1), undefined)
})

t.test('a state is handed off once, and restored where the link goes on', async (t) => {
  const { links, open, request } = setUp(t, 2)
  const taken: unknown[] = []
  const [inlet] = links[0]!.inlets
  inlet!.saveState = () => ({ position: 4 })
  inlet!.restoreState = (state) => void taken.push(state)
  const shared = links[0]!.outlets[0]!
  await links[1]!.addOutlets(shared)
  shared.saveState = () => 'shared'
  await open.open([request(0, 0), request(1, 1)])
  const {
    states: [first, second],
  } = await open.handOff([0, 1])
  t.match(first, { parts: [{ state: { position: 4 } }, { state: 'shared' }] })
  t.same(
    (second as LinkState).parts.at(-1),
    { kind: 'KeepOutlet', state: undefined },
    'what they share is in the state of the first',
  )
  t.equal(open.get(0), undefined)
  await open.open([{ ...request(0, 8), state: first }])
  t.same(taken, [{ position: 4 }])
})

t.test(
  'parts may take their time to save and to restore their state, and a failure of it is one of the link',
  async (t) => {
    const { links, open, request } = setUp(t, 1)
    const [inlet] = links[0]!.inlets
    const events: unknown[] = []
    inlet!.saveState = () => Promise.resolve({ position: 4 })
    inlet!.onStart = () => void events.push('starts')
    await open.open([request(0, 0)])
    const { states } = await open.handOff([0])
    const [state] = states
    t.match(state, { parts: [{ state: { position: 4 } }] })
    inlet!.restoreState = async (taken) => {
      await Promise.resolve()
      events.push(taken)
    }
    t.same(await open.open([{ ...request(0, 1), state }]), [null])
    t.same(events, ['starts', { position: 4 }, 'starts'], 'restored before it starts')
    await open.close([1])
    inlet!.restoreState = () => Promise.reject(new Error('cannot go on there'))
    t.match(await open.open([{ ...request(0, 2), state }]), [{ message: 'cannot go on there' }])
    t.equal(open.get(2), undefined)
  },
)

t.test('when one cannot hand off its state, all stay open', async (t) => {
  const { links, open, request } = setUp(t, 2)
  await open.open([request(0, 0), request(1, 1)])
  links[1]!.inlets[0]!.saveState = () => () => 'no clone'
  await t.rejects(open.handOff([0, 1]), { name: 'DataCloneError' })
  await t.rejects(open.handOff([0, 7]), { code: 'DATABAY_IMPLEMENTATION' })
  t.ok(open.get(0) !== undefined && open.get(1) !== undefined)
})

t.test('transfers of a link are told to stop, and those that come later are known to be', async (t) => {
  const { links, open, request } = setUp(t, 1)
  await open.open([request(0, 0)])
  const reasons: Error[] = []
  links[0]!.cancel = (reason) => void reasons.push(reason)
  const reason = new Error('enough')
  open.cancel(0, 4, reason)
  open.cancel(9, 4, reason)
  t.same(reasons, [reason])
  t.same(open.get(0)?.stopped, { upTo: 4, reason })
})

t.test('a link that opens does not wait for its neighbours, nor for the module of another', async (t) => {
  const { links, open, request } = setUp(t, 3, 200)
  links[1]!.inlets[0]!.onStart = never
  links[2]!.inlets[0]!.onStart = async () => turnOfTheLoop()
  const told: [at: readonly number[], answers: readonly unknown[]][] = []
  const opening = open.open([request(0, 0, 'hangs'), request(0, 1), request(1, 2), request(2, 3)], (at, answers) =>
    told.push([at, answers]),
  )
  while (told.flatMap(([at]) => at).length < 2) await turnOfTheLoop()
  t.same(
    told.flatMap(([at]) => at),
    [1, 3],
    'those that are open are told',
  )
  t.ok(told.every(([, answers]) => answers.every((answer) => answer === null)))
  t.same(
    [0, 1, 2, 3].filter((id) => open.get(id) !== undefined),
    [1, 3],
  )
  t.match(
    await opening,
    [{ message: 'hangs did not load' }, null, { message: 'link1 did not start within 200 ms' }, null],
    'the whole answer follows',
  )
})

t.test('links that open and close at once are answered once', async (t) => {
  const { open, request } = setUp(t, 2)
  const fail = () => t.fail('nothing is told before')
  t.same(await open.open([request(0, 0), request(1, 1)], fail), [null, null])
  t.same(await open.close([0, 1], fail), [null, null])
  await turnOfTheLoop()
})

t.test('a link that closes does not wait for one that hangs', async (t) => {
  const { links, open, request } = setUp(t, 2, 200)
  links[0]!.inlets[0]!.onShutdown = never
  await open.open([request(0, 0), request(1, 1)])
  const told: (readonly number[])[] = []
  const closing = open.close([0, 1], (at) => told.push(at))
  while (told.length === 0) await turnOfTheLoop()
  t.same(told, [[1]])
  t.match(await closing, [{ message: 'link0 did not shut down within 200 ms' }, null])
})

t.test('links that are handed off close at once, also when some hang', async (t) => {
  const { links, open, request } = setUp(t, 3, 300)
  for (const link of links) link.inlets[0]!.onShutdown = never
  await open.open([0, 1, 2].map((at) => request(at, at)))
  const since = performance.now()
  t.equal((await open.handOff([0, 1, 2])).states.length, 3)
  t.ok(performance.now() - since < 850, 'all of them take the time of one')
})

t.test('a processor that hangs as it is reset does not hold up the hand-off for ever', async (t) => {
  const { logs, links, open, request } = setUp(t, 1, 20)
  const processor = { process: (records: unknown[]) => records, saveState: () => 1, reset: never }
  Object.defineProperty(links[0], 'processors', { value: [processor] })
  await open.open([request(0, 0)])
  t.match(await open.handOff([0]), { states: [{ parts: [{}, {}, { state: 1 }] }] })
  t.ok(logs.messages().includes('link0 did not reset within 20 ms'))
})

t.test('a link that starts after it was given up is shut down, unless it is opened again by then', async (t) => {
  const { links, open, request } = setUp(t, 2, 5)
  const ends = [deferred(), deferred()]
  const stops: number[] = []
  for (const [at, link] of links.entries()) {
    link.inlets[0]!.onStart = () => ends[at]!.promise
    link.inlets[0]!.onShutdown = () => void stops.push(at)
  }
  t.match(await open.open([request(0, 0), request(1, 1)]), [{ code: 'DATABAY_START_TIMEOUT' }, {}])
  const again = open.open([request(1, 2)])
  for (const { resolve } of ends) resolve()
  t.same(await again, [null], 'it goes on with the start that took too long')
  while (stops.length === 0) await turnOfTheLoop()
  t.same(stops, [0])
  t.equal(open.get(2)?.link, links[1])
})
