import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import type { Inlet } from '../../src/core/inlet.js'
import { isLink, Link } from '../../src/core/link.js'
import type { LinkOptions } from '../../src/core/link-options.js'
import { Outlet } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, FromInlet, giving, KeepOutlet, turnOfTheLoop } from '../helpers/nodes.js'

const interval = 1

/** Writes down when its nodes start and stop. */
function diary() {
  const lines: string[] = []
  const keep = <N extends Inlet | Outlet>(name: string, node: N): N => {
    node.toString = () => name
    node.onStart = () => {
      lines.push(`${name} starts`)
    }
    node.onShutdown = () => {
      lines.push(`${name} stops`)
    }
    return node
  }
  return {
    lines,
    keep,
    inlet: (name: string) => keep(name, giving<unknown>(name)),
    outlet: (name: string) => keep(name, new KeepOutlet()),
    /** What was written since this was last asked. */
    news: () => lines.splice(0),
  }
}

function failing(message: string) {
  return () => Promise.reject(new Error(message))
}

t.test('a link has what it is given', async (t) => {
  const inlet = giving(1)
  const outlets = [new KeepOutlet(), new KeepOutlet()]
  const processor = <T>(records: T[]) => records
  const grouper = <T>(batches: T[]) => batches
  const link = new Link({
    inlets: inlet,
    outlets,
    processors: processor,
    groupers: grouper,
    interval: { seconds: 5 },
    tags: ['http', 'mongo'],
    immediateTransfer: false,
    ignoreExceptions: true,
    maxInstances: 2,
  })
  t.strictSame(link.inlets, [inlet])
  t.strictSame(link.outlets, outlets)
  t.strictSame(link.nodes(), [inlet, ...outlets])
  t.strictSame(link.processors, [processor])
  t.strictSame(link.groupers, [grouper])
  t.strictSame(link.tags, ['http', 'mongo'])
  t.equal(link.name, 'http.mongo')
  t.equal(link.schedule.every, 5000)
  t.equal(link.immediateTransfer, false)
  t.equal(link.ignoreExceptions, true)
  t.equal(link.maxInstances, 2)
})

t.test('the lists of a link are copies', async (t) => {
  const outlets = [new KeepOutlet()]
  const link = new Link({ inlets: giving(1), outlets, interval })
  outlets.pop()
  link.inlets.pop()
  link.outlets.pop()
  t.equal(link.inlets.length, 1)
  t.equal(link.outlets.length, 1)
})

t.test('a link reads as in the manual', async (t) => {
  const { inlet, outlet } = diary()
  const link = new Link({
    inlets: [inlet('in'), inlet('in2')],
    outlets: outlet('out'),
    interval: 0.5,
    tags: ['a', 'b'],
  })
  t.equal(String(link), "Link(tags:['a', 'b'], inlets:[in, in2], outlets:[out], interval:0.5s)")
  const bare = new Link({ inlets: [], outlets: [], cron: '* * * * *' })
  t.equal(String(bare), 'Link(tags:[], inlets:[], outlets:[], interval:cron * * * * *)')
  t.equal(bare.name, 'link')
})

t.test('what is no inlet or outlet is refused, with its place', async (t) => {
  const wrong = (options: { inlets?: unknown; outlets?: unknown }, message: string | RegExp) => {
    t.throws(() => new Link({ inlets: [], outlets: [], interval, ...options } as unknown as LinkOptions), {
      code: 'DATABAY_INVALID_NODE',
      message,
    })
  }
  const inlet = giving(1)
  wrong({ inlets: 5 }, 'inlets[0]: expected an inlet, got 5')
  wrong({ inlets: [inlet, null] }, 'inlets[1]: expected an inlet, got null')
  wrong({ inlets: new KeepOutlet() }, 'inlets[0]: expected an inlet, got KeepOutlet')
  wrong({ outlets: inlet }, /^outlets\[0\]: expected an outlet, got FromInlet/)
  wrong({ outlets: { token: 'secret' } }, 'outlets[0]: expected an outlet, got an object')
  wrong({ inlets: [inlet, inlet] }, 'inlets[1]: FromInlet is in this link already')
})

t.test('isLink knows links, also those of another copy of the package', async (t) => {
  const link = new Link({ inlets: [], outlets: [], interval })
  t.ok(isLink(link))
  t.equal(Reflect.get(link, Symbol.for('databay.Link')), true)
  t.ok(isLink({ [Symbol.for('databay.Link')]: true }))
  for (const other of [null, undefined, {}, 'link', giving(1)]) t.notOk(isLink(other))
})

t.test('a link starts its nodes in order and stops them in reverse', async (t) => {
  const { inlet, outlet, news } = diary()
  const link = new Link({ inlets: [inlet('a'), inlet('b')], outlets: outlet('c'), interval })
  await link.onStart()
  t.strictSame(news(), ['a starts', 'b starts', 'c starts'])
  t.ok(link.nodes().every((node) => node.active))
  await link.onStart()
  t.strictSame(news(), [], 'starting twice is starting once')
  await link.onShutdown()
  t.strictSame(news(), ['c stops', 'b stops', 'a stops'])
  t.notOk(link.nodes().some((node) => node.active))
  await link.onShutdown()
  t.strictSame(news(), [], 'and so is stopping')
  await link.onStart()
  t.strictSame(news(), ['a starts', 'b starts', 'c starts'], 'it can be started again')
})

t.test('a node that links share starts with the first and stops with the last of them', async (t) => {
  const { inlet, outlet, news } = diary()
  const shared = outlet('shared')
  const one = new Link({ inlets: inlet('a'), outlets: shared, interval })
  const other = new Link({ inlets: inlet('b'), outlets: shared, interval })
  await Promise.all([one.onStart(), other.onStart()])
  t.strictSame(news().sort(), ['a starts', 'b starts', 'shared starts'])
  await one.onShutdown()
  t.strictSame(news(), ['a stops'])
  t.ok(shared.active)
  await one.onStart()
  await other.onShutdown()
  t.strictSame(news(), ['a starts', 'b stops'])
  await one.onShutdown()
  t.strictSame(news(), ['shared stops', 'a stops'])
})

t.test('when a node fails to start, those that were started are stopped in reverse', async (t) => {
  const { inlet, outlet, news } = diary()
  const broken = outlet('broken')
  broken.onStart = failing('no connection')
  const link = new Link({ inlets: [inlet('a'), inlet('b')], outlets: [broken, outlet('c')], interval })
  await t.rejects(link.onStart(), { message: 'no connection', stage: 'start', node: String })
  t.strictSame(news(), ['a starts', 'b starts', 'b stops', 'a stops'])
  await link.onShutdown()
  t.strictSame(news(), [])

  broken.onStart = () => {}
  await link.onStart()
  t.strictSame(news(), ['a starts', 'b starts', 'c starts'], 'it can be tried again')
})

t.test('a node that cannot be stopped after a failed start is logged, and the first failure is thrown', async (t) => {
  const log = captureLogs(t)
  const { inlet, outlet } = diary()
  const sticky = inlet('sticky')
  sticky.onShutdown = failing('would not close')
  const broken = outlet('broken')
  broken.onStart = failing('no connection')
  const link = new Link({ inlets: sticky, outlets: broken, interval })
  await t.rejects(link.onStart(), { message: 'no connection' })
  t.match(log.entries(), [{ name: 'databay.Link', err: { message: 'would not close' } }])
})

t.test('a node that fails to stop keeps no other from stopping', async (t) => {
  const { inlet, outlet, news } = diary()
  const nodes = [inlet('a'), inlet('b'), inlet('c')]
  const link = new Link({ inlets: nodes, outlets: outlet('d'), interval })
  await link.onStart()
  news()
  nodes[1]!.onShutdown = failing('b is stuck')
  await t.rejects(link.onShutdown(), { message: 'b is stuck', stage: 'shutdown', node: String })
  t.strictSame(news(), ['d stops', 'c stops', 'a stops'])

  await link.onStart()
  nodes[2]!.onShutdown = failing('c is stuck')
  await t.rejects(link.onShutdown(), {
    name: 'AggregateError',
    message: 'several nodes failed',
    errors: [{ message: 'c is stuck' }, { message: 'b is stuck' }],
  })
})

t.test('nodes can be added to a stopped link and removed from it', async (t) => {
  const { inlet, outlet, news } = diary()
  const [a, b, c, x, y] = [inlet('a'), inlet('b'), inlet('c'), outlet('x'), outlet('y')] as const
  const link = new Link({ inlets: a, outlets: x, interval })
  await link.addInlets([b, c])
  await link.addOutlets(y)
  t.strictSame(link.inlets, [a, b, c])
  t.strictSame(link.outlets, [x, y])
  await link.removeInlets([a, c])
  await link.removeOutlets(x)
  t.strictSame(link.inlets, [b])
  t.strictSame(link.outlets, [y])
  t.strictSame(news(), [], 'nothing is started or stopped')
  const { pulled } = await link.transfer()
  t.equal(pulled, 1)
  t.strictSame(y.payloads, [['b']])
})

t.test('removing all inlets through the list of the link leaves none', async (t) => {
  const link = new Link({ inlets: [giving(1), giving(2), giving(3)], outlets: new KeepOutlet(), interval })
  await link.removeInlets(link.inlets)
  t.strictSame(link.inlets, [])
})

t.test('removing a node that is named twice removes no other', async (t) => {
  const [a, b] = [giving('a'), giving('b')]
  const link = new Link({ inlets: [a, b], outlets: [], interval })
  await link.removeInlets([a, a])
  t.strictSame(link.inlets, [b])
})

t.test('nodes that cannot be added or removed are refused, and then none is', async (t) => {
  const [a, b] = [giving(1), giving(2)]
  const link = new Link({ inlets: a, outlets: new KeepOutlet(), interval })
  const refused = { code: 'DATABAY_INVALID_NODE' }
  await t.rejects(link.addInlets([b, a]), { ...refused, message: 'inlets[1]: FromInlet is in this link already' })
  await t.rejects(link.addInlets([b, b]), { ...refused, message: 'inlets[1]: FromInlet is in this link already' })
  await t.rejects(link.addOutlets([b] as unknown as Outlet[]), {
    ...refused,
    message: /^outlets\[0\]: expected an outlet, got FromInlet/,
  })
  await t.rejects(link.removeInlets([a, b]), { ...refused, message: 'inlet FromInlet is not in this link' })
  await t.rejects(link.removeInlets([null] as unknown as FromInlet<number>[]), {
    ...refused,
    message: 'inlet null is not in this link',
  })
  await t.rejects(link.removeOutlets(new KeepOutlet()), {
    ...refused,
    message: 'outlet KeepOutlet is not in this link',
  })
  t.strictSame(link.inlets, [a])
  t.equal(link.outlets.length, 1)
})

t.test('a node that is added to a started link is started before it is used', async (t) => {
  const { inlet, keep, outlet, news } = diary()
  const opened = deferred()
  const slow = keep('slow', giving<unknown>('slow'))
  slow.onStart = () => opened.promise
  const out = outlet('out')
  const link = new Link({ inlets: inlet('a'), outlets: out, interval })
  await link.onStart()
  news()
  const adding = link.addInlets([slow, inlet('b')])
  await link.transfer()
  t.strictSame(link.inlets.map(String), ['a'], 'not in the link yet')
  opened.resolve()
  await adding
  t.strictSame(news(), ['b starts'])
  t.ok(slow.active)
  await link.transfer()
  t.strictSame(out.payloads, [['a'], ['a', 'slow', 'b']])
  await link.onShutdown()
  t.strictSame(news(), ['b stops', 'slow stops', 'out stops', 'a stops'])
})

t.test('a node that is removed from a started link is stopped', async (t) => {
  const { inlet, outlet, news } = diary()
  const [a, b, x] = [inlet('a'), inlet('b'), outlet('x')] as const
  const link = new Link({ inlets: [a, b], outlets: x, interval })
  await link.onStart()
  news()
  await link.removeInlets(a)
  await link.removeOutlets(x)
  t.strictSame(news(), ['a stops', 'x stops'])
  await link.onShutdown()
  t.strictSame(news(), ['b stops'])
})

t.test('a node that is removed from one of its links stays active for the other', async (t) => {
  const { inlet, outlet, news } = diary()
  const shared = inlet('shared')
  const one = new Link({ inlets: shared, outlets: outlet('x'), interval })
  const other = new Link({ inlets: shared, outlets: outlet('y'), interval })
  await one.onStart()
  await other.onStart()
  news()
  await one.removeInlets(shared)
  t.ok(shared.active)
  await one.onShutdown()
  await other.onShutdown()
  t.strictSame(news(), ['x stops', 'y stops', 'shared stops'])
})

t.test('when one of several nodes cannot be started, none is added and those that were are stopped', async (t) => {
  const log = captureLogs(t)
  const { inlet, outlet, news } = diary()
  const broken = inlet('broken')
  broken.onStart = failing('no connection')
  const sticky = inlet('sticky')
  sticky.onShutdown = failing('would not close')
  const link = new Link({ inlets: inlet('a'), outlets: outlet('x'), interval })
  await link.onStart()
  news()
  await t.rejects(link.addInlets([inlet('b'), sticky, broken]), { message: 'no connection' })
  t.strictSame(news(), ['b starts', 'sticky starts', 'b stops'])
  t.match(log.entries(), [{ err: { message: 'would not close' } }])
  t.strictSame(link.inlets.map(String), ['a'])
  broken.onStart = () => {}
  await link.addInlets(broken)
  t.strictSame(link.inlets.map(String), ['a', 'broken'], 'it can be tried again')
})

t.test('when one of several removed nodes fails to stop, the others are stopped all the same', async (t) => {
  const { inlet, outlet, news } = diary()
  const [a, b, c] = [inlet('a'), inlet('b'), inlet('c')] as const
  const link = new Link({ inlets: [a, b, c], outlets: outlet('x'), interval })
  await link.onStart()
  news()
  b.onShutdown = failing('b is stuck')
  await t.rejects(link.removeInlets([a, b, c]), { message: 'b is stuck' })
  t.strictSame(news(), ['c stops', 'a stops'])
  t.strictSame(link.inlets, [])
})

t.test('a node that is being added cannot be added a second time', async (t) => {
  const { keep, outlet } = diary()
  const opened = deferred()
  const slow = keep('slow', giving<unknown>(1))
  slow.onStart = () => opened.promise
  const link = new Link<unknown>({ inlets: [], outlets: outlet('x'), interval })
  await link.onStart()
  const adding = link.addInlets(slow)
  await t.rejects(link.addInlets(slow), { message: 'inlets[0]: slow is in this link already' })
  opened.resolve()
  await adding
  t.strictSame(link.inlets, [slow])
  await link.onShutdown()
  t.notOk(slow.active, 'it is held once')
})

t.test('a link that is stopped while it starts stops everything it started', async (t) => {
  const { inlet, keep, outlet, news } = diary()
  const opened = deferred()
  const slow = keep('slow', giving<unknown>(1))
  slow.onStart = () => opened.promise
  const link = new Link({ inlets: [inlet('a'), slow], outlets: outlet('x'), interval })
  const starts = [link.onStart(), link.onStart()]
  const stop = link.onShutdown()
  opened.resolve()
  await Promise.all([...starts, stop])
  t.strictSame(news(), ['a starts', 'x starts', 'x stops', 'slow stops', 'a stops'])
  t.notOk(link.nodes().some((node) => node.active))
})

t.test('stopping a link whose start fails meanwhile fails for neither reason', async (t) => {
  const { inlet, outlet } = diary()
  const opened = deferred()
  const slow = inlet('slow')
  slow.onStart = () => opened.promise
  const link = new Link({ inlets: slow, outlets: outlet('x'), interval })
  const start = link.onStart()
  const stop = link.onShutdown()
  opened.reject(new Error('no connection'))
  await t.rejects(start, { message: 'no connection' })
  await t.resolves(stop)
})

t.test('a node that is added while its link stops is not left active', async (t) => {
  const { keep, outlet } = diary()
  const opened = deferred()
  const slow = keep('slow', giving<unknown>(1))
  slow.onStart = () => opened.promise
  const link = new Link<unknown>({ inlets: [], outlets: outlet('x'), interval })
  await link.onStart()
  const adding = link.addInlets(slow)
  await link.onShutdown()
  opened.resolve()
  await adding
  t.notOk(slow.active)
  t.strictSame(link.inlets, [slow], 'it starts with the link')
  await link.onStart()
  t.ok(slow.active)
})

t.test('a node that is removed while its link starts is not left active', async (t) => {
  const { inlet, outlet, news } = diary()
  const opened = deferred()
  const slow = inlet('slow')
  slow.onStart = () => opened.promise
  const later = inlet('later')
  const link = new Link({ inlets: [slow, later], outlets: outlet('x'), interval })
  const start = link.onStart()
  await turnOfTheLoop()
  await link.removeInlets([slow, later])
  opened.resolve()
  await start
  t.notOk(slow.active)
  t.strictSame(news(), ['slow stops', 'x starts'], 'and one whose turn had not come is not started')
})

t.test('a node may add nodes to its link while it starts', async (t) => {
  const { inlet, outlet } = diary()
  const found = inlet('found')
  const finder = inlet('finder')
  const link: Link = new Link({ inlets: finder, outlets: outlet('x'), interval })
  finder.onStart = () => link.addInlets(found)
  await link.onStart()
  t.strictSame(link.inlets, [finder, found])
  t.ok(found.active)
  await link.onShutdown()
  t.notOk(found.active)
})

t.test('transfers are numbered from 0, unless whoever asks has numbers of its own', async (t) => {
  const outlet = new KeepOutlet()
  const link = new Link({ inlets: giving(1), outlets: outlet, interval, tags: 'a' })
  t.match(await link.transfer(), { link: 'a', update: 'a.0', transferNumber: 0, thread: 0 })
  t.match(await link.begin({ transferNumber: 16, thread: 2, scheduledAt: 5 }), {
    update: 'a.16',
    transferNumber: 16,
    thread: 2,
    scheduledAt: 5,
  })
  t.match(await link.transfer(), { update: 'a.1' })
  t.strictSame(outlet.updates.map(String), ['a.0', 'a.16', 'a.1'])
})

t.test('a transfer uses the nodes that the link had when it began', async (t) => {
  const pulled = deferred<number>()
  const [first, second] = [new KeepOutlet(), new KeepOutlet()]
  const link = new Link({ inlets: new FromInlet(() => pulled.promise), outlets: first, interval })
  const running = link.transfer()
  await link.addOutlets(second)
  await link.removeOutlets(first)
  pulled.resolve(1)
  await running
  t.strictSame(first.payloads, [[1]])
  t.strictSame(second.payloads, [])
})

t.test('cancel() tells every running transfer to stop', async (t) => {
  captureLogs(t, 'silent')
  const signals: AbortSignal[] = []
  const inlet = new FromInlet(({ signal }) => {
    signals.push(signal)
    return deferred<number>().promise
  })
  const link = new Link({ inlets: inlet, outlets: new KeepOutlet(), interval, tags: 'a' })
  const transfers = [link.transfer(), link.transfer()]
  const reason = new Error('shut down')
  link.cancel(reason)
  for (const report of await Promise.all(transfers)) {
    t.match(report, { failed: true, errors: [{ node: 'FromInlet', stage: 'pull', message: 'shut down' }] })
  }
  t.ok(signals.every((signal) => signal.reason === reason))
  link.cancel(new Error('again'))
  t.equal(signals[0]?.reason, reason, 'those that have ended are left alone')
})

t.test('a transfer that takes longer than its timeout is told to stop', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new KeepOutlet()
  const inlet = new FromInlet(
    ({ signal }) =>
      new Promise<number>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  )
  const link = new Link({
    inlets: [giving(1), inlet],
    outlets: outlet,
    interval,
    tags: 'a',
    timeout: { milliseconds: 5 },
  })
  const report = await link.transfer()
  t.match(report, {
    failed: true,
    pulled: 1,
    dropped: 1,
    errors: [
      {
        name: 'TransferTimeoutError',
        code: 'DATABAY_TRANSFER_TIMEOUT',
        message: 'a.0 did not end within 5 ms',
        node: 'FromInlet',
      },
    ],
  })
  t.strictSame(outlet.batches, [])
})

t.test('a timeout does not touch a transfer that ends in time', async (t) => {
  let signal: AbortSignal | undefined
  const inlet = new FromInlet((update) => {
    signal = update.signal
    return 1
  })
  const link = new Link({ inlets: inlet, outlets: new KeepOutlet(), interval, timeout: { milliseconds: 5 } })
  t.match(await link.transfer(), { failed: false, pulled: 1 })
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(signal?.aborted, false)
})

t.test('a timeout of months does not end a transfer at once', async (t) => {
  const inlet = new FromInlet(
    ({ signal }) =>
      new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(signal.aborted), 5)
      }),
  )
  const outlet = new KeepOutlet()
  const link = new Link({ inlets: inlet, outlets: outlet, interval, timeout: { weeks: 8 } })
  await link.transfer()
  t.strictSame(outlet.payloads, [[false]])
})

t.test('drain() releases what the buffers of the link and its outlets hold, without pulling', async (t) => {
  let pulls = 0
  const inlet = new FromInlet(() => [++pulls, ++pulls])
  const plain = new KeepOutlet()
  const buffered = new KeepOutlet(undefined, { processors: new Buffer({ countThreshold: 100 }) })
  const link = new Link({
    inlets: inlet,
    outlets: [plain, buffered],
    processors: new Buffer({ countThreshold: 4 }),
    interval,
  })
  for (let transfers = 0; transfers < 3; transfers++) await link.transfer()
  t.equal(link.buffered, 2 + 4)
  t.strictSame(plain.payloads, [[1, 2, 3, 4]])
  const report = await link.drain()
  t.match(report, { pulled: 0, buffered: 0, grouped: 2, failed: false, outlets: [{ pushed: 2 }, { pushed: 6 }] })
  t.strictSame(plain.payloads, [
    [1, 2, 3, 4],
    [5, 6],
  ])
  t.strictSame(buffered.payloads, [[1, 2, 3, 4, 5, 6]])
  t.equal(link.buffered, 0)
  t.equal(pulls, 6)
})

t.test('drain() releases an outlet its buffer when the link itself holds nothing', async (t) => {
  const outlet = new KeepOutlet(undefined, { processors: new Buffer({ countThreshold: 100 }) })
  const link = new Link({ inlets: giving(1, 2), outlets: outlet, interval })
  await link.transfer()
  await link.drain()
  t.strictSame(outlet.payloads, [[1, 2]])
})

t.test('drain() releases every batch of buffers behind each other', async (t) => {
  const outlet = new KeepOutlet(undefined, { processors: new Buffer({ countThreshold: 100 }) })
  const link = new Link({
    inlets: giving(1, 2, 3),
    outlets: outlet,
    processors: [new Buffer({ countThreshold: 50 }), new Buffer({ countThreshold: 50 })],
    groupers: (batches) => batches.flatMap((batch) => batch.map((record) => [record])),
    interval,
  })
  await link.transfer()
  t.match(await link.drain(), { buffered: 0, grouped: 3, batches: 3, outlets: [{ pushed: 3, buffered: 0 }] })
  t.strictSame(outlet.payloads, [[1], [2], [3]])
})

t.test('drain() does nothing when nothing is held', async (t) => {
  const link = new Link({
    inlets: giving(1),
    outlets: new KeepOutlet(),
    processors: [(records) => records, new Buffer({ countThreshold: 1 }), { process: (records) => records }],
    interval,
  })
  await link.transfer()
  t.equal(await link.drain(), undefined)
})

t.test('a processor that cannot tell its size leaves no timer and nothing that runs', async (t) => {
  const unsized = {
    process: (records: readonly Record<number>[]) => [...records],
    get size(): number {
      throw new Error('no size')
    },
  }
  const before = process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length
  const link = new Link({
    inlets: giving(1),
    outlets: new KeepOutlet(),
    interval: 1,
    timeout: 4,
    processors: unsized,
  })
  await t.rejects(link.transfer(), { message: 'no size' })
  t.equal(process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length, before)
})

t.test('a link has an id by its options or its export, and shows as its tags without one', async (t) => {
  const make = (options: { id?: string; tags?: string[] }) =>
    new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1, ...options })
  const live = make({ tags: ['a', 'b'] })
  t.equal(live.id, undefined)
  t.equal(live.name, 'a.b')
  t.equal(make({}).name, 'link')
  const named = make({ id: 'orders', tags: ['a'] })
  t.equal(named.name, 'orders')
  const report = await named.transfer()
  t.match(report, { link: 'orders', update: 'a.0' }, 'updates are named by tags')
  named.nameAfterExport('todos')
  t.equal(named.id, 'orders')
  live.nameAfterExport('todos')
  live.nameAfterExport('others')
  t.equal(live.name, 'todos')
})

t.test('a link takes one object, and says so where it is given arguments in a row', async (t) => {
  const [inlet, outlet] = [new NullInlet(), new NullOutlet()]
  const make = (...args: unknown[]) => Reflect.construct(Link, args) as Link
  const message =
    /^options: expected one object, as in new Link\(\{ inlets, outlets, interval: 5 \}\), got '3 arguments'$/
  t.throws(() => make(inlet, outlet, 5), { code: 'DATABAY_INVALID_OPTION', message })
  t.throws(() => make(inlet), { message: /^options: expected one object, .+, got '1 argument, an inlet'$/ })
  t.equal(make({ inlets: inlet, outlets: outlet, interval: 5 }).schedule.every, 5000)
})

t.test('nodes that are added count from the next transfer on, also before addInlets() has resolved', async (t) => {
  const link = new Link({ inlets: giving(1), outlets: new KeepOutlet(), interval: 1 })
  t.equal((await link.transfer()).pulled, 1)
  const adding = link.addInlets(giving(2))
  t.equal((await link.transfer()).pulled, 2)
  await adding
})
