import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late this thread's event loop was, in milliseconds. */
export interface EventLoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/**
 * Measures this thread's event-loop delay from now on. A timer of 1 ms is set again and again, and what is measured is the
 * time from one firing to the next: an idle loop shows a little over 1 ms, and a loop that is held shows for how long.
 *
 * @returns ends the measurement
 */
export function measureEventLoopDelay(): () => EventLoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  return () => {
    histogram.disable()
    const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 10_000) / 100
    return {
      p50: milliseconds(histogram.percentile(50)),
      p99: milliseconds(histogram.percentile(99)),
      max: milliseconds(histogram.max),
    }
  }
}

export function showDelay({ p50, p99, max }: EventLoopDelay): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`
}
