import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { OutletAccount } from '../../src/core/link-accounts.js'
import type { TransferReport } from '../../src/core/report.js'
import type { BlockedEvent, SkippedEvent, UnblockedEvent } from '../../src/operate/planner-events.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { threadPoolOf, WorkerPlanner } from '../../src/planners/worker-planner.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import { captureLogs } from '../helpers/logs.js'
import { fixture, until } from '../helpers/threads.js'

/** Delays within which a test does not see a second try. */
const RARE = { retry: { minDelay: 60, maxDelay: 60 } }

interface Settings {
  readonly link?: object
  readonly planner?: WorkerPlannerOptions
  readonly ids?: readonly string[]
  readonly folder?: string
}

/** What the planners of these tests have in common. */
type AnyPlanner = WorkerPlanner | SchedulePlanner

/** An outage in a folder, and the planner that lives with it. */
async function start(
  t: Test,
  { link = {}, planner: options = {}, ids = ['orders'], folder = t.testdir() }: Settings = {},
) {
  const url = fixture('outage-links.ts')
  url.searchParams.set('folder', folder)
  url.searchParams.set('ids', ids.join(','))
  url.searchParams.set('options', JSON.stringify(link))
  const planner = new WorkerPlanner(url, { threads: 1, store: join(folder, 'store'), ...options })
  return follow(t, planner, folder)
}

async function follow<P extends AnyPlanner>(t: Test, planner: P, folder: string) {
  const logs = captureLogs(t, 'info')
  const blocked: BlockedEvent[] = []
  const unblocked: UnblockedEvent[] = []
  const skipped: SkippedEvent[] = []
  const reports: TransferReport[] = []
  planner.on('blocked', (event) => blocked.push(event))
  planner.on('unblocked', (event) => unblocked.push(event))
  planner.on('skipped', (event) => skipped.push(event))
  planner.on('transfer', (report) => reports.push(report))
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  await planner.start()
  return {
    ...{ planner, folder, logs, blocked, unblocked, skipped, reports },
    down: (name = 'orders b') => {
      writeFileSync(join(folder, `${name} is down`), '')
    },
    up: (name = 'orders b') => {
      rmSync(join(folder, `${name} is down`))
    },
    got: (name = 'orders b') => linesOf(join(folder, name)),
    lines: () => logs.messages(),
    attempts: () => planner.stats().links[0]?.blocked?.attempts,
  }
}

function linesOf(file: string): number[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').map(Number) : []
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

/** Checks that all records of a planner are accounted for. */
function checkAccounts(t: Test, planner: AnyPlanner): void {
  const { links, removed } = planner.stats()
  for (const { outlets } of [...links, ...removed])
    for (const one of outlets) t.ok(isBalanced(one), JSON.stringify(one))
  t.equal(planner.counts.lost, 0)
}

function isBalanced(account: OutletAccount): boolean {
  const { pulled, replayed = 0, added, filtered, pushed, dropped, dead = 0, lost, buffered } = account
  const { waiting = 0, pulledAgain = 0 } = account
  return pulled + replayed + added === filtered + pushed + dropped + dead + lost + pulledAgain + waiting + buffered
}

t.test('an outlet that is down is tried again until it is up; the other one goes without doubles', async (t) => {
  const { planner, blocked, unblocked, down, up, got, attempts, lines, logs } = await start(t)
  await planner.forceTransfer()
  down()
  t.match(await planner.forceTransfer(), [{ failed: false, blocked: { node: 'outlet orders b', stage: 'push' } }])
  await until(() => (attempts() ?? 0) >= 3)
  t.match(planner.counts, { blocked: 1, waiting: 2 })
  t.match(planner.stats().links, [{ waiting: 2, blocked: { message: 'it is down', code: 'ECONNREFUSED' } }])
  checkAccounts(t, planner)
  up()
  await until(() => unblocked.length > 0)
  t.match(blocked, [{ link: 'orders', node: 'outlet orders b', waiting: 2, attempts: 1 }])
  t.match(unblocked, [{ link: 'orders', since: blocked[0]?.since }])
  t.ok((unblocked[0]?.attempts ?? 0) >= 3)
  await planner.forceTransfer()
  t.same([got('orders a'), got()], [upTo(6), upTo(6)])
  checkAccounts(t, planner)
  const loud = logs.entries().filter(({ level }) => level >= 40)
  t.match(
    loud.map(({ msg }) => msg),
    [/^1 of orders outlet orders b failed to push: it is down/, /^orders is blocked, .*it is down; 2 records wait/],
  )
  t.equal(lines().filter((line) => line.includes('is not blocked any more')).length, 1)
})

t.test('an inlet whose source is down blocks its link too', async (t) => {
  const { planner, folder, blocked, unblocked, got } = await start(t)
  writeFileSync(join(folder, 'no source'), '')
  t.match(await planner.forceTransfer(), [{ failed: false, blocked: { stage: 'pull', message: 'no source' } }])
  t.match(blocked, [{ stage: 'pull', waiting: 0 }])
  rmSync(join(folder, 'no source'))
  await until(() => unblocked.length > 0)
  t.same(got(), upTo(2))
})

t.test('due times are skipped while a link is blocked, and made up for once', async (t) => {
  const { planner, skipped, unblocked, down, up, got, lines } = await start(t, { link: { interval: 0.02 } })
  await until(() => got().length >= 4)
  down()
  const asBlocked = () => skipped.filter(({ reason }) => reason === 'blocked').length
  const skips = () => lines().filter((line) => line.includes('is skipped')).length
  await until(() => asBlocked() >= 1)
  const before = skips()
  await until(() => asBlocked() >= 5)
  t.equal(skips(), before, 'it was logged that it is blocked')
  up()
  await until(() => unblocked.length > 0)
  const { length } = got()
  await until(() => got().length >= length + 4)
  await planner.shutdown()
  t.same([got('orders a'), got()], [upTo(got().length), upTo(got().length)])
})

t.test('forceTransfer tries a blocked link now, and gives its report', async (t) => {
  const { planner, down, up, got, unblocked } = await start(t, { link: RARE })
  down()
  t.match(await planner.forceTransfer(), [{ blocked: { attempts: 1 } }])
  t.match(await planner.forceTransfer(), [{ pulled: 0, blocked: { attempts: 2 } }])
  up()
  const [report] = await planner.forceTransfer()
  t.match(report, { pulled: 2, outlets: [{ pushed: 2 }, { pushed: 4 }], blocked: undefined })
  t.equal(unblocked.length, 1)
  t.same([got('orders a'), got()], [upTo(4), upTo(4)])
})

t.test('a paused planner tries nothing; when it goes on, what is due is tried', async (t) => {
  const { planner, down, attempts, up, unblocked } = await start(t)
  down()
  await planner.forceTransfer()
  planner.pause()
  const { transfers } = planner.counts
  await new Promise((resolve) => setTimeout(resolve, 150))
  t.ok(planner.counts.transfers <= transfers + 1, 'but for one that ran')
  const before = attempts() ?? 0
  planner.resume()
  await until(() => (attempts() ?? 0) > before)
  up()
  await until(() => unblocked.length > 0)
})

for (const options of [{}, { drain: false }, { wait: false }]) {
  t.test(
    `a shutdown ${JSON.stringify(options)} ends at once; what waits is pulled again at the next start`,
    async (t) => {
      const { planner, folder, down, up, got, lines, logs } = await start(t, { link: RARE })
      down()
      await planner.forceTransfer()
      const since = performance.now()
      await planner.shutdown(options)
      t.ok(performance.now() - since < 5000)
      t.match(
        lines().filter((line) => line.includes('next start')),
        [/^2 records of orders are pulled again at the next start/],
      )
      t.equal(logs.entries().filter(({ level, msg }) => level >= 40 && /lost|drop|buffer/.test(msg)).length, 0)
      checkAccounts(t, planner)
      t.match(planner.stats().removed, [{ outlets: [{ pushed: 2 }, { pushed: 0, pulledAgain: 2 }] }])
      up()
      await planner.start()
      await planner.forceTransfer()
      t.same([got('orders a'), got()], [[0, 1, 0, 1], upTo(2)])
      checkAccounts(t, planner)
      t.ok(folder)
    },
  )
}

const CHANGES: { readonly [name: string]: (planner: WorkerPlanner) => Promise<unknown> } = {
  reload: (planner) => planner.reload(planner.modules[0] as string),
  recycle: (planner) => planner.recycle(),
  'lost threads': async (planner) => {
    const lost = new Promise((resolve) => planner.once('threadLost', resolve))
    for (const { worker } of threadPoolOf(planner).threads) void worker?.terminate()
    await lost
  },
}

t.test('reload, recycle, lost threads: a blocked link takes each at once, and is tried again at once', async (t) => {
  const { planner, blocked, unblocked, reports, down, up, got, attempts } = await start(t, { link: RARE })
  for (const [at, [name, change]] of Object.entries(CHANGES).entries()) {
    down()
    await planner.forceTransfer()
    const since = performance.now()
    await change(planner)
    await until(() => (attempts() ?? 0) >= 2)
    t.ok(performance.now() - since < 20_000, name)
    t.equal(blocked.length, at + 1, `${name}: it is blocked still`)
    checkAccounts(t, planner)
    const { length } = got()
    up()
    await change(planner)
    await until(() => unblocked.length > at)
    t.same(got(), upTo(got().length), name)
    t.ok(got().length >= length + 2, name)
    checkAccounts(t, planner)
    t.ok(reports.every(({ failed }) => !failed))
    t.match(planner.counts, { lost: 0 })
  }
})

t.test('threads that end, and a balance of threads, move blocked links at once', async (t) => {
  const ids = ['one', 'two', 'three']
  const { planner, blocked, unblocked, down, up, got } = await start(t, { link: RARE, ids, planner: { threads: 3 } })
  for (const id of ids) down(`${id} b`)
  await planner.forceTransfer()
  t.equal(blocked.length, 3)
  const since = performance.now()
  await planner.rebalance()
  await planner.setThreads(1)
  t.ok(performance.now() - since < 20_000)
  for (const id of ids) up(`${id} b`)
  await planner.recycle()
  await until(() => unblocked.length === 3)
  for (const id of ids) t.same(got(`${id} b`), upTo(got(`${id} b`).length))
  checkAccounts(t, planner)
})

t.test('a blocked link is removed at once, and is tried no more', async (t) => {
  const { planner, down, reports, lines } = await start(t)
  down()
  await planner.forceTransfer()
  await planner.removeLinks(planner.links)
  const { length } = reports
  t.match(planner.counts, { blocked: undefined, waiting: undefined, lost: 0 })
  t.match(
    lines().filter((line) => line.includes('pulled again when')),
    [/^2 records of orders/],
  )
  checkAccounts(t, planner)
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(reports.length, length)
})

t.test('a thread that is lost in a transfer of a link with delivery does not stop the planner', async (t) => {
  const { planner, folder, reports, got } = await start(t)
  await planner.forceTransfer()
  writeFileSync(join(folder, 'crash'), '')
  t.match(await planner.forceTransfer(), [{ failed: false, errors: [{ code: 'DATABAY_THREAD_LOST' }] }])
  rmSync(join(folder, 'crash'))
  t.ok(planner.running)
  await planner.forceTransfer()
  t.same(got(), upTo(4))
  t.ok(reports.every(({ failed }) => !failed))
  checkAccounts(t, planner)
})

t.test('another interval changes nothing of when a blocked link is tried', async (t) => {
  const { planner, down, up, unblocked, skipped, got } = await start(t)
  down()
  await planner.forceTransfer()
  const [link] = planner.links
  link?.setInterval?.({ milliseconds: 20 })
  await until(() => skipped.length >= 2)
  up()
  await until(() => unblocked.length > 0 && got().length >= 6)
  t.same(got(), upTo(got().length))
})

t.test('start() does not wait for the first transfer of a link with delivery', async (t) => {
  const folder = t.testdir({ 'orders b hangs': '' })
  const { planner } = await start(t, { folder, link: { immediateTransfer: true } })
  t.ok(planner.running)
  t.match(planner.stats().links, [{ running: 1 }])
  await planner.shutdown({ wait: false })
})

t.test('a planner of so many transfers does not count tries, and ends when its links have made them', async (t) => {
  const folder = t.testdir({ 'orders b is down': '' })
  const link = { immediateTransfer: true, interval: 0.02 }
  const { planner, blocked, up, got, attempts } = await start(t, { folder, link, planner: { transfers: 2 } })
  await until(() => (attempts() ?? 0) >= 4)
  up()
  await planner.finished
  t.same([blocked.length, got()], [1, upTo(4)])
})

t.test('a live link of a SchedulePlanner is blocked, tried again and goes on too', async (t) => {
  const folder = t.testdir()
  const url = fixture('outage-links.ts')
  url.searchParams.set('folder', folder)
  const { links } = (await import(url.href)) as { readonly links: never[] }
  const planner = new SchedulePlanner(links, { store: join(folder, 'store') })
  const { down, up, got, blocked, unblocked, lines } = await follow(t, planner, folder)
  down()
  t.match(await planner.forceTransfer(), [{ failed: false, blocked: { attempts: 1 } }])
  await until(() => (planner.stats().links[0]?.blocked?.attempts ?? 0) >= 3)
  up()
  await until(() => unblocked.length > 0)
  t.same([blocked.length, got()], [1, upTo(2)])
  down()
  await planner.forceTransfer()
  await planner.shutdown()
  t.equal(lines().filter((line) => line.includes('pulled again at the next start')).length, 1)
  checkAccounts(t, planner)
  up()
  await planner.start()
  await planner.forceTransfer()
  t.same(got(), upTo(4))
  checkAccounts(t, planner)
})
