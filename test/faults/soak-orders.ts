import type { Fault, Place as AnyPlace } from './faults.js'

/** What the threads of a soak are given, under {@link SOAK} of their environment data. */
export interface Soak {
  readonly memory: SharedArrayBuffer
  readonly links: number
  /** In seconds. */
  readonly interval: number
  /** Of each transfer, in seconds. */
  readonly timeout: number
}

export const SOAK = 'databay soak'

export type Place = Exclude<AnyPlace, 'onStart' | 'onShutdown'>

/** How a thread is killed. */
export interface Killing {
  readonly name: string
  readonly kind: Fault | 'terminate'
  readonly place: Place
  /** Whether it must be known at once which link did it, when it had not waited before. */
  readonly blamed: boolean
}

/** An order of a link is the place in this list, plus one; or {@link COLLECT}. */
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

/** The order to collect garbage, so that what the threads need is seen and not what they have not let go yet. */
export const COLLECT = 1000

export function nameOf(link: number): string {
  return `soak${link}`
}

/** How long a link's inlet waits before it does anything, in milliseconds. */
export function waits(link: number): number {
  return link % 3 === 0 ? 20 : 0
}
