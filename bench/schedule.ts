/**
 * How late are links when many are due at the same time? Counts every transfer of every link, from when it was due
 * until its code runs in its thread.
 *
 *   node dist/bench/schedule.js [--links 1000] [--interval 1] [--warmup 5] [--seconds 20] [--threads 2] [--json]
 *
 * The first seconds are told apart: there the code is not compiled yet.
 *
 * Exits 1 when a tick was missed.
 */
import { parseArgs } from 'node:util'
import { WorkerPlanner } from 'databay'
import { machine } from './machine.js'
import { summary } from './statistics.js'

const { values } = parseArgs({
  options: {
    links: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const number = (name: keyof typeof values): number => {
  const value = Number(values[name])
  if (!(value > 0)) throw new TypeError(`--${name}: expected a number above 0, got '${values[name]}'`)
  return value
}
const [links, interval, threads] = [number('links'), number('interval'), number('threads')]
const [warmup, seconds] = [number('warmup'), number('seconds')]

const module = new URL(`./links/noop.js?links=${links}&interval=${interval}`, import.meta.url)
const planner = new WorkerPlanner(module, { threads, immediateTransfer: false })
const cold: number[] = []
const lateness: number[] = []
const perLink = new Map<string, number>()
let started = Infinity
planner.on('transfer', (report) => {
  const measured = performance.now() - started > warmup * 1000 ? lateness : cold
  measured.push(report.startedAt - report.scheduledAt)
  perLink.set(report.link, (perLink.get(report.link) ?? 0) + 1)
})

const starting = performance.now()
await planner.start()
started = performance.now()
// half an interval more, so that the last tick is over
const length = warmup + seconds + interval / 2
const cpuBefore = process.cpuUsage()
const mainBefore = performance.eventLoopUtilization()
await new Promise((resolve) => setTimeout(resolve, length * 1000))
const main = performance.eventLoopUtilization(mainBefore)
const cpu = process.cpuUsage(cpuBefore)
await planner.shutdown()

const ticks = Math.floor((warmup + seconds) / interval + 1e-9) // 1.4 / 0.2 is a little under 7
const fewest = Math.min(...perLink.values())
const result = {
  bench: 'schedule',
  ...{ links, interval, warmup, seconds, threads },
  startMs: started - starting,
  expected: links * ticks,
  transfers: cold.length + lateness.length,
  fewestOfOneLink: fewest,
  missed: planner.counts.missed,
  skipped: planner.counts.skipped,
  warmupLatenessMs: summary(cold),
  latenessMs: summary(lateness),
  cpu: {
    processShare: (cpu.user + cpu.system) / 1e6 / length,
    mainThreadShare: main.utilization,
  },
  machine: machine(),
}
const complete = perLink.size === links && fewest >= ticks && result.missed === 0 && result.skipped === 0
if (values.json) console.log(JSON.stringify({ ...result, complete }))
else print()
process.exitCode = complete ? 0 : 1

function print(): void {
  const { cpu: model, cores, node, commit } = result.machine
  console.log(`schedule: ${links} links every ${interval} s in ${threads} threads, for ${seconds} s`)
  console.log(`  started in      ${result.startMs.toFixed(0)} ms`)
  console.log(`  transfers       ${result.transfers} of ${result.expected}, each link at least ${fewest} of ${ticks}`)
  console.log(`  missed, skipped ${result.missed}, ${result.skipped}`)
  console.log(`  lateness        ${figures(result.latenessMs)}, from when it was due until the link's code runs`)
  console.log(`  while warming   ${figures(result.warmupLatenessMs)}, in the first ${warmup} s`)
  console.log(
    `  CPU             ${(result.cpu.processShare * 100).toFixed(1)} % of one core, main thread busy ${(result.cpu.mainThreadShare * 100).toFixed(1)} %`,
  )
  console.log(`  ${model}, ${cores} cores, node ${node}, commit ${commit}`)
}

function figures({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
}
