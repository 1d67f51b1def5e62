import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Delay of a thread's event loop, in milliseconds. */
export interface EventLoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/**
 * Measures this thread's event-loop delay from now on: the time from one firing of a 1 ms timer to the next. An idle loop
 * shows a little over 1 ms, a loop that is held up shows for how long.
 *
 * @returns a function that ends the measurement
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
