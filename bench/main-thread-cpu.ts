import { readFileSync } from 'node:fs'

/**
 * CPU time of the main thread so far, in milliseconds. Where the system does not show it for one thread, the time that
 * its event loop was busy, which is more on a machine with other work.
 */
export function mainThreadTime(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return performance.eventLoopUtilization().active
  }
}
