/**
 * Runs a planner in a process that is stopped for a while and goes on: see times.ts. Prints what the planner saw of that,
 * when its links have transferred again.
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

/** Resolves when the process goes on after it was stopped for two seconds; gives the time. */
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
// the process may be stopped as soon as it prints `running`
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
