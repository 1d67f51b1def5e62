import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { runNode, type Ended } from '../helpers/threads.js'

// `npm test` builds first: these run in processes of their own, without a loader
const built = new URL('../../dist/src/index.js', import.meta.url).href
const builtPlanner = new URL('../../dist/src/planners/worker-planner.js', import.meta.url).href

/** Beginning of the link modules of these tests. */
const NODES = `
import { Buffer, Inlet, Link, Outlet } from ${JSON.stringify(built)}
class TestInlet extends Inlet {
  constructor(name, pull) { super(); this.name = name; this.act = pull }
  onStart() { console.log(this.name + ' starts'); if (this.name === 'unstartable') throw new Error('cannot start') }
  onShutdown() { console.log(this.name + ' shuts down') }
  pull(update) { return this.act(update) }
}
class TestOutlet extends Outlet { push() {} }
const make = (name, pull = () => 1, options = {}) =>
  new Link({ inlets: new TestInlet(name, pull), outlets: new TestOutlet(), interval: 0.05, tags: name, ...options })
`

const PRELUDE = `
import { setLogLevel, WorkerPlanner, Link, NullInlet, NullOutlet } from ${JSON.stringify(built)}
import { threadPoolOf } from ${JSON.stringify(builtPlanner)}
const module = (name) => new URL('./' + name, import.meta.url)
`

/** Runs a main module beside some link modules. It has to end by itself. */
async function runMain(t: Test, main: string, modules: { readonly [name: string]: string } = {}): Promise<Ended> {
  const folder = t.testdir()
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(modules)) writeFileSync(path.join(folder, name), text)
  writeFileSync(path.join(folder, 'main.mjs'), PRELUDE + main)
  return runNode(t, [path.join(folder, 'main.mjs')], { ...process.env, NODE_OPTIONS: '' })
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '')

t.test('after a shutdown nothing keeps the process alive, also when a thread was lost', async (t) => {
  const main = `
    setLogLevel('silent')
    const planner = new WorkerPlanner(module('links.mjs'), { threads: 2, ignoreExceptions: true })
    await planner.start()
    await new Promise((resolve) => planner.once('threadLost', resolve))
    await new Promise((resolve) => planner.on('transfer', ({ link, failed }) => link === 'exits' && !failed && resolve()))
    const [report] = await planner.forceTransfer(planner.links.find(({ name }) => name === 'fine'))
    console.log('transferred', report.failed)
    await planner.shutdown()
    await planner.finished
    console.log('end')
  `
  const links = `${NODES}
    let count = 0
    export const fine = make('fine', undefined, { interval: 100 })
    export const exits = make('exits', () => { if (++count === 2) process.exit(1); return [] }, { immediateTransfer: false })
  `
  const { code, stdout, stderr } = await runMain(t, main, { 'links.mjs': links })
  t.equal(stderr, '')
  t.equal(code, 0)
  const lines = linesOf(stdout)
  t.ok(lines.filter((line) => line === 'exits starts').length >= 2, 'it was opened again')
  t.ok(lines.includes('transferred false'))
  t.ok(lines.includes('end'))
})

t.test('whoever shuts a planner with threads down, nothing of it is left', async (t) => {
  const main = `
    setLogLevel('silent')
    const left = () => ({
      resources: process.getActiveResourcesInfo().sort().join(),
      handlers: ['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit'].map((event) => process.listenerCount(event)).join(),
    })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    // the threads' output and what Node keeps for its own threads are there from the first thread on
    const ways = {
      first: (planner) => planner.start().then(() => planner.shutdown()),
      twice: (planner) => planner.start().then(() => Promise.all([planner.shutdown(), planner.shutdown()])),
      starting: async (planner) => {
        const starting = planner.start().catch((error) => error)
        await turn()
        await planner.shutdown()
        if ((await starting).code !== 'DATABAY_PLANNER_STATE') throw new Error('it started')
      },
      transfer: async (planner) => {
        planner.once('transfer', () => planner.shutdown())
        await planner.start().catch(() => undefined)
        await planner.finished
      },
      threadLost: async (planner) => {
        planner.once('threadLost', () => planner.shutdown())
        await planner.start()
        threadPoolOf(planner).threads[0].worker.terminate()
        await planner.finished
      },
      'threadLost without waiting': async (planner) => {
        planner.once('threadLost', () => planner.shutdown({ wait: false }))
        await planner.start()
        threadPoolOf(planner).threads[0].worker.terminate()
        await planner.finished
      },
      'all threads lost': async (planner) => {
        await planner.start()
        for (const { worker } of threadPoolOf(planner).threads) worker.terminate()
        await planner.shutdown()
      },
      'threads changed': async (planner) => {
        await planner.start()
        await planner.setThreads(3)
        await planner.recycle()
        await planner.setThreads(1)
        await planner.shutdown()
      },
    }
    const { handlers } = left()
    let before
    for (const [name, way] of Object.entries(ways)) {
      const planner = new WorkerPlanner(module('links.mjs'), { threads: 2, ignoreExceptions: true, shutdownAtExit: true })
      planner.finished.catch(() => undefined)
      let error
      await way(planner).catch((thrown) => (error = thrown))
      await turn()
      await turn()
      before ??= left()
      console.log(JSON.stringify({ name, error: error?.message, running: planner.running, pool: threadPoolOf(planner).running,
        handled: left().handlers !== handlers, resources: left().resources === before.resources || left().resources }))
    }
  `
  const links = `${NODES} export const links = ['a', 'b', 'c'].map((name) => make(name))`
  const { code, stdout, stderr } = await runMain(t, main, { 'links.mjs': links })
  t.equal(stderr, '')
  t.equal(code, 0, 'the process ends by itself')
  const results = linesOf(stdout).flatMap((line) =>
    line.startsWith('{') ? [JSON.parse(line) as { name: string }] : [],
  )
  t.equal(results.length, 8)
  for (const result of results) {
    t.match(result, { error: undefined, running: false, pool: false, handled: false, resources: true }, result.name)
  }
})

t.test('a module that cannot be used: start() rejects at once, and the process can end', async (t) => {
  const bad = {
    'missing.mjs': undefined,
    'unparsable.mjs': 'export const link = new Link({',
    'throws.mjs': "throw new Error('not today')",
    'imports-missing.mjs': "import './nowhere.mjs'",
    'no-link.mjs': 'export const link = { inlets: [], outlets: [] }',
    'twice.mjs': `${NODES} export const a = make('a'); export const b = a`,
    'unstartable.mjs': `${NODES} export const link = make('unstartable')`,
    'typescript.ts': 'export const link: number = 1',
  }
  const main = `
    setLogLevel('silent')
    for (const name of ${JSON.stringify(Object.keys(bad))}) {
      const live = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1 })
      const planner = new WorkerPlanner([live, module('good.mjs'), module(name)], { threads: 2 })
      const started = performance.now()
      const error = await planner.start().catch((error) => error)
      const finished = await planner.finished.catch((error) => error)
      const quick = performance.now() - started < 20_000
      console.log(JSON.stringify({ name, message: error.message, quick, same: error === finished, running: planner.running,
        pool: threadPoolOf(planner).running, active: live.inlets[0].active }))
    }
  `
  const files = { 'good.mjs': `${NODES} export const link = make('good')`, ...bad }
  const present = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const { code, stdout, stderr } = await runMain(t, main, Object.fromEntries(present))
  t.equal(stderr, '')
  t.equal(code, 0)
  const lines = linesOf(stdout)
  const results = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as { name: string }] : []))
  const end = { quick: true, same: true, running: false, pool: false, active: false }
  t.match(results, [
    { name: 'missing.mjs', message: /missing\.mjs: there is no such file$/, ...end },
    { name: 'unparsable.mjs', message: /unparsable\.mjs: does not parse: /, ...end },
    { name: 'throws.mjs', message: /throws\.mjs: failed to load: not today \(file:.*throws\.mjs:1:\d+\)$/, ...end },
    { name: 'imports-missing.mjs', message: /imports-missing\.mjs: failed to load: Cannot find module/, ...end },
    { name: 'no-link.mjs', message: /no-link\.mjs: exports no link: /, ...end },
    { name: 'twice.mjs', message: /twice\.mjs: exports the same link twice, as a and as b/, ...end },
    { name: 'unstartable.mjs', message: /cannot start/, ...end },
    {
      name: 'typescript.ts',
      message: /typescript\.ts: (cannot be loaded as it is: compile it|exports no link)/,
      ...end,
    },
  ])
  const count = (line: string) => lines.filter((one) => one === line).length
  t.equal(count('good shuts down'), count('good starts'), 'what was started is shut down')
  t.equal(count('good starts'), 1, 'it is started only when all modules can be used')
})

t.test('the process stays up while the planner runs, and ends with code 1 when a transfer stops it', async (t) => {
  const main = `
    setLogLevel('silent')
    const planner = new WorkerPlanner(module('links.mjs'), { threads: 1 })
    await planner.start()
    await planner.finished
  `
  const links = (act: string) => `${NODES}
    let count = 0
    export const fails = make('fails', () => { if (++count === 3) ${act} ; return count })
  `
  const thrown = await runMain(t, main, { 'links.mjs': links("throw new RangeError('enough')") })
  t.equal(thrown.code, 1)
  t.match(thrown.stderr, /TransferError: transfer fails\.2 failed: TestInlet failed to pull: enough/)
  t.same(linesOf(thrown.stdout), ['fails starts', 'fails shuts down'])

  const lost = await runMain(t, main, { 'links.mjs': links('process.exit(7)') })
  t.equal(lost.code, 1)
  t.match(lost.stderr, /TransferError: transfer fails\.2 failed: thread 1 failed to transfer: thread 1 was lost/)
})

t.test('what a thread writes to the console is written, and its log lines are JSON with the thread', async (t) => {
  const main = `
    const planner = new WorkerPlanner(module('links.mjs'), { threads: 2 })
    await planner.start()
    await planner.shutdown()
  `
  const links = `${NODES}
    import { getLogger } from ${JSON.stringify(built)}
    const pull = ({ tags }) => { console.log('console of ' + tags); getLogger('databay.mine').warn('log of ' + tags) }
    export const links = ['a', 'b'].map((tags) => make(tags, (update) => { pull(update); return [] }, { interval: 100 }))
  `
  const { code, stdout, stderr } = await runMain(t, main, { 'links.mjs': links })
  t.equal(code, 0)
  t.same(
    linesOf(stdout)
      .filter((line) => line.startsWith('console'))
      .sort(),
    ['console of a', 'console of b'],
  )
  const entries = linesOf(stderr).map((line) => JSON.parse(line) as { msg: string })
  t.match(
    entries.sort((a, b) => (a.msg < b.msg ? -1 : 1)),
    [
      { level: 40, name: 'databay.mine', thread: 1, msg: 'log of a' },
      { level: 40, name: 'databay.mine', thread: 2, msg: 'log of b' },
    ],
  )
})

t.test('the process ends by itself when the planner is shut down while it starts', async (t) => {
  const main = `
    setLogLevel('silent')
    const planner = new WorkerPlanner(module('links.mjs'), { threads: 1 })
    const starting = planner.start().catch((error) => console.log(error.code))
    await planner.shutdown()
    await starting
  `
  const { code, stdout } = await runMain(t, main, { 'links.mjs': `${NODES} export const link = make('a')` })
  t.equal(code, 0)
  t.same(
    linesOf(stdout).filter((line) => line.startsWith('DATABAY')),
    ['DATABAY_PLANNER_STATE'],
  )
})
