import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import type { Exposition } from './exposition.js'

/** Figures of this process and of its main thread, under the names that they have in other programs on Node. */
export class ProcessMetrics {
  #before: EventLoopUtilization = performance.eventLoopUtilization()

  /** Writes the figures. The share of the time in which the event loop was busy counts from the call before. */
  write(to: Exposition): void {
    const { user, system } = process.cpuUsage()
    to.single('process_cpu_seconds_total', 'counter', 'CPU time of the process, all threads.', (user + system) / 1e6)
    to.metric('process_start_time_seconds', 'gauge', 'Start of the process, in seconds since 1970.')
    to.sample('process_start_time_seconds', '', Math.round(performance.timeOrigin) / 1000)
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    to.single('process_resident_memory_bytes', 'gauge', 'Resident memory of the process, all threads.', rss)
    to.single('nodejs_heap_size_total_bytes', 'gauge', 'Heap of the main thread.', heapTotal)
    to.single('nodejs_heap_size_used_bytes', 'gauge', 'Heap in use of the main thread.', heapUsed)
    to.single('nodejs_external_memory_bytes', 'gauge', 'Memory outside of the heap that objects hold.', external)
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#before)
    this.#before = now
    const busy = 'Share of the time in which the main event loop was busy since the last scrape.'
    to.single('nodejs_eventloop_utilization_ratio', 'gauge', busy, Math.min(1, Math.max(0, utilization)))
    const time = 'Time that the main event loop was busy.'
    to.single('nodejs_eventloop_busy_seconds_total', 'counter', time, now.active / 1000)
  }
}
