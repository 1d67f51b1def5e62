/**
 * Compares what the same CPU-heavy links do to the main thread's event loop, in worker threads and on the main thread. Each
 * runs in a process of its own, with links that are due far more often than the threads can keep up with.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Arguments } from './arguments.js'
import type { Outcome } from './run.js'

const SECONDS = 10
/** Millions of draws per fit: enough for the links to have work all the time. */
const WORK = 24
/** Upper limit for the 99th percentile of the main thread's event-loop delay, in milliseconds. */
const TARGET = 10

const main = fileURLToPath(new URL('./main.js', import.meta.url))

async function measure(planner: Arguments['planner']): Promise<Outcome> {
  const out = await mkdtemp(path.join(tmpdir(), 'quickstart-'))
  try {
    const options = { planner, seconds: SECONDS, interval: 0.02, work: WORK, out }
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--json', ...flags])
    return JSON.parse(stdout) as Outcome
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

function row(name: string, { delay, busy, totals, seconds }: Outcome): string {
  const cells = [delay.p50, delay.p99, delay.max].map((value) => value.toFixed(1).padStart(8))
  const rate = (totals.transfers / seconds).toFixed(1)
  return `${name.padEnd(32)}${cells.join('')}${`${Math.round(busy * 100)} %`.padStart(8)}${rate.padStart(13)}`
}

console.log(`The same links for ${SECONDS} s in threads and for ${SECONDS} s on the main thread …\n`)
const inThreads = await measure('worker')
const onMainThread = await measure('schedule')
console.log("                                main thread's event-loop delay, ms     transfers")
console.log('                                     p50     p99     max    busy     a second')
console.log(row('WorkerPlanner, in threads', inThreads))
console.log(row('SchedulePlanner, on the main', onMainThread))
const met = inThreads.delay.p99 < TARGET
const apart = onMainThread.delay.p99 / inThreads.delay.p99
console.log(
  `\np99 under ${TARGET} ms with threads: ${met ? 'yes' : 'no'}; on the main thread it is ${apart.toFixed(0)} times that`,
)
process.exitCode = met && apart > 10 ? 0 : 1
