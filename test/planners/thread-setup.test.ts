import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { threadPoolOf } from '../../src/planners/worker-planner.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import { captureLogs } from '../helpers/logs.js'
import { fixture, measureThreads, tracesOf, workerPlanner } from '../helpers/threads.js'

measureThreads()

/** A planner of one thread whose link module needs the setup. */
const plannerWith = (t: Test, options: WorkerPlannerOptions) =>
  workerPlanner(t, fixture('needs-setup.ts'), { threads: 1, ...options })

t.test('each thread loads the module before link modules, and has it shut down when it ends in order', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const planner = plannerWith(t, { threadSetup: fixture('thread-setup.ts') })
  const setUp = ['is set up', 'loads after it']
  const traces = () => tracesOf(logs).filter((text) => /^is |^loads /.test(text))
  await planner.start()
  t.same(traces(), setUp, 'at the start')

  await planner.recycle()
  t.same(traces(), [...setUp, ...setUp, 'is shut down'], 'a fresh thread')

  logs.lines.length = 0
  await planner.reload(fixture('needs-setup.ts'))
  t.same(traces(), [...setUp, 'is shut down'], 'one that reloads')

  logs.lines.length = 0
  const lost = once(planner, 'threadLost')
  await threadPoolOf(planner).threads[0]!.worker!.terminate()
  await lost
  t.match(await planner.forceTransfer(), [{ errors: [] }])
  t.same(traces(), setUp, 'one that takes the place of a lost one')

  await planner.setThreads(2)
  await planner.shutdown()
  t.same(traces().sort(), [...setUp, 'is set up', 'is shut down', 'is shut down'].sort())
})

t.test('a module that cannot be loaded is an error of the start that says so', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({
    'throws.mjs': "throw new Error('no collector')",
    'broken.mjs': 'export const = 1',
    'odd.mjs': "export const shutdown = 'later'",
    'hangs.mjs': 'await new Promise((resolve) => setTimeout(resolve, 60_000))',
  })
  const bad: [file: string, message: RegExp][] = [
    ['throws.mjs', /throws\.mjs: threadSetup: failed to load: no collector \(file:.*throws\.mjs:1:/],
    ['broken.mjs', /broken\.mjs: threadSetup: does not parse: /],
    ['thorws.mjs', /thorws\.mjs: threadSetup: there is no such file: did you mean throws\.mjs\?/],
    ['odd.mjs', /odd\.mjs: threadSetup: its export shutdown is no function$/],
    ['hangs.mjs', /hangs\.mjs: threadSetup: it did not load within 300 ms$/],
  ]
  for (const [file, message] of bad) {
    const threadSetup = pathToFileURL(join(folder, file))
    const planner = plannerWith(t, { threadSetup, ...(file === 'hangs.mjs' && { startTimeout: 0.3 }) })
    await t.rejects(planner.start(), { code: 'DATABAY_LINK_MODULE', message }, file)
  }
})

t.test('a shutdown that fails is logged, and holds nothing up', async (t) => {
  const logs = captureLogs(t, 'error')
  const folder = t.testdir({ 'fails.mjs': "export function shutdown() { throw new Error('not flushed') }" })
  const planner = plannerWith(t, { threadSetup: join(folder, 'fails.mjs') })
  await planner.start()
  await planner.shutdown()
  t.match(
    logs.messages().filter((text) => text.includes('fails.mjs')),
    [/fails\.mjs: shutdown\(\) failed: not flushed$/],
  )
})

t.test('what is no module is refused', async (t) => {
  for (const threadSetup of ['', 'http://localhost/setup.js', 7 as never]) {
    t.throws(() => plannerWith(t, { threadSetup }), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^threadSetup: expected a path or a file: URL of a module for each thread, got/,
    })
  }
})
