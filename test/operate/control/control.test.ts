import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Link } from '../../../src/core/link.js'
import type { PlannerOptions } from '../../../src/planners/planner-options.js'
import { SchedulePlanner } from '../../../src/planners/schedule-planner.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred } from '../../helpers/nodes.js'
import { TracedInlet, TracedOutlet, type Trace } from '../../helpers/planners.js'
import { connected, exchange, ownTemporaryFolder, shortFolder } from '../../helpers/sockets.js'

type Answer = { readonly [name: string]: unknown }

/** A planner of links that are not due for an hour, and what answers at its socket. */
function planner(t: Test, options: PlannerOptions = {}) {
  const trace: Trace = []
  const held = deferred()
  const link = (id: string, tags: string[], pull?: () => unknown) =>
    new Link({
      ...{ id, tags, interval: 3600, immediateTransfer: false },
      inlets: new TracedInlet(id, trace, pull && { pull }),
      outlets: new TracedOutlet(id, trace),
    })
  const links = [
    link('orders', ['daily', 'shop']),
    link('mails', ['daily'], () => {
      throw new Error('no connection')
    }),
    link('slow', [], () => held.promise.then(() => 1)),
  ]
  const made = new SchedulePlanner(links, { control: true, ignoreExceptions: true, ...options })
  t.teardown(async () => {
    held.resolve()
    await made.shutdown().catch(() => undefined)
  })
  return { planner: made, links, held, trace }
}

function request(action: string, more: object = {}): string {
  return `${JSON.stringify({ databay: 1, action, by: { pid: 77, user: 'ada' }, ...more })}\n`
}

const socketIn = (folder: string, name = `${process.pid}.sock`) =>
  join(folder, `databay-${process.getuid?.() ?? 0}`, name)

t.test('without the option there is no socket', async (t) => {
  const folder = ownTemporaryFolder(t)
  const { planner: plain } = planner(t, { control: false })
  await plain.start()
  t.same(readdirSync(folder), [])
})

t.test('it tells the state of the process and of its links', async (t) => {
  const folder = ownTemporaryFolder(t)
  captureLogs(t)
  const { planner: steered } = planner(t)
  await steered.start()
  await steered.forceTransfer(steered.links.slice(0, 2))
  const [status] = (await exchange(socketIn(folder), request('status'))) as [Answer]
  t.match(status, {
    type: 'status',
    process: { pid: process.pid, state: 'running', ready: true, paused: false, threads: 0, links: 3, modules: [] },
    links: [
      { link: 'orders', state: 'ok', transfers: 1, failed: 0 },
      { link: 'mails', state: 'failing', failures: 1, transfers: 1, failed: 1 },
      { link: 'slow', state: 'new', transfers: 0 },
    ],
  })
  const [some] = (await exchange(socketIn(folder), request('status', { tags: ['shop'] }))) as [{ links: unknown[] }]
  t.match(some.links, [{ link: 'orders' }])
  t.equal(some.links.length, 1)
  await steered.shutdown()
  t.notOk(existsSync(socketIn(folder)))
  await t.rejects(connected(socketIn(folder)))
})

t.test('transfers are forced, and answered as each ends', async (t) => {
  const folder = ownTemporaryFolder(t)
  const logs = captureLogs(t)
  const { planner: steered, held } = planner(t)
  await steered.start()
  const answers: Answer[] = []
  const socket = await connected(socketIn(folder))
  const ended = new Promise<void>((resolve) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      answers.push(
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Answer),
      )
      // the others do not wait for the slow one
      if (answers.length === 3) held.resolve()
    })
    socket.once('end', resolve)
  })
  socket.write(request('force', { all: true }))
  await ended
  t.match(answers, [
    { type: 'begun', links: ['orders', 'mails', 'slow'] },
    { type: 'transfer', link: /orders|mails/ },
    { type: 'transfer', link: /orders|mails/ },
    { type: 'transfer', link: 'slow', report: { link: 'slow', pulled: 1, failed: false } },
    { type: 'done', begun: 3, made: 3, failed: 1, skipped: 0 },
  ])
  t.match(logs.messages(), ['ada (process 77) has forced a transfer of orders, mails, slow'])
})

t.test('a link that transfers already is skipped, and says why', async (t) => {
  const folder = ownTemporaryFolder(t)
  captureLogs(t)
  const { planner: steered, held } = planner(t)
  await steered.start()
  t.match(await exchange(socketIn(folder), request('force', { links: ['slow'], wait: false })), [
    { type: 'begun', links: ['slow'] },
    { type: 'done', begun: 1, made: 0 },
  ])
  t.match(await exchange(socketIn(folder), request('force', { links: ['slow'] })), [
    { type: 'begun' },
    { type: 'skipped', link: 'slow', reason: 'as many of its transfers run as may at once' },
    { type: 'done', made: 0, failed: 0, skipped: 1 },
  ])
  held.resolve()
})

t.test('links and the planner are paused and resumed', async (t) => {
  const folder = ownTemporaryFolder(t)
  const logs = captureLogs(t)
  const { planner: steered } = planner(t)
  await steered.start()
  const ask = async (action: string, more?: object) => {
    const [answer] = await exchange(socketIn(folder), request(action, more))
    return answer
  }
  const none = { changed: [], unchanged: [], stillPaused: [] }
  t.match(await ask('pause', { tags: ['daily'] }), { ...none, type: 'paused', changed: ['orders', 'mails'] })
  t.match(await ask('pause', { links: ['orders', 'slow'] }), { changed: ['slow'], unchanged: ['orders'] })
  t.match(await ask('resume', { links: ['slow'] }), { type: 'resumed', changed: ['slow'], unchanged: [] })
  t.match(await ask('pause'), { ...none, planner: 'changed' })
  t.equal(steered.paused, true)
  t.match(await ask('pause', { all: true }), { ...none, planner: 'unchanged' })
  t.match(await ask('status'), { process: { paused: true }, links: [{ link: 'orders', paused: true }] })
  t.match(await ask('resume'), { planner: 'changed', changed: [], stillPaused: ['orders', 'mails'] })
  t.equal(steered.paused, false)
  t.match(await ask('resume', { all: true }), { ...none, planner: 'unchanged', changed: ['orders', 'mails'] })
  t.match(await ask('status'), { process: { paused: false }, links: [{ link: 'orders', paused: false }] })
  t.same(logs.messages(), [
    'ada (process 77) has paused orders, mails',
    'ada (process 77) has paused slow',
    'ada (process 77) has resumed slow',
    'ada (process 77) has paused the planner',
    'ada (process 77) has resumed the planner',
    'ada (process 77) has resumed orders, mails',
  ])
})

t.test('what names a link that there is not changes nothing', async (t) => {
  const folder = ownTemporaryFolder(t)
  const logs = captureLogs(t)
  const { planner: steered, trace } = planner(t)
  await steered.start()
  trace.length = 0
  for (const action of ['force', 'pause', 'resume', 'status']) {
    t.match(await exchange(socketIn(folder), request(action, { links: ['orders', 'mail'] })), [
      {
        type: 'error',
        code: 'DATABAY_INVALID_OPTION',
        message: `--link: expected the id of a link (there are orders, mails, slow), got 'mail': did you mean mails?`,
      },
    ])
    t.match(await exchange(socketIn(folder), request(action, { links: ['orders'], tags: ['dayly'] })), [
      { type: 'error', message: /--tag: .*did you mean daily\?/ },
    ])
  }
  t.match(await exchange(socketIn(folder), request('force')), [{ type: 'error', message: /name the links/ }])
  t.same(trace, [])
  t.same(logs.messages(), [])
  t.match(await exchange(socketIn(folder), request('status')), [{ links: [{ paused: false }, { paused: false }] }])
})

t.test('a planner that starts or stops says so', async (t) => {
  const folder = ownTemporaryFolder(t)
  captureLogs(t)
  const opening = deferred()
  const ending = deferred()
  const { planner: steered } = planner(t)
  await steered.addLinks(
    new Link({
      ...{ id: 'late', interval: 3600 },
      inlets: new TracedInlet('late', [], { onStart: () => opening.promise, onShutdown: () => ending.promise }),
      outlets: new TracedOutlet('late', []),
    }),
  )
  const starting = steered.start()
  while (!existsSync(socketIn(folder))) await new Promise(setImmediate)
  t.match(await exchange(socketIn(folder), request('status')), [{ process: { state: 'starting', ready: false } }])
  for (const action of ['force', 'pause', 'resume'])
    t.match(await exchange(socketIn(folder), request(action, { all: true })), [
      { type: 'error', code: 'DATABAY_PLANNER_STATE', message: /^the planner is starting, and cannot / },
    ])
  opening.resolve()
  await starting
  const stopping = steered.shutdown()
  t.match(await exchange(socketIn(folder), request('status')), [{ process: { state: 'stopping', ready: false } }])
  t.match(await exchange(socketIn(folder), request('force', { all: true })), [
    { type: 'error', message: 'the planner is stopping, and cannot make a transfer' },
  ])
  ending.resolve()
  await stopping
})

t.test('a shutdown lets a forced transfer end, and tells it', async (t) => {
  const folder = ownTemporaryFolder(t)
  captureLogs(t)
  const { planner: steered, held } = planner(t)
  await steered.start()
  const forced = exchange(socketIn(folder), request('force', { links: ['slow'] }))
  while (steered.stats().links[2]?.running !== 1) await new Promise(setImmediate)
  const stopped = steered.shutdown()
  held.resolve()
  await stopped
  t.match(await forced, [{ type: 'begun' }, { type: 'transfer', link: 'slow' }, { type: 'done', made: 1 }])
})

t.test('planners of one process have a socket each, also after a restart', async (t) => {
  const folder = ownTemporaryFolder(t)
  const [one, other] = [planner(t).planner, planner(t).planner]
  await Promise.all([one.start(), other.start()])
  const names = () => readdirSync(socketIn(folder, '')).sort()
  t.same(names(), [`${process.pid}-2.sock`, `${process.pid}.sock`])
  await one.shutdown()
  await one.start()
  t.equal(names().length, 2)
  await Promise.all([one.shutdown(), other.shutdown()])
  t.same(names(), [])
})

t.test('the socket lies in the store, and is linked to', async (t) => {
  const folder = ownTemporaryFolder(t)
  const store = join(shortFolder(t), 'store')
  const { planner: steered } = planner(t, { store })
  await steered.start()
  const socket = join(store, 'control.sock')
  t.equal(readlinkSync(socketIn(folder)), socket)
  t.match(await exchange(socket, request('hello')), [{ type: 'hello', process: { socket } }])
  const { planner: second } = planner(t, { store })
  const logs = captureLogs(t)
  await t.rejects(second.start(), { code: 'DATABAY_STORE_OWNED' })
  t.same(logs.messages(), [])
  t.match(await exchange(socket, request('hello')), [{ type: 'hello' }], 'the first is as before')
  await steered.shutdown()
  t.notOk(existsSync(socket))
  t.same(readdirSync(socketIn(folder, '')), [])
})

t.test('a store with a long path has its socket in the folder of temporary files', async (t) => {
  const folder = ownTemporaryFolder(t)
  const { planner: steered } = planner(t, { store: join(shortFolder(t), 'x'.repeat(100)) })
  await steered.start()
  t.match(await exchange(socketIn(folder), request('hello')), [{ process: { socket: socketIn(folder) } }])
})

t.test('where no socket can be made, the planner runs all the same and says so once', async (t) => {
  const folder = ownTemporaryFolder(t)
  symlinkSync(shortFolder(t), socketIn(folder, ''))
  const logs = captureLogs(t)
  const { planner: steered } = planner(t)
  await steered.start()
  t.match(logs.messages(), [
    /will not find this process: .*databay-\d+, where sockets of running processes lie, is not a folder/,
  ])
  t.equal(logs.lines.length, 1)
  t.equal(steered.running, true)
})

t.test('a planner whose socket is to be at a path does not start when it cannot be there', async (t) => {
  ownTemporaryFolder(t)
  const folder = shortFolder(t)
  mkdirSync(join(folder, 'taken'))
  for (const path of [join(folder, 'taken'), join(folder, 'none/x.sock'), join(folder, 'x'.repeat(200))]) {
    const { planner: steered, trace } = planner(t, { control: path })
    await t.rejects(steered.start(), { code: 'DATABAY_CONTROL', message: path })
    t.same(trace, [], 'nothing was started')
    t.equal(steered.running, false)
  }
  const path = join(folder, 'mine.sock')
  const { planner: steered } = planner(t, { control: path })
  await steered.start()
  const { planner: second } = planner(t, { control: path })
  await t.rejects(second.start(), { code: 'DATABAY_CONTROL', message: 'another process is steered by this socket' })
  t.match(await exchange(path, request('hello')), [{ type: 'hello' }])
})

t.test('the option is a path, or whether there is one', async (t) => {
  for (const control of [1, '', null]) {
    t.throws(() => new SchedulePlanner([], { control: control as never }), { message: /^control: expected / })
  }
})
