import { readFileSync } from 'node:fs'

/**
 * How long the main thread has computed so far, in milliseconds. Where the system does not tell it of one thread, how long
 * its event loop was busy, which is more on a machine that has other things to do.
 */
export function mainThreadTime(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return performance.eventLoopUtilization().active
  }
}
