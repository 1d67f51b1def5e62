import type { Fault, Place as AnyPlace } from './faults.js'

/** Environment data of a soak's threads, under the key {@link SOAK}. */
export interface Soak {
  readonly memory: SharedArrayBuffer
  readonly links: number
  /** Interval of the links, in seconds. */
  readonly interval: number
  /** Timeout of each transfer, in seconds. */
  readonly timeout: number
}

export const SOAK = 'databay soak'

export type Place = Exclude<AnyPlace, 'onStart' | 'onShutdown'>

/** Way to kill a thread. */
export interface Killing {
  readonly name: string
  readonly kind: Fault | 'terminate'
  readonly place: Place
  /** Whether the culprit must be known at once, unless it has waited before. */
  readonly blamed: boolean
}

/** Ways to kill a thread. An order of a link is the place in this list, plus one; or {@link COLLECT}. */
export const ORDERS: readonly [Killing, ...Killing[]] = [
  { name: 'exit in pull', kind: 'exit', place: 'pull', blamed: true },
  { name: 'exit in push', kind: 'exit', place: 'push', blamed: true },
  { name: 'endless loop', kind: 'loop', place: 'process', blamed: true },
  { name: 'out of memory', kind: 'outOfMemory', place: 'process', blamed: true },
  { name: 'late throw', kind: 'lateThrow', place: 'push', blamed: false },
  { name: 'late rejection', kind: 'lateRejection', place: 'pull', blamed: false },
  // by the main thread, at any time
  { name: 'terminated', kind: 'terminate', place: 'pull', blamed: false },
]

/** Order to collect garbage, so that the memory in use is measured and no garbage. */
export const COLLECT = 1000

export function nameOf(link: number): string {
  return `soak${link}`
}

/** Time that a link's inlet waits before it does anything, in milliseconds. */
export function waits(link: number): number {
  return link % 3 === 0 ? 20 : 0
}
