import { availableParallelism } from 'node:os'
import t from 'tap'
import { threadPoolOf, WorkerPlanner } from '../../src/planners/worker-planner.js'
import type { LinkOrModule } from '../../src/planners/planner-modules.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import { captureLogs } from '../helpers/logs.js'
import {
  fixture,
  linkModule,
  liveLink,
  measureThreads,
  pushedTo,
  reportsOf,
  tracesOf,
  workerPlanner,
} from '../helpers/threads.js'

measureThreads()

const named = (links: readonly { readonly name: string }[]) => links.map(({ name }) => name)

t.test('options and links are checked', async (t) => {
  captureLogs(t)
  const make = (links?: unknown, options?: unknown) => () =>
    new WorkerPlanner(links as LinkOrModule, options as WorkerPlannerOptions)
  const module = linkModule({ tags: 'a' })
  const bad: [() => unknown, RegExp][] = [
    [make([], { threads: 0 }), /^threads: expected an integer of at least 1, got 0$/],
    [make([], { threads: '4' }), /^threads: expected an integer of at least 1, got '4'$/],
    [make([], { transfersPerThread: 0.5 }), /^transfersPerThread: expected an integer of at least 1, got 0.5$/],
    [make([], { niceIncrement: -1 }), /^niceIncrement: expected an integer from 0 to 19, got -1$/],
    [make([], { niceIncrement: 20 }), /^niceIncrement: expected an integer from 0 to 19, got 20$/],
    [make([], { niceIncrement: '5' }), /^niceIncrement: expected an integer from 0 to 19, got '5'$/],
    [make([], { thread: 4 }), /^thread: expected one of the options, got 'thread': did you mean threads\? They are /],
    [make([], { ignore_exceptions: true }), /did you mean ignoreExceptions\? They are /],
    [make([], { threadMemoryLimit: 15 }), /^threadMemoryLimit: expected a number of MiB of at least 16, got 15$/],
    [
      make([], { maxTransfersPerThread: 0 }),
      /^maxTransfersPerThread: expected an integer of at least 1, or Infinity, got 0$/,
    ],
    [make([], null), /^options: expected an object, got null$/],
    [make([module, 'http://localhost/links.js']), /^links\[1\]: expected a path or a file: URL of a link module, got/],
    [make([module, { no: 'link' }]), /^links\[\d\]: expected a Link, got/],
    [make([module, module]), /^links\[1\]: expected each link module once, got/],
    [make(''), /^links\[0\]: expected a path or a file: URL/],
  ]
  for (const [construct, message] of bad) t.throws(construct, { code: 'DATABAY_INVALID_OPTION', message })
})

t.test('before it starts it has its modules, no threads, and the links that live on the main thread', async (t) => {
  captureLogs(t)
  const planner = new WorkerPlanner(linkModule({ tags: 'a' }))
  t.equal(planner.threads, availableParallelism())
  t.equal(String(planner), `WorkerPlanner(threads:${availableParallelism()})`)
  t.same(planner.modules, [linkModule({ tags: 'a' }).href])
  t.same([planner.links, planner.stats().threads], [[], []])
  const live = liveLink('live')
  await planner.addLinks([live, linkModule({ tags: 'b' })])
  t.same(planner.links, [live])
  t.equal(planner.modules.length, 2)
  await t.rejects(planner.addLinks(linkModule({ tags: 'b' })), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^links: expected a link module that is not in this planner yet/,
  })
  await t.rejects(planner.removeLinks(linkModule({ tags: 'c' })), { code: 'DATABAY_MISSING_LINK' })
  await t.rejects(planner.removeLinks([linkModule({ tags: 'b' }), liveLink('other')]), { code: 'DATABAY_MISSING_LINK' })
  t.equal(planner.modules.length, 2, 'none is removed')
  await t.rejects(planner.addLinks([linkModule({ tags: 'c' }), live]), { code: 'DATABAY_INVALID_OPTION' })
  t.equal(planner.modules.length, 2, 'none is added')
  await planner.removeLinks(linkModule({ tags: 'b' }))
  t.equal(planner.modules.length, 1)
  await planner.purge()
  t.same([planner.links, planner.modules], [[], []])
  await planner.shutdown()
})

t.test('nothing that is public can end, resize or recycle the threads', async (t) => {
  const { pool } = new WorkerPlanner([], { threads: 1 })
  t.strictSame(Reflect.ownKeys(pool), ['processor'])
  t.equal(Object.getPrototypeOf(pool), Object.prototype)
  t.ok(Object.isFrozen(pool))
})

t.test('a link that lives on the main thread runs there, which is said once', async (t) => {
  const logs = captureLogs(t)
  const planner = new WorkerPlanner([liveLink('first'), liveLink('second')], { threads: 1 })
  await planner.addLinks(liveLink('third'))
  const said = logs.entries().filter(({ name }) => name === 'databay.WorkerPlanner')
  t.match(said, [
    { level: 40, msg: /^first is a live link, so it runs on the main thread: to run it in a worker thread, / },
  ])
})

t.test('a planner starts, changes its links while it runs, shuts down, and starts again', async (t) => {
  const logs = captureLogs(t)
  const live = liveLink('live')
  const module = linkModule({ tags: 'a', buffer: 10 }, { tags: 'b' })
  const planner = workerPlanner(t, [live, module])
  const reports = reportsOf(planner)
  const early = planner.addLinks(linkModule({ tags: 'early' })) // not waited for: the start takes it along
  await Promise.all([early, planner.start()])

  await t.test('the links of its modules are in its threads, a live one is not', async (t) => {
    t.same(named(planner.links), ['live', 'a', 'b', 'early'])
    const made = await planner.forceTransfer()
    t.same(
      made.map(({ link, thread, failed }) => [link, thread, failed]),
      [
        ['live', 0, false],
        ['a', 1, false],
        ['b', 2, false],
        ['early', 1, false],
      ],
    )
    t.same(reports.length, 4)
    t.match(planner.links.map(String), [
      /^Link\(tags:\['live'\]/,
      /^Link\(tags:\['a'\]/,
      /^Link\(tags:\['b'\]/,
      /^Link\(tags:\['early'\]/,
    ])
  })

  await t.test('instances live on between transfers', async (t) => {
    await planner.forceTransfer()
    t.same(pushedTo('b', tracesOf(logs)), [1, 2])
    t.same(pushedTo('live', tracesOf(logs)), [1, 2])
    t.equal(tracesOf(logs).filter((text) => text === 'b starts').length, 1)
  })

  await t.test('a module that is added is started, and stopped when it is removed', async (t) => {
    const added = linkModule({ tags: 'c', buffer: 9 }, { tags: 'd' })
    await planner.addLinks(added)
    t.ok(tracesOf(logs).includes('c starts'))
    t.same(named(planner.links), ['live', 'a', 'b', 'early', 'c', 'd'])
    t.equal(planner.modules.length, 3)
    await planner.forceTransfer()
    await planner.removeLinks(added)
    t.same(tracesOf(logs).slice(-5).sort(), [
      'c gets [1]',
      'c outlet shuts down',
      'c shuts down',
      'd outlet shuts down',
      'd shuts down',
    ])
    t.same(named(planner.links), ['live', 'a', 'b', 'early'])
    await planner.addLinks(added)
    t.match(await planner.forceTransfer(planner.links.slice(4)), [{ link: 'c', failed: false }, { link: 'd' }])
    await planner.removeLinks(planner.links.slice(4, 5))
    t.same(named(planner.links), ['live', 'a', 'b', 'early', 'd'], 'a single link of a module can go too')
    await planner.removeLinks(added)
  })

  await t.test('a module is not added twice, also not at once', async (t) => {
    const twice = linkModule({ tags: 'twice' })
    const results = await Promise.allSettled([planner.addLinks(twice), planner.addLinks(twice)])
    t.match(results, [{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'DATABAY_INVALID_OPTION' } }])
    await t.rejects(planner.addLinks(twice), { code: 'DATABAY_INVALID_OPTION' })
    await planner.removeLinks(twice)
  })

  await t.test('of a module that cannot be used, nothing is added', async (t) => {
    const throws = fixture('modules/throws.mjs')
    await t.rejects(planner.addLinks([linkModule({ tags: 'with' }), throws]), {
      code: 'DATABAY_LINK_MODULE',
      module: throws.href,
    })
    const failing = linkModule({ tags: 'fine' }, { tags: 'failing', failing: ['start'] })
    await t.rejects(planner.addLinks(failing), { code: 'E_START', message: /failing cannot start/ })
    t.equal(tracesOf(logs).at(-1), 'fine shuts down')
    t.equal(planner.modules.length, 2)
    t.same(named(planner.links), ['live', 'a', 'b', 'early'])
  })

  await t.test('a module that fails to shut down is removed all the same', async (t) => {
    const clings = linkModule({ tags: 'clings', failing: ['shutdown'] })
    await planner.addLinks(clings)
    await t.rejects(planner.removeLinks(clings), { message: /clings cannot shut down/ })
    t.equal(planner.modules.length, 2)
    await planner.addLinks(clings)
    await t.rejects(planner.removeLinks(clings), { message: /clings cannot shut down/ })
  })

  await t.test('another planner knows nothing of this one', async (t) => {
    const other = workerPlanner(t, module, { threads: 1 })
    await other.start()
    t.match(await other.forceTransfer(), [
      { link: 'a', update: 'a.0', thread: 1, buffered: 1 },
      { link: 'b', update: 'b.0', thread: 1 },
    ])
    t.same(pushedTo('b', tracesOf(logs)), [1, 2, 3, 1], 'with instances of its own')
    await other.shutdown()
    t.match(await planner.forceTransfer(planner.links[2]), [{ link: 'b', failed: false }])
  })

  await t.test('a shutdown drains buffers, shuts all nodes down, and ends the threads', async (t) => {
    const before = tracesOf(logs).length
    await planner.shutdown()
    await planner.finished
    const traces = tracesOf(logs).slice(before)
    t.same(pushedTo('a', traces), [1, 2, 3], 'what the buffer held')
    for (const tags of ['live', 'a', 'b', 'early']) t.ok(traces.includes(`${tags} shuts down`), tags)
    t.ok(traces.indexOf('a shuts down') > 0, 'after that')
    t.same([planner.links, threadPoolOf(planner).threads, planner.running], [[live], [], false])
  })

  await t.test('the next start opens fresh instances; a shutdown that does not drain says what is lost', async (t) => {
    const before = tracesOf(logs).length
    await planner.start()
    t.same(named(planner.links), ['live', 'a', 'b', 'early'])
    t.match(await planner.forceTransfer(), [{}, { update: 'a.0', buffered: 1 }, { update: 'b.0' }, {}])
    await planner.shutdown({ drain: false })
    const traces = tracesOf(logs).slice(before)
    t.same([pushedTo('a', traces), pushedTo('b', traces)], [[], [1]])
    t.ok(traces.includes('a shuts down'))
  })
})
