import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Figures, Units } from './measure.js'

/** Time between two looks at the event loop, in milliseconds. */
const RESOLUTION = 1

export const DELAY_UNITS: Units = { 'delay p50': 'ms', 'delay p99': 'ms', 'delay max': 'ms' }

/** Does work, and adds to its figures how late this thread's event loop was meanwhile. */
export async function withDelay(work: () => Promise<Figures>): Promise<Figures> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  histogram.enable()
  const figures = await work()
  histogram.disable()
  // the histogram holds the times between two looks
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
  const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max].map(delay)
  return { ...figures, 'delay p50': p50 ?? 0, 'delay p99': p99 ?? 0, 'delay max': max ?? 0 }
}
