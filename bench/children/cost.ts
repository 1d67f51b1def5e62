import { readFileSync } from 'node:fs'

/** What some work took, of the whole process. */
export interface Cost {
  /** Pieces of work that were done. */
  readonly rows: number
  readonly seconds: number
  /** CPU time of all threads, in seconds. */
  readonly cpu: number
  /** Memory of the process at its greatest, in MiB above what it took before. */
  readonly memory: number
}

/**
 * Does work, and finds out what it took.
 *
 * @param work - gives how many pieces were done
 */
export async function costOf(work: () => Promise<number>): Promise<Cost> {
  const idle = process.memoryUsage.rss()
  const before = process.cpuUsage()
  const from = performance.now()
  const rows = await work()
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(before)
  const memory = Math.max(0, peak() - idle) / 2 ** 20
  return { rows, seconds, cpu: (user + system) / 1e6, memory }
}

/** Most memory that the process took so far, in bytes. */
function peak(): number {
  try {
    const [, size] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (size !== undefined) return Number(size) * 1024
  } catch {
    // another system
  }
  // it may count what the process took that started this one
  return process.resourceUsage().maxRSS * 1024
}
