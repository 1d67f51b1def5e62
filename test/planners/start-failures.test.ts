/** Links that cannot be started, in real threads. On the build, as link modules import it, too. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import {
  Link,
  NullOutlet,
  RandomIntInlet,
  SchedulePlanner,
  setLogLevel,
  WorkerPlanner,
  type BasePlanner,
  type LinkStats,
  type PlannerOptions,
  type SkippedEvent,
  type StartFailedEvent,
  type StartRecoveredEvent,
  type TransferReport,
  type WorkerPlannerOptions,
} from '../../dist/src/index.js'
import { loadBuildOnly } from '../helpers/built-threads.js'
import { until } from '../helpers/threads.js'

loadBuildOnly()
setLogLevel('silent')

/** Code of link modules: nodes go by files of the folder, which the test writes and deletes. */
const CODE = `
  import { existsSync, rmSync, writeFileSync } from 'node:fs'
  import { setTimeout as wait } from 'node:timers/promises'
  import { Inlet, Link, NullOutlet } from 'databay'
  const has = (name) => existsSync(new URL(name, import.meta.url))
  class Faulty extends Inlet {
    constructor(name) { super(); this.name = name }
    async onStart() {
      while (has(this.name + '.slow')) await wait(20)
      if (has(this.name + '.refuses')) throw new Error(this.name + ' is refused')
      if (has(this.name + '.hangs')) await new Promise(() => {})
    }
    async pull() {
      if (has(this.name + '.crash')) { rmSync(new URL(this.name + '.crash', import.meta.url)); process.exit(1) }
      return 1
    }
    async onShutdown() { if (has(this.name + '.clings')) await new Promise(() => {}) }
    saveState() {}
  }
  const make = (name, settings) => new Link({ id: name, inlets: new Faulty(name), outlets: new NullOutlet(), interval: 0.1, ...settings })
`

interface Watched {
  readonly failed: StartFailedEvent[]
  readonly recovered: StartRecoveredEvent[]
  readonly skipped: SkippedEvent[]
  readonly reports: TransferReport[]
  readonly of: (link: string) => LinkStats | undefined
  /** Waits until a link has made a transfer after now. */
  readonly transfers: (link: string) => Promise<void>
}

function watch(t: Test, planner: BasePlanner): Watched {
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  const watched: Watched = {
    failed: [],
    recovered: [],
    skipped: [],
    reports: [],
    of: (link) => planner.stats().links.find((one) => one.link === link),
    transfers: async (link) => {
      const since = Date.now()
      await until(() => watched.reports.some((one) => one.link === link && one.pulled > 0 && one.startedAt > since))
    },
  }
  planner.on('startFailed', (event) => watched.failed.push(event))
  planner.on('startRecovered', (event) => watched.recovered.push(event))
  planner.on('skipped', (event) => watched.skipped.push(event))
  planner.on('transfer', (report) => watched.reports.push(report))
  return watched
}

/** Planner of link modules, each with its code. */
function planned(t: Test, modules: { readonly [file: string]: string }, options: WorkerPlannerOptions = {}) {
  const folder = t.testdir({})
  const file = (name: string) => path.join(folder, name)
  for (const [name, code] of Object.entries(modules)) writeFileSync(file(name), `${CODE}\n${code}`)
  const names = Object.keys(modules).map(file)
  const settings = { threads: 1, startTimeout: 3, shutdownTimeout: 5, immediateTransfer: false, ignoreExceptions: true }
  const planner = new WorkerPlanner(names, { ...settings, ...options })
  return {
    planner,
    ...watch(t, planner),
    put: (name: string) => {
      writeFileSync(file(name), '')
    },
    remove: async (name: string) => (await import('node:fs')).rmSync(file(name)),
    file,
  }
}

/** Time that work takes, in milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return performance.now() - since
}

/** Waits until a thread was lost. */
function loss(planner: WorkerPlanner): Promise<unknown> {
  return new Promise((resolve) => planner.once('threadLost', resolve))
}

t.test(
  'after a crash, a module that hangs keeps only its own links dark, which is told, and tried again',
  async (t) => {
    const once = `if (has('loaded')) await new Promise((resolve) => { const timer = setInterval(() => has('free') && (clearInterval(timer), resolve()), 20) })
    writeFileSync(new URL('loaded', import.meta.url), '')`
    const { planner, failed, recovered, skipped, put, transfers, of, file } = planned(t, {
      'hangs.mjs': `${once}\nexport const dark = make('dark')`,
      'fine.mjs': `export const fine = make('fine'), crashes = make('crashes')`,
    })
    await planner.start()
    await transfers('dark')
    put('crashes.crash')
    await loss(planner)
    await transfers('fine')
    t.same(failed, [], 'others go on before the startTimeout is over')
    await until(() => failed.length > 0)
    t.match(failed[0], {
      link: 'dark',
      module: new URL(`file://${file('hangs.mjs')}`).href,
      attempts: 1,
      error: { code: 'DATABAY_START_TIMEOUT', message: /hangs.mjs: it did not load within 3000 ms/ },
    })
    t.match(of('dark')?.startFailure, { attempts: 1, message: /did not load/, retryAt: Number })
    t.same(planner.unstarted, ['dark'])
    await until(() => skipped.some(({ link, reason }) => link === 'dark' && reason === 'starting'))
    put('free')
    await transfers('dark')
    t.match(recovered, [{ link: 'dark' }])
    t.same([planner.unstarted, of('dark')?.startFailure], [[], undefined])
  },
)

t.test('after a crash, a link that starts slowly does not hold up its neighbours', async (t) => {
  const links = `export const links = ['slow', 'fine', 'crashes'].map((name) => make(name))`
  const { planner, failed, put, remove, transfers, reports } = planned(t, { 'links.mjs': links }, { startTimeout: 30 })
  await planner.start()
  await transfers('slow')
  put('slow.slow')
  put('crashes.crash')
  await loss(planner)
  const lostAt = Date.now()
  await transfers('fine')
  t.notOk(
    reports.some(({ link, startedAt }) => link === 'slow' && startedAt > lostAt),
    'it starts still',
  )
  await remove('slow.slow')
  await transfers('slow')
  t.same(failed, [], 'it was in time')
})

t.test('after a crash, a link that is refused is tried again until it starts', async (t) => {
  const { planner, failed, recovered, put, remove, transfers } = planned(t, {
    'links.mjs': `export const links = ['picky', 'crashes'].map((name) => make(name))`,
  })
  await planner.start()
  await transfers('picky')
  put('picky.refuses')
  put('crashes.crash')
  await loss(planner)
  await until(() => failed.length === 2)
  t.match(failed, [{ attempts: 1, error: { message: 'picky is refused' } }, { attempts: 2 }])
  await remove('picky.refuses')
  await transfers('picky')
  t.match(recovered, [{ link: 'picky', attempts: Number }])
})

t.test('a link that hangs as its thread is recycled starts in the next fresh one', async (t) => {
  const { planner, failed, recovered, put, remove, transfers } = planned(t, {
    'links.mjs': `export const links = ['hung', 'fine'].map((name) => make(name))`,
  })
  await planner.start()
  await transfers('hung')
  put('hung.hangs')
  await planner.recycle()
  await until(() => failed.length > 0)
  t.match(failed[0], { link: 'hung', error: { message: 'hung did not start within 3000 ms' } })
  await transfers('fine')
  await remove('hung.hangs')
  await planner.recycle()
  await transfers('hung')
  t.equal(recovered.length, 1)
})

t.test(
  'links that hang as their thread is recycled take the time of one, and the others go on meanwhile',
  async (t) => {
    const hung = ['hung0', 'hung1', 'hung2']
    const { planner, put, transfers } = planned(t, {
      'links.mjs': `export const links = ${JSON.stringify([...hung, 'fine'])}.map((name) => make(name))`,
    })
    await planner.start()
    for (const name of hung) {
      await transfers(name)
      put(`${name}.hangs`)
    }
    const recycled = timeOf(() => planner.recycle())
    await transfers('fine')
    const took = await recycled
    t.ok(took < 8500, `it took ${took} ms`)
  },
)

t.test('modules are described at once: several that hang take the time of one, and each is named', async (t) => {
  const hangs = 'await new Promise(() => {}); export const a = 1'
  const { planner } = planned(t, {
    ...{ 'a.mjs': hangs, 'b.mjs': hangs, 'd.mjs': hangs },
    'c.mjs': `export const c = make('c')`,
  })
  let error: unknown
  const took = await timeOf(() => planner.start().catch((thrown: unknown) => (error = thrown)))
  t.ok(took < 8500, `it took ${took} ms`)
  t.match(error, { errors: ['a', 'b', 'd'].map((name) => ({ message: new RegExp(`${name}.mjs: it did not load`) })) })
})

t.test(
  'with onStartFailure retry, the planner starts without a link, which transfers once it has started',
  async (t) => {
    const retried = `make('late', { onStartFailure: 'retry', interval: 1000 })`
    const { planner, failed, recovered, reports, skipped, put, remove, transfers, of } = planned(
      t,
      { 'links.mjs': `export const late = ${retried}, fine = make('fine')` },
      { immediateTransfer: true, ignoreExceptions: false },
    )
    put('late.refuses')
    await planner.start()
    await transfers('fine')
    t.match(failed, [{ link: 'late', attempts: 1, error: { message: 'late is refused' } }])
    t.match(of('late'), { startFailure: { attempts: 1, message: 'late is refused' }, transfers: 0 })
    t.same(await planner.forceTransfer(planner.links.find(({ name }) => name === 'late')), [])
    t.match(skipped, [{ link: 'late', reason: 'starting' }])
    await remove('late.refuses')
    await until(() => reports.some(({ link }) => link === 'late'))
    t.match(recovered, [{ link: 'late' }], 'it makes its first transfer at once')
    t.match(
      reports.find(({ link }) => link === 'late'),
      { failed: false, pulled: 1 },
    )
  },
)

t.test('the same of a link that hangs: removing it, a pause and a shutdown need not wait', async (t) => {
  const { planner, failed, put, transfers } = planned(
    t,
    { 'links.mjs': `export const hung = make('hung', { onStartFailure: 'retry' }), fine = make('fine')` },
    { startTimeout: 2, shutdownTimeout: 30 },
  )
  put('hung.hangs')
  await planner.start()
  await transfers('fine')
  await until(() => failed.length === 2)
  planner.pause()
  planner.resume()
  const hung = planner.links.find(({ name }) => name === 'hung')!
  t.ok((await timeOf(() => planner.removeLinks(hung))) < 10_000)
  t.same(planner.unstarted, [])
  await transfers('fine')
  t.ok((await timeOf(() => planner.shutdown())) < 10_000)
})

t.test('a shutdown does not wait for a link that is being opened, nor for its transfers', async (t) => {
  const { planner, put, transfers, of } = planned(
    t,
    { 'links.mjs': `export const hung = make('hung'), crashes = make('crashes')` },
    { startTimeout: 30, shutdownTimeout: 30 },
  )
  await planner.start()
  await transfers('hung')
  put('hung.hangs')
  put('crashes.crash')
  await loss(planner)
  await until(() => of('hung')?.running === 1)
  t.ok((await timeOf(() => planner.shutdown())) < 10_000)
})

t.test('a link with onStartFailure retry is added while it cannot start, and moves before it has', async (t) => {
  const { planner, failed, put, remove, transfers, file } = planned(t, {
    'fine.mjs': `export const fine = make('fine')`,
  })
  const code = `${CODE}\nexport const late = make('late', { onStartFailure: 'retry' })`
  writeFileSync(file('late.mjs'), code)
  put('late.refuses')
  await planner.start()
  await planner.addLinks(file('late.mjs'))
  t.match(failed, [{ link: 'late' }])
  await planner.setThreads(2)
  await planner.recycle()
  await remove('late.refuses')
  await planner.reload(file('late.mjs'))
  await transfers('late')
})

t.test('a reload does not fail for a link with onStartFailure retry', async (t) => {
  const { planner, failed, put, remove, transfers, file } = planned(t, {
    'links.mjs': `export const late = make('late', { onStartFailure: 'retry' })`,
  })
  await planner.start()
  await transfers('late')
  put('late.refuses')
  await planner.reload(file('links.mjs'))
  await until(() => failed.length > 0)
  await remove('late.refuses')
  await transfers('late')
})

for (const Planner of [SchedulePlanner, WorkerPlanner]) {
  const make = (options: PlannerOptions) => {
    let works = false
    const inlet = new RandomIntInlet()
    inlet.onStart = () => {
      if (!works) throw new Error('no connection')
    }
    const link = new Link({
      ...{ id: 'live', inlets: inlet, outlets: new NullOutlet(), interval: 1000, onStartFailure: 'retry' },
    })
    const planner = new Planner(link, options)
    const mend = () => {
      works = true
    }
    return { planner, link, mend, inlet }
  }

  t.test(`a live link of a ${Planner.name} is tried again`, async (t) => {
    const { planner, mend } = make({})
    const { failed, recovered, reports, of } = watch(t, planner)
    await planner.start()
    t.match(failed, [{ link: 'live', module: undefined, error: { message: 'no connection' } }])
    t.match(of('live')?.startFailure, { message: 'no connection' })
    mend()
    await until(() => reports.length === 1)
    t.match([recovered, reports], [[{ link: 'live', attempts: 1 }], [{ pulled: 1, failed: false }]])
  })

  t.test(`a live link of a ${Planner.name} whose start hangs does not hold up its shutdown`, async (t) => {
    const { planner, inlet } = make({ startTimeout: 0.05, shutdownTimeout: 30 })
    inlet.onStart = () => new Promise(() => undefined)
    const { failed } = watch(t, planner)
    await planner.start()
    await until(() => failed.length === 2)
    t.ok((await timeOf(() => planner.shutdown())) < 10_000)
  })
}
