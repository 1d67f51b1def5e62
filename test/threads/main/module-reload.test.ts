/** New versions of link modules: they are files, as threads load a file once. On the build, as threads load it fastest. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Buffer, Link, NullOutlet, RandomIntInlet, setLogLevel, WorkerPlanner } from '../../../dist/src/index.js'
import { loadBuildOnly, threadPoolOf } from '../../helpers/built-threads.js'

loadBuildOnly()
setLogLevel('silent')

/** Code of a link of a name and some properties. */
function linkCode(name: string, { every = 1000, holds = 'Buffer', fails = false, stateless = false } = {}): string {
  const processors = stateless ? '[]' : `new ${holds}({ countThreshold: 100 })`
  return `export const ${name} = new Link({
    inlets: ${fails ? 'failing()' : 'new RandomIntInlet()'}, outlets: new NullOutlet(), processors: ${processors},
    tags: '${name}', interval: ${every}, stateless: ${stateless},
  })`
}

/** A planner of two threads with a link module that can be rewritten. */
async function started(t: Test, ...links: string[]) {
  const file = path.join(t.testdir({}), 'links.mjs')
  const write = (...codes: string[]) => {
    writeFileSync(
      file,
      `import { Buffer, Link, NullOutlet, RandomIntInlet } from 'databay'
      const failing = () => Object.assign(new RandomIntInlet(), { onStart() { throw new Error('cannot start') } })
      class OtherBuffer extends Buffer {}
      ${codes.join('\n')}`,
    )
  }
  write(...links)
  const planner = new WorkerPlanner(file, { threads: 2, immediateTransfer: false })
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  await planner.start()
  const names = () => planner.links.map(({ name }) => name).sort()
  const link = (name: string) => planner.links.find((one) => one.name === name)!
  return { planner, file, write, names, link }
}

t.test('its links carry on with what they keep; those that are gone are drained, new ones are added', async (t) => {
  const { planner, file, write, names, link } = await started(
    t,
    linkCode('stays'),
    linkCode('goes'),
    linkCode('anywhere', { stateless: true }),
  )
  await planner.forceTransfer()
  const before = threadPoolOf(planner).threads.map(({ worker }) => worker)
  const drained: string[] = []
  planner.on('transfer', ({ link, pulled }) => pulled === 0 && drained.push(link))
  write(linkCode('stays', { every: 500 }), linkCode('comes'), linkCode('anywhere', { stateless: true }))
  await planner.reload(file)
  t.same(names(), ['anywhere', 'comes', 'stays'])
  t.same(drained, ['goes'])
  t.equal(link('stays').schedule.every, 500_000, 'it is as its module says now')
  t.ok(threadPoolOf(planner).threads.every(({ worker }) => !before.includes(worker)))
  t.match(await planner.forceTransfer(link('stays')), [{ buffered: 2, failed: false }])
  t.match(await planner.forceTransfer([link('comes'), link('anywhere')]), [{ failed: false }, { failed: false }])
})

t.test('links of other modules in its threads carry on in the fresh ones', async (t) => {
  const { planner, file, link } = await started(t, linkCode('a'))
  const other = path.join(path.dirname(file), 'other.mjs')
  const codes = [linkCode('held'), linkCode('anywhere', { stateless: true })]
  writeFileSync(other, [`import { Buffer, Link, NullOutlet, RandomIntInlet } from 'databay'`, ...codes].join('\n'))
  await planner.setThreads(1)
  await planner.addLinks(other)
  await planner.forceTransfer()
  const { worker } = threadPoolOf(planner).threads[0]!
  await planner.reload(file)
  t.not(threadPoolOf(planner).threads[0]!.worker, worker)
  t.match(await planner.forceTransfer([link('held'), link('anywhere')]), [
    { buffered: 2 },
    { pulled: 1, failed: false },
  ])
})

t.test('when it cannot be loaded, all is as before', async (t) => {
  const { planner, file, write, names, link } = await started(t, linkCode('a'), linkCode('b'))
  await planner.forceTransfer()
  const before = threadPoolOf(planner).threads
  write('export const =')
  await t.rejects(planner.reload(file), { code: 'DATABAY_LINK_MODULE', message: /does not parse/ })
  t.same(names(), ['a', 'b'])
  t.same(threadPoolOf(planner).threads, before)
  t.match(await planner.forceTransfer(link('a')), [{ buffered: 2, failed: false }])
})

t.test('when a link of it cannot be started, all go back with what they keep', async (t) => {
  const { planner, file, write, names, link } = await started(
    t,
    linkCode('a'),
    linkCode('b'),
    linkCode('anywhere', { stateless: true }),
  )
  await planner.forceTransfer()
  const before = threadPoolOf(planner).threads
  const good = [linkCode('a'), linkCode('b')]
  const versions = {
    'one that was there': [linkCode('a'), linkCode('b', { fails: true }), linkCode('anywhere', { stateless: true })],
    'one that is stateless': [...good, linkCode('anywhere', { stateless: true, fails: true })],
    'a new one': [...good, linkCode('anywhere', { stateless: true }), linkCode('c'), linkCode('d', { fails: true })],
  }
  let transfers = 1
  for (const [what, version] of Object.entries(versions)) {
    write(...version)
    await t.rejects(planner.reload(file), { code: 'DATABAY_LINK_MODULE', message: /cannot start/ }, what)
    t.same(names(), ['a', 'anywhere', 'b'])
    t.same(threadPoolOf(planner).threads, before, 'the threads from before are there again')
    transfers++
    const reports = await planner.forceTransfer([link('a'), link('b'), link('anywhere')])
    t.match(reports, [{ buffered: transfers }, { buffered: transfers }, { pulled: 1, failed: false }])
  }
})

t.test('what a changed link has no place for is drained first', async (t) => {
  const { planner, file, write, link } = await started(t, linkCode('a'))
  await planner.forceTransfer()
  const drained: number[] = []
  planner.on('transfer', ({ outlets }) => drained.push(outlets[0]?.pushed ?? 0))
  write(linkCode('a', { holds: 'OtherBuffer' }))
  await planner.reload(file)
  t.same(drained, [1])
  t.match(await planner.forceTransfer(link('a')), [{ buffered: 1 }])
})

t.test('a link that was removed does not come back', async (t) => {
  const { planner, file, names, link } = await started(t, linkCode('a'), linkCode('b'))
  await planner.removeLinks(link('b'))
  await planner.reload(file)
  t.same(names(), ['a'])

  await t.test('nor those of a module that is removed meanwhile', async (t) => {
    const reloaded = planner.reload(file)
    await planner.removeLinks(file)
    await reloaded
    t.same([names(), planner.modules], [[], []])
  })
})

t.test('a planner that is shut down meanwhile says so', async (t) => {
  const { planner, file, write } = await started(t, linkCode('a'))
  const live = new Link({
    inlets: new RandomIntInlet(),
    outlets: new NullOutlet(),
    processors: new Buffer({ countThreshold: 9 }),
    interval: 1000,
  })
  await planner.addLinks(live)
  // its new version is being loaded for as long as its thread is there
  const loading = path.join(path.dirname(file), 'loading')
  write(
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(loading)}, ''); await new Promise(() => {})`,
  )
  const calls = [planner.reload(file), planner.recycle(), planner.setThreads(1)]
  const [reloaded, recycled, set] = calls.map((call) => call.catch((error: unknown) => error))
  while (!existsSync(loading)) await delay(5)
  await planner.shutdown()
  t.match(await reloaded, { code: 'DATABAY_PLANNER_STATE', message: /was shut down while a module was loaded anew/ })
  t.equal(await recycled, undefined, 'what is not begun has nothing to do')
  t.equal(await set, undefined)
  t.same(threadPoolOf(planner).threads, [])
})
