/** Tests of starting, stopping, adding and removing at awkward moments. They run the build, as threads load it fastest. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  Buffer,
  Inlet,
  Link,
  NullInlet,
  Outlet,
  SchedulePlanner,
  setLogLevel,
  WorkerPlanner,
} from '../../dist/src/index.js'
import { loadBuildOnly, threadPoolOf } from '../helpers/built-threads.js'

loadBuildOnly()

const index = join(resolve(import.meta.dirname, '../..'), 'dist/src/index.js')

class OneInlet extends Inlet<number> {
  pull() {
    return 1
  }
}

class KeepOutlet extends Outlet {
  readonly payloads: unknown[] = []
  push(records: { readonly payload: unknown }[]) {
    this.payloads.push(...records.map(({ payload }) => payload))
  }
}

/** Writes a link module. Gives its path. */
function moduleOf(t: Test, code: string, name = 'links.mjs'): string {
  const path = join(t.testdir({}), name)
  writeFileSync(
    path,
    `import { Buffer, Inlet, Link, NullInlet, NullOutlet, Outlet } from ${JSON.stringify(index)}\n${code}`,
  )
  return path
}

t.test('a node that holds up the event loop beyond the timeout of its link fails the transfer', async (t) => {
  class BlockingInlet extends Inlet<number> {
    pull() {
      for (const until = performance.now() + 400; performance.now() < until;);
      return 1
    }
  }
  const outlet = new KeepOutlet()
  const link = new Link({ inlets: new BlockingInlet(), outlets: outlet, interval: 1, timeout: 0.2 })
  const report = await link.transfer()
  t.match(report, { failed: true, pulled: 1, errors: [{ code: 'DATABAY_TRANSFER_TIMEOUT' }] })
  t.same(outlet.payloads, [], 'nothing is pushed after the deadline')
})

t.test('a planner that is shut down by a listener of its first transfer has finished in order', async (t) => {
  const planner = new SchedulePlanner(new Link({ inlets: new NullInlet(), outlets: [], interval: 1 }))
  planner.once('transfer', () => void planner.shutdown())
  await t.rejects(planner.start(), { code: 'DATABAY_PLANNER_STATE' })
  await t.resolves(planner.finished)
})

t.test('a link that yields no report is an error that names it, and the planner still shuts down', async (t) => {
  const link = new Link({ inlets: new NullInlet(), outlets: [], interval: 1, tags: 'odd', immediateTransfer: false })
  Object.defineProperty(link, 'transfer', { value: async () => ({}) })
  const planner = new SchedulePlanner(link)
  await planner.start()
  const failed = t.rejects(planner.finished, { message: /odd must resolve with a TransferReport/ })
  t.same(await planner.forceTransfer(), [])
  await failed
  t.match(planner.counts, { transfers: 1, failed: 1 })
})

t.test('a link that is being removed makes no more transfers, and shutting down waits for it', async (t) => {
  const steps: string[] = []
  class SlowOutlet extends Outlet {
    push() {}
    override async onShutdown() {
      steps.push('closing')
      await new Promise((resolve) => setTimeout(resolve, 20))
      steps.push('closed')
    }
  }
  const link = new Link({ inlets: new OneInlet(), outlets: new SlowOutlet(), interval: 1 })
  const planner = new SchedulePlanner([link, new Link({ inlets: [], outlets: [], interval: 1 })])
  await planner.start()
  const removed = planner.removeLinks(link)
  t.equal((await planner.forceTransfer()).length, 1, 'only the other link transfers')
  await planner.shutdown()
  t.same(steps, ['closing', 'closed'])
  await removed
})

t.test('what is removed while it is being added is removed', async (t) => {
  const planner = new SchedulePlanner()
  await planner.start()
  const link = new Link({ inlets: [], outlets: [], interval: 1 })
  const added = planner.addLinks(link)
  await planner.removeLinks(link)
  await added
  t.same(planner.links, [])
  await planner.shutdown()
})

t.test('a hung outlet does not keep a shutdown that does not wait', async (t) => {
  class HungOutlet extends Outlet {
    push() {
      return new Promise<void>(() => undefined)
    }
  }
  const link = new Link({ inlets: new OneInlet(), outlets: new HungOutlet(), interval: 1, processors: new Buffer() })
  const planner = new SchedulePlanner(link)
  await planner.start()
  let dropped = 0
  planner.on('transfer', (report) => (dropped += report.outlets[0]?.dropped ?? 0))
  await planner.shutdown({ wait: false }).catch(() => undefined)
  t.equal(dropped, 1, 'what it did not take is counted')
})

t.test('a planner without links, or paused, keeps its process up until it is shut down', async (t) => {
  const code = (when: string) => `import { SchedulePlanner } from ${JSON.stringify(index)}
    const planner = new SchedulePlanner()
    await planner.start(); ${when}
    setTimeout(() => { console.log('still up'); planner.shutdown() }, 50).unref()
    await planner.finished`
  for (const when of ['', 'planner.pause()']) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code(when)])
    t.equal(stdout, 'still up\n')
  }
})

t.test('a module that never loads does not keep a shutdown that does not wait', async (t) => {
  const planner = new WorkerPlanner(moduleOf(t, 'await new Promise(() => {})'), { threads: 1 })
  const started = t.rejects(planner.start(), { code: 'DATABAY_PLANNER_STATE' })
  await new Promise((resolve) => setTimeout(resolve, 300)) // until it is being loaded
  await planner.shutdown({ wait: false })
  await started
})

t.test('one link that two modules export is refused, naming both', async (t) => {
  const path = moduleOf(t, `export const a = new Link({ inlets: new NullInlet(), outlets: [], interval: 1 })`)
  const other = path.replace('links.mjs', 'other.mjs')
  writeFileSync(other, `export { a as b } from './links.mjs'`)
  const planner = new WorkerPlanner([path, other], { threads: 1 })
  await t.rejects(planner.start(), {
    code: 'DATABAY_LINK_MODULE',
    message: /other\.mjs: exports as b .*links\.mjs.* as a/,
  })
})

t.test('a module that ends its thread is told from the others', async (t) => {
  const good = moduleOf(t, `export const a = new Link({ inlets: new NullInlet(), outlets: [], interval: 1 })`)
  const bad = good.replace('links.mjs', 'bad.mjs')
  writeFileSync(bad, 'process.exit(3)')
  const error: unknown = await new WorkerPlanner([good, bad], { threads: 1 }).start().catch((error: unknown) => error)
  t.match(error, { code: 'DATABAY_LINK_MODULE', message: /bad\.mjs: thread 1 was lost/ })
  t.notMatch(String(error), /links\.mjs/)
})

t.test('records that buffers held in a lost thread are counted', async (t) => {
  const path = moduleOf(
    t,
    `class Dying extends Inlet {
      pull(update) {
        if (update.transferNumber === 1) process.exit(1)
        return [1, 2]
      }
    }
    export const a = new Link({ inlets: new Dying(), outlets: new NullOutlet(), interval: 60, processors: new Buffer() })`,
  )
  const planner = new WorkerPlanner(path, { threads: 1, ignoreExceptions: true })
  await planner.start()
  const lost = new Promise((resolve) => planner.once('threadLost', resolve))
  await planner.forceTransfer()
  t.match(await lost, { buffered: 2 })
  t.equal(planner.counts.lost, 2)
  await planner.shutdown()
})

t.test('links of a module that were removed do not come back, and the last takes the module along', async (t) => {
  const link = 'new Link({ inlets: new NullInlet(), outlets: [], interval: 60 })'
  const planner = new WorkerPlanner(moduleOf(t, `export const a = ${link}\nexport const b = ${link}`), { threads: 1 })
  const names = () => planner.links.map(({ name }) => name)
  await planner.start()
  t.same(names(), ['a', 'b'])
  await planner.removeLinks(planner.links.slice(0, 1))
  await planner.shutdown()
  await planner.start()
  t.same(names(), ['b'])
  await planner.removeLinks(planner.links)
  t.same(planner.modules, [])
  await planner.shutdown()
})

t.test('a link of a module that was removed can be added again, and is a link of its module again', async (t) => {
  const link = 'new Link({ inlets: new NullInlet(), outlets: [], interval: 60 })'
  const planner = new WorkerPlanner(moduleOf(t, `export const a = ${link}\nexport const b = ${link}`), { threads: 1 })
  const names = () => planner.links.map(({ name }) => name).sort()
  await planner.start()
  const a = planner.links[0]!
  await t.rejects(planner.addLinks(a), { code: 'DATABAY_INVALID_OPTION', message: /not in this planner yet/ })
  await planner.removeLinks(a)
  await planner.addLinks(a)
  t.same(names(), ['a', 'b'])
  await planner.recycle()
  t.equal((await planner.forceTransfer(a))[0]?.failed, false, 'it goes along with its thread')
  await planner.removeLinks(a)
  await planner.recycle()
  await t.rejects(planner.addLinks(a), { code: 'DATABAY_INVALID_OPTION', message: /has not been replaced/ })
  await planner.shutdown()
  await planner.addLinks(a)
  await planner.start()
  t.same(names(), ['a', 'b'], 'also when it is added while the planner is stopped')
  await planner.shutdown()
  await planner.start()
  t.same(names(), ['a', 'b'])
  await planner.removeLinks(planner.links)
  await t.rejects(planner.addLinks(a), {
    message: /expected a live link, or the URL of a link module, got 'a of file:/,
  })
  await planner.shutdown()
})

t.test('what nodes print while they shut down is printed', async (t) => {
  const path = moduleOf(
    t,
    `class Talking extends Outlet {
      push() {}
      onShutdown() {
        console.log('good bye')
      }
    }
    export const a = new Link({ inlets: new NullInlet(), outlets: new Talking(), interval: 60 })`,
  )
  const databay = join(index, '../cli/main.js')
  for (let run = 0; run < 5; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, [databay, 'run', path, '--once', '--threads', '1'])
    t.equal(stdout, 'good bye\n')
  }
})

/** Code of an inlet that acts by the number of its transfer. */
const DOES = `class Does extends Inlet {
  constructor(pull) { super(); this.pull = pull }
}
const link = (tags, pull, more = {}) => new Link({ inlets: new Does(pull), outlets: new NullOutlet(), interval: 1000, tags, ...more })`

t.test(
  'a link that comes later shares the thread of those that it shares an instance with, whatever was lost',
  async (t) => {
    const shared = moduleOf(t, `${DOES}\nexport const inlet = new Does(() => 1)`, 'shared.mjs')
    const write = (name: string, code: string) => {
      const path = join(dirname(shared), name)
      writeFileSync(path, `import { Inlet, Link, NullOutlet } from ${JSON.stringify(index)}\n${DOES}\n${code}`)
      return path
    }
    const using = `import { inlet } from './shared.mjs'`
    const first = `${using}
    export const a = new Link({ inlets: inlet, outlets: new NullOutlet(), interval: 1000, tags: 'a' })
    export const b = link('b', () => 1)`
    const later = `${using}
    export const c = link('c', () => 1)
    export const d = new Link({ inlets: inlet, outlets: new NullOutlet(), interval: 1000, tags: 'd' })`
    setLogLevel('silent')
    const planner = new WorkerPlanner(write('first.mjs', first), { threads: 2, immediateTransfer: false })
    t.teardown(() => planner.shutdown({ wait: false }))
    await planner.start()
    const lost = once(planner, 'threadLost')
    await threadPoolOf(planner).endWorker(threadPoolOf(planner).threads[0]!, new Error('ended by a test'))
    await lost
    await planner.addLinks(write('later.mjs', later))
    const threads = new Map((await planner.forceTransfer()).map(({ link, thread }) => [link, thread]))
    t.equal(threads.get('d'), threads.get('a'))
  },
)

t.test('links move by themselves from a thread that is saturated to one that idles', async (t) => {
  const module = moduleOf(
    t,
    `${DOES}
    class Movable extends Does { saveState() {} }
    class Out extends NullOutlet { saveState() {} }
    const spin = () => { for (const until = Date.now() + 20; Date.now() < until;); return 1 }
    const make = (tags, pull) => new Link({ inlets: new Movable(pull), outlets: new Out(), interval: 1000, tags, lane: 'cpu' })
    export const links = [make('a', spin), make('b', () => 1), make('c', spin)]`,
  )
  const planner = new WorkerPlanner(module, { threads: 2, immediateTransfer: false })
  t.teardown(() => planner.shutdown({ wait: false }))
  await planner.start()
  const where = async () => (await planner.forceTransfer()).map(({ thread }) => thread)
  t.same(await where(), [1, 2, 1])
  for (let times = 0; times < 5; times++) await where()
  threadPoolOf(planner).emit('unbalanced') // as it does after a while
  threadPoolOf(planner).emit('unbalanced')
  for (let tries = 0; tries < 200; tries++) {
    const [a, , c] = await where()
    if (a !== c) break
  }
  const [a, , c] = await where()
  t.not(a, c)
})
