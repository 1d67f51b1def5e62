import { setTimeout as delay } from 'node:timers/promises'
import { SchedulePlanner, setLogLevel, WorkerPlanner } from 'databay'
import type { Arguments } from './arguments.js'
import { measureEventLoopDelay, type EventLoopDelay } from './event-loop-delay.js'
import { prepareOutput } from './output-folder.js'
import { toEnvironment } from './settings.js'
import type { Source } from './source.js'
import { Totals } from './totals.js'

/** Reason for the end of a run. */
export type Ending = 'the feed is used up' | 'the time is over' | 'it was told to stop'

/** Result of a run. */
export interface Outcome {
  readonly ending: Ending
  readonly totals: Totals
  /** Length of the run, in seconds. */
  readonly seconds: number
  /** Share of that time in which the links held their threads, from 0 to 1. */
  readonly busy: number
  readonly delay: EventLoopDelay
}

/**
 * Runs the links until the feed is used up, the time is over, or the process is told to stop.
 *
 * @param onProgress - called once a second
 * @throws what stopped the planner
 */
export async function run(
  options: Arguments,
  source: Source,
  onProgress: (totals: Totals, seconds: number) => void,
): Promise<Outcome> {
  await prepareOutput(options.out)
  // the threads inherit it
  Object.assign(process.env, toEnvironment({ ...options, feed: source.url, output: options.out }))
  setLogLevel('error', 'databay.BasePlanner') // no warnings of skipped links: they are due often, to keep the threads busy

  const totals = new Totals()
  const planner = await makePlanner(options)
  planner.on('transfer', (report) => totals.add(report))
  planner.on('skipped', () => totals.skipped++)

  const stopped = untilTold()
  const timeout = new AbortController()
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const progress = setInterval(() => onProgress(totals, elapsed()), 1000)
  const measured = measureEventLoopDelay()
  try {
    await planner.start()
    const ending = await Promise.race<Ending>([
      source.exhausted.then(() => 'the feed is used up'),
      stopped.then(() => 'it was told to stop'),
      untilOver(options.seconds, timeout.signal).then(() => 'the time is over'),
      // ends by itself only when a transfer fails
      planner.finished.then(() => 'it was told to stop'),
    ])
    await planner.shutdown() // lets the running transfers end
    const seconds = elapsed()
    const threads = options.planner === 'worker' ? options.threads : 1
    return { ending, totals, seconds, busy: totals.busy / 1000 / (threads * seconds), delay: measured() }
  } finally {
    timeout.abort()
    clearInterval(progress)
    await planner.shutdown()
  }
}

async function makePlanner({ planner, threads, interval, http }: Arguments) {
  // so that databay status finds it, and metrics are served when that is asked for
  const operated = { control: true, http: http ?? false }
  if (planner === 'worker') return new WorkerPlanner(new URL('./links.js', import.meta.url), { threads, ...operated })
  const links = await import('./links.js')
  return new SchedulePlanner(Object.values(links), { refreshInterval: Math.min(1, interval), ...operated })
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Resolves at the first signal to stop. What comes within a second is the same wish; a later one ends the process. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      resolve()
      setTimeout(() => SIGNALS.forEach((signal) => process.off(signal, stop)), 1000).unref()
    }
    for (const signal of SIGNALS) process.on(signal, stop)
  })
}

async function untilOver(seconds: number, signal: AbortSignal): Promise<void> {
  if (seconds === Infinity) return new Promise(() => undefined)
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined)
}
