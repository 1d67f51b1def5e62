import { availableParallelism, cpus } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { WorkerPlanner } from '../../planners/worker-planner.js'
import type { TransferReport } from '../../core/report.js'
import { Flow } from './flow.js'

/** Figures of one round with one setting. */
export interface RoundFigures {
  /** Transfers and records. */
  readonly flow: Flow
  /** Time for which was measured, in seconds. */
  readonly seconds: number
  /** 99th percentile of the delay of the main thread's event loop, in milliseconds. */
  readonly delay: number
  /** Most memory of all threads together, of their heaps and of what these hold outside of them, in bytes. */
  readonly memory: number
  /** Most memory of the process, in bytes. */
  readonly processMemory: number
  /** Share of the time in which each thread was busy. */
  readonly utilization: readonly number[]
  /** Share that the process got of the processor time that it would have got without other processes. */
  readonly granted: number
}

/** Times of a round. */
export interface RoundTimes {
  /** Time for which is measured, in milliseconds. */
  readonly window: number
  /** Least time for which links transfer before, in milliseconds. Each of them makes a transfer in it. */
  readonly warmUp: number
}

/** Interval of the looks at memory, and at whether all links are warm, in milliseconds. */
const LOOK_EVERY = 50

/** Interval of the timer whose lateness is the delay of the main thread's event loop, in milliseconds. */
const DELAY_RESOLUTION = 1

/**
 * Measures a planner, from its start to its end.
 *
 * @throws the error that stopped the planner
 */
export async function measureRound(planner: WorkerPlanner, { window, warmUp }: RoundTimes): Promise<RoundFigures> {
  const flow = new Flow(window)
  const note = (report: TransferReport) => {
    flow.add(report)
  }
  planner.on('transfer', note)
  planner.finished.catch(() => undefined) // told below
  try {
    await planner.start()
    const links = new Set(planner.links.map(({ name }) => name)).size
    const began = performance.now()
    while (planner.running && (performance.now() - began < warmUp || flow.linksSeen < links)) await delay(LOOK_EVERY)
    const figures = await measureWindow(planner, flow, window)
    await planner.shutdown()
    await planner.finished
    return { flow, ...figures }
  } finally {
    planner.off('transfer', note)
    await planner.shutdown({ wait: false }).catch(() => undefined)
  }
}

async function measureWindow(planner: WorkerPlanner, flow: Flow, window: number) {
  const histogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION })
  let [memory, processMemory] = [0, 0]
  const busy: number[] = []
  const look = () => {
    const now = performance.now()
    let sum = 0
    for (const [at, { utilization, heapUsed, external }] of planner.threadStats().entries()) {
      sum += heapUsed + external
      busy[at] = (busy[at] ?? 0) + utilization * (now - looked)
    }
    looked = now
    memory = Math.max(memory, sum)
    processMemory = Math.max(processMemory, process.memoryUsage.rss())
  }
  planner.threadStats() // utilization counts from here on
  let looked = performance.now()
  const own = performance.eventLoopUtilization()
  const processor = processorTime()
  histogram.enable()
  const began = performance.now()
  flow.open(Date.now())
  for (let left = window; planner.running && left > 0; left = began + window - performance.now()) {
    await delay(Math.min(LOOK_EVERY, left))
    look()
  }
  histogram.disable()
  const took = performance.now() - began
  const now = processorTime()
  const utilization = busy.map((milliseconds) => milliseconds / took)
  const wanted = utilization.reduce((sum, share) => sum + share, performance.eventLoopUtilization(own).utilization)
  return {
    seconds: window / 1000,
    delay: Math.max(0, histogram.percentile(99) / 1e6 - DELAY_RESOLUTION),
    memory,
    processMemory,
    utilization,
    granted: grantedShare((now.own - processor.own) / took, (now.all - processor.all) / took, wanted),
  }
}

/** Processor time of the process, and of all processes, in milliseconds. */
function processorTime(): { readonly own: number; readonly all: number } {
  const { user, system } = process.cpuUsage()
  const all = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  return { own: (user + system) / 1000, all }
}

/**
 * Share that the process got of the processor time that it would have got alone on its machine.
 *
 * @param own - number of cores that it took
 * @param all - number of cores that all processes took
 * @param wanted - number of cores that it had work for, as its event loops show it: an event loop that is held up without
 * computing counts as work too
 */
export function grantedShare(own: number, all: number, wanted: number): number {
  const others = Math.max(0, all - own)
  const alone = Math.min(wanted, availableParallelism(), own + others)
  return alone <= own || own <= 0 ? 1 : own / alone
}
