/**
 * Runs the links in worker threads, or for comparison on the main thread (`--threads 0`), and prints how many records
 * they processed, and how late timers of the main thread were meanwhile.
 */
import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { SchedulePlanner, setLogLevel, WorkerPlanner } from 'databay'

const { values } = parseArgs({ options: { threads: { type: 'string' }, transfers: { type: 'string' } } })
const threads = Number(values.threads ?? availableParallelism())
const transfers = Number(values.transfers ?? 50)

setLogLevel('error', 'databay.BasePlanner') // no warnings of skipped links: here they are skipped all the time

async function makePlanner() {
  if (threads > 0) return new WorkerPlanner(new URL('./links.js', import.meta.url), { threads, transfers })
  const { primes } = await import('./links.js')
  return new SchedulePlanner(primes, { transfers, refreshInterval: 0.01 })
}

const planner = await makePlanner()
let made = 0
let records = 0
// without the time in which threads start
let first = Infinity
let last = 0
planner.on('transfer', ({ startedAt, endedAt, outlets }) => {
  made++
  for (const { pushed } of outlets) records += pushed
  first = Math.min(first, startedAt)
  last = Math.max(last, endedAt)
})

const delay = monitorEventLoopDelay({ resolution: 1 })
await planner.start()
delay.enable()
await planner.finished // when each link has made its transfers
delay.disable()
const seconds = (last - first) / 1000

const where = threads > 0 ? `in ${threads} worker threads` : 'on the main thread'
console.log(
  `${made} transfers ${where}: ${records} records in ${seconds.toFixed(1)} s, ${Math.round(records / seconds)} a second`,
)
// from one firing of a 1 ms timer to the next, in nanoseconds: an idle loop shows a little over 1 ms
const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(1))
console.log(`The main thread's event loop: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`)
