/** What an application may do to the objects of JavaScript before it starts a planner. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const index = `file://${join(resolve(import.meta.dirname, '../..'), 'dist/src/index.js')}`

t.test('planners start and keep due times where the prototypes of JavaScript are frozen', async (t) => {
  const folder = t.testdir({
    'links.mjs': `import { Link, NullOutlet, RandomIntInlet } from '${index}'
      export const link = new Link({ inlets: new RandomIntInlet(), outlets: new NullOutlet(), interval: 0.1 })`,
    'main.mjs': `import { SchedulePlanner, setLogLevel, WorkerPlanner } from '${index}'
      for (const { prototype } of [Object, Array, Error, Function, Map, Promise]) Object.freeze(prototype)
      setLogLevel('error')
      const { link } = await import('./links.mjs')
      const options = { transfers: 3 }
      for (const planner of [
        new SchedulePlanner(link, { ...options, refreshInterval: 0.05 }),
        new WorkerPlanner(new URL('./links.mjs', import.meta.url), { ...options, threads: 1 }),
      ]) {
        await planner.start()
        await planner.finished
        console.log(String(planner), planner.counts.transfers, planner.counts.failed)
        await planner.forceTransfer().catch(({ name, code }) => console.log(name, code))
      }`,
  })
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')])
  t.equal(
    stdout,
    'SchedulePlanner(refreshInterval:0.05) 3 0\nPlannerStateError DATABAY_PLANNER_STATE\n' +
      'WorkerPlanner(threads:1) 3 0\nPlannerStateError DATABAY_PLANNER_STATE\n',
  )
  t.equal(stderr, '')
})
