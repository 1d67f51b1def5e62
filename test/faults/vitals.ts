import { readdirSync, readFileSync } from 'node:fs'
import { getHeapCodeStatistics } from 'node:v8'
import { collect } from './garbage.js'

/** Resources that a process uses at a moment. */
export interface Vitals {
  /** Resident memory of all threads, in bytes. */
  readonly resident: number
  /**
   * Size of the main thread's objects, in bytes, without compiled code: V8 compiles more and more of the code that runs often,
   * which is no leak.
   */
  readonly heap: number
  /** Memory outside of the heap that the objects hold, in bytes. */
  readonly external: number
  /** Number of resources that keep the main thread's event loop alive. */
  readonly handles: number
  /** Number of these resources by their type. */
  readonly types: { readonly [type: string]: number }
  /** Number of open file descriptors; `undefined` where the system does not tell. */
  readonly descriptors: number | undefined
  /** Number of threads of the operating system; `undefined` where the system does not tell. */
  readonly threads: number | undefined
}

/** Measures this process, after a collection of its main thread's garbage. */
export function vitals(): Vitals {
  collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics()
  const types: { [type: string]: number } = {}
  for (const type of process.getActiveResourcesInfo()) types[type] = (types[type] ?? 0) + 1
  return {
    resident: rss,
    heap: heapUsed - code - bytecode,
    external,
    handles: Object.values(types).reduce((sum, count) => sum + count, 0),
    types,
    descriptors: unlessAbsent(() => readdirSync('/proc/self/fd').length),
    threads: unlessAbsent(() => Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])),
  }
}

function unlessAbsent(read: () => number): number | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
