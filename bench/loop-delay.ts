import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Figures, Units } from './measure.js'

/** How often the event loop is looked at, in milliseconds. */
const RESOLUTION = 1

export const DELAY_UNITS: Units = { 'delay p50': 'ms', 'delay p99': 'ms', 'delay max': 'ms' }

/** Does work, and measures by how much this thread's event loop was held up meanwhile. */
export async function withDelay(work: () => Promise<Figures>): Promise<Figures> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  histogram.enable()
  const figures = await work()
  histogram.disable()
  // what is recorded is the time between two looks
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
  const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max].map(delay)
  return { ...figures, 'delay p50': p50 ?? 0, 'delay p99': p99 ?? 0, 'delay max': max ?? 0 }
}
