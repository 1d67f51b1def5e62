import t, { type Test } from 'tap'
import { Link } from '../../../src/core/link.js'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { Attribution } from '../../../src/threads/worker/attribution.js'
import { OpenLinks } from '../../../src/threads/worker/open-links.js'
import { TimeLimits } from '../../../src/threads/worker/time-limits.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, giving, KeepOutlet } from '../../helpers/nodes.js'

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
  const load = (module: string) => (module === 'good' ? exported : Promise.reject(new Error(`${module} does not load`)))
  const timeouts = { startTimeout: timeout, shutdownTimeout: timeout }
  const attribution = new Attribution(pulse, false)
  const open = new OpenLinks({ load }, new TimeLimits(pulse), attribution, timeouts)
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
  const [first, second] = await open.handOff([0, 1])
  t.match(first, [{ state: { position: 4 } }, { state: 'shared' }])
  t.same(second?.at(-1), { kind: 'KeepOutlet', state: undefined }, 'what they share is in the state of the first')
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
    const [state] = await open.handOff([0])
    t.match(state, [{ state: { position: 4 } }])
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
