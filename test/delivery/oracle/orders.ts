/** What a life of the child process is to do: it comes in the environment, so that threads have it too. */
export interface Orders {
  /** Folder of the store, the sources and the journals. */
  readonly folder: string
  /** Number of the life, for the journals. */
  readonly life: number
  /** Number at which each source ends. Left out: they never do. */
  readonly ends?: { readonly [link: string]: number }
  /** Whether outlets fail at random, and refuse each 97th record. */
  readonly fails: boolean
  /** Operation of the store at which the process kills itself. */
  readonly kill?: OperationKill
}

/** A kill at an operation of the store, counted in the main thread, or in each of the other threads. */
export interface OperationKill {
  readonly at: number
  readonly when: 'before' | 'after'
  readonly where: 'main' | 'thread'
}

/** Ways in which a thread of the child is ended. */
export const THREAD_KILLS = ['terminate', 'exit', 'throw', 'memory'] as const

export type ThreadKill = (typeof THREAD_KILLS)[number]

/** The orders of this process. */
export function ordersOfThisProcess(): Orders {
  return JSON.parse(process.env['ORACLE'] ?? '{}') as Orders
}

/** Each so many-th record is refused. */
export const REFUSED = 97
