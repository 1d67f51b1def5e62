import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Link } from '../../../src/core/link.js'
import { LinkDescriber } from '../../../src/threads/worker/link-describer.js'
import { giving, KeepOutlet } from '../../helpers/nodes.js'

const MODULE = 'file:///links.js'

function exported(link: Link, index: number) {
  return { exportName: 'links', index, link }
}

t.test('links are described with their parts, and alike ones share a kind', async (t) => {
  const make = () => new Link({ inlets: giving<unknown>(), outlets: new KeepOutlet(), interval: 1, tags: 'a' })
  const buffering = new Link({
    inlets: giving<unknown>(),
    outlets: new KeepOutlet(),
    processors: new Buffer({ countThreshold: 2 }),
    interval: 1,
  })
  const links = new LinkDescriber().describe(MODULE, [make(), make(), buffering].map(exported))
  const [first, second, third] = links.map(({ kind }) => kind)
  t.equal(first, second)
  t.match(first, { module: MODULE, exportName: 'links', buffers: false, parts: ['FromInlet', 'KeepOutlet'] })
  t.match(third, { buffers: true, parts: ['FromInlet', 'KeepOutlet', 'Buffer'] })
  t.match(links, [{ index: 0, id: 'a', tags: ['a'] }, { index: 1 }, { index: 2 }])
})

t.test('an interval that was set is described as it is', async (t) => {
  const link = new Link({ inlets: giving<unknown>(), outlets: new KeepOutlet(), interval: 1 })
  link.setInterval(7)
  t.match(new LinkDescriber().describe(MODULE, [exported(link, 0)]), [
    { kind: { settings: { schedule: { every: 7000 } } } },
  ])
})

t.test('the function that redacts dead letters stays in its thread, and the other settings cross', async (t) => {
  const make = () =>
    new Link({
      inlets: giving<unknown>(),
      outlets: new KeepOutlet(),
      interval: 1,
      delivery: 'cursor',
      deadLetters: { after: 2, redact: (record) => record },
    })
  const links = [make(), make()]
  const described = new LinkDescriber().describe(MODULE, links.map(exported))
  const [first, second] = structuredClone(described)
  t.match(first?.kind.settings.deadLetters, { after: 2, payload: true, redact: undefined })
  t.equal(first?.kind, second?.kind, 'they are alike')
  for (const link of links) t.type(link.settings.deadLetters && link.settings.deadLetters.redact, 'function')
})

t.test('an instance has one number, whatever links and modules use it', async (t) => {
  const describer = new LinkDescriber()
  const shared = giving<unknown>()
  const make = () => new Link({ inlets: shared, outlets: new KeepOutlet(), interval: 1 })
  const link = make()
  const [one] = describer.describe(MODULE, [exported(link, 0)])
  const [again, other] = describer.describe('file:///other.js', [link, make()].map(exported))
  t.equal(again?.identity, one?.identity)
  t.not(other?.identity, one?.identity)
  t.same(again?.instances, one?.instances)
  t.equal(other?.instances[0], one?.instances[0])
  t.not(other?.instances[1], one?.instances[1])
})

t.test('a link that cannot be described is named', async (t) => {
  const inlet = giving<unknown>()
  Object.defineProperty(inlet, 'saveState', {
    get() {
      throw new Error('not yet')
    },
  })
  const link = new Link({ inlets: inlet, outlets: new KeepOutlet(), interval: 1 })
  t.throws(() => new LinkDescriber().describe(MODULE, [{ exportName: 'todos', index: undefined, link }]), {
    code: 'DATABAY_LINK_MODULE',
    message: /^file:\/\/\/links\.js: .+ cannot be described: not yet$/,
  })
})
