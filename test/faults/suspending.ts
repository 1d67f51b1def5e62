/**
 * A planner in a process that is stopped for a while and goes on: see times.ts. Prints what it saw of that, when links have
 * transferred again.
 */
import type { LateEvent } from 'databay'
import { Run } from './harness.js'

const timeout = { milliseconds: 1000 }
const run = new Run([
  { name: 'a', timeout },
  { name: 'b', timeout, computes: 20 },
  { name: 'c', timeout, buffer: 10 },
])
const late: LateEvent[] = []
run.planner.on('late', (event) => late.push(event))

/** Resolves when nothing has run for two seconds; gives since when it does again. */
function resumed(): Promise<number> {
  return new Promise((resolve, reject) => {
    let last = Date.now()
    const started = last
    const timer = setInterval(() => {
      if (Date.now() - started > 60_000) reject(new Error('nobody has stopped this process'))
      if (Date.now() - last > 2000) {
        clearInterval(timer)
        resolve(Date.now())
      }
      last = Date.now()
    }, 20)
  })
}

await run.planner.start()
await run.until(() => run.reports.length >= 9)
// it may be stopped as soon as it has said so
const resumption = resumed()
console.log('running')
const since = await resumption
const fresh = (link: string) =>
  run.reportsOf(link).some(({ startedAt, errors }) => startedAt > since && errors.length === 0)
await run.until(() => ['a', 'b', 'c'].every(fresh))
const recovery = Date.now() - since
const before = run.reports.length
await run.until(() => run.reports.length >= before + 9)
await run.end()
const missed = late.reduce((sum, event) => sum + event.missed, 0)
console.log(JSON.stringify({ lost: run.lost.length, missed, recovery, wrong: run.judge() }))
run.forget()
