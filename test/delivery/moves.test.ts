import { setTimeout as wait } from 'node:timers/promises'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import { judge } from '../helpers/durable-programs.js'
import { captureLogs } from '../helpers/logs.js'

const index = resolve(import.meta.dirname, '../../dist/src/index.js')

t.test('links that move lose nothing, and give nothing twice', { skip: !existsSync(index) }, async (t) => {
  captureLogs(t)
  const folder = t.testdir()
  const module = join(folder, 'links.mjs')
  writeFileSync(
    module,
    `import { Inlet, Link, Buffer, FileOutlet } from '${pathToFileURL(index).href}'
    class Numbers extends Inlet {
      pull(update, cursor) {
        const from = cursor.value ?? 0
        cursor.advance(from + 3)
        return [from, from + 1, from + 2].map(String)
      }
    }
    export const links = [0, 1, 2, 3].map((at) => new Link({
      id: 'moves' + at, delivery: 'cursor', inlets: new Numbers(), interval: 0.01,
      processors: new Buffer({ countThreshold: 7 }), outlets: new FileOutlet('${folder}/' + at + '.txt'),
    }))`,
  )
  const planner = new WorkerPlanner(pathToFileURL(module), { threads: 1, store: join(folder, 'store') })
  t.teardown(() => planner.shutdown({ wait: false }))
  await planner.start()
  const steps = [
    () => planner.setThreads(3),
    () => planner.recycle(),
    () => planner.rebalance(),
    () => planner.reload(pathToFileURL(module)),
    () => planner.setThreads(1),
  ]
  for (const step of steps) {
    await wait(60)
    await step()
  }
  const links = [0, 1, 2, 3]
  const linesOf = (at: number) => {
    const file = join(folder, `${at}.txt`)
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }
  while (links.some((at) => linesOf(at).length <= 21)) await wait(5)
  await planner.shutdown()
  for (const at of links) {
    const { lost, ahead, double, last } = judge(linesOf(at))
    t.match({ lost, ahead, double }, { lost: 0, ahead: 0, double: 0 }, `${last + 1} records`)
    t.ok(last > 20)
  }
})
