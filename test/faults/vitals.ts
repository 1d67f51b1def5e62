import { readdirSync, readFileSync } from 'node:fs'
import { getHeapCodeStatistics } from 'node:v8'
import { collect } from './garbage.js'

/** What a process takes at a moment. */
export interface Vitals {
  /** Resident memory of all threads, in bytes. */
  readonly resident: number
  /**
   * Objects of the main thread, in bytes, without compiled code: V8 goes on to compile what runs for the hundredth time, which
   * is no leak of anyone's.
   */
  readonly heap: number
  /** What its objects keep outside of the heap, in bytes. */
  readonly external: number
  /** What keeps the main thread's event loop alive. */
  readonly handles: number
  /** Those by their type. */
  readonly types: { readonly [type: string]: number }
  /** Open file descriptors; `undefined` where the system does not tell. */
  readonly descriptors: number | undefined
  /** Threads of the operating system; `undefined` where the system does not tell. */
  readonly threads: number | undefined
}

/** Looks at this process, after its main thread has collected its garbage. */
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
