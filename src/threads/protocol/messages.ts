import type { MessagePort } from 'node:worker_threads'
import type { LogLevels } from '../../base/log.js'
import type { PlainError } from '../../base/plain-error.js'
import type { PackedReports } from './reports.js'
import type { PackedRuns } from './runs.js'
import type { LinkAddress, SentDescription } from './link-description.js'
import type { PackedRecords } from './records.js'

/*
 * The messages between the main thread and a worker thread. Both sides import this file and nothing of each other.
 *
 *   main --> thread   tasks, through the Piscina pool: each is one call of `workers/transfer.ts`
 *   main --> thread   notes, through the thread's channel: what must not wait behind tasks
 *   thread --> main   events, through the thread's channel, in order: logs, reports, answers
 *
 * A task's own result is empty: what it has to say comes through the channel, in order with all else. That it settles
 * tells when the thread is done with it, or is gone.
 */

/** A link to be opened in a thread, under an id of the pool's. */
export interface OpenRequest extends LinkAddress {
  readonly id: number
  /** What the link's instances in another thread handed over. */
  readonly state?: unknown
}

/** What a thread can be asked to do, and what it answers. */
export interface Calls {
  /** Takes the channel and the log levels. The first task of a thread. */
  hello: { request: { readonly port: MessagePort; readonly setup: ThreadSetup }; answer: null }
  /** Loads a link module, and tells how many links it has. */
  load: { request: { readonly module: string }; answer: number }
  /** Loads a link module and tells its links, without starting them. */
  describe: { request: { readonly module: string }; answer: readonly SentDescription[] }
  /** Opens links: all are tried; the answer has an error where one failed, at its place. */
  open: { request: { readonly links: readonly OpenRequest[] }; answer: readonly (PlainError | null)[] }
  /** Closes links, in this order; the answer has an error where one failed, at its place. */
  close: { request: { readonly links: readonly number[] }; answer: readonly (PlainError | null)[] }
  /**
   * Closes links as `close` does, and gives what their instances hand over, at the place of each link. What several of them
   * share is in the first one's.
   */
  handOff: { request: { readonly links: readonly number[] }; answer: { readonly states: readonly unknown[] } }
  /** Makes transfers. Each tells its report when it ends, and there is no answer beside that. */
  transfer: { request: { readonly runs: PackedRuns }; answer: never }
  /** Waits until what the thread has printed is on its way. The last task of a thread. */
  rest: { request: object; answer: null }
  /** Applies a processor to records. */
  process: {
    request: {
      readonly module: string
      readonly exportName: string
      readonly records: PackedRecords
      readonly tags: readonly string[]
      readonly transferNumber: number
    }
    answer: PackedRecords
  }
}

export interface ThreadSetup {
  /** Number of the thread, from 1. */
  readonly thread: number
  readonly logLevels: LogLevels
  /** How many transfers may run at once in the thread. */
  readonly transfersPerThread: number
  /** How long a link module may take to load, and a link to start, in milliseconds. */
  readonly startTimeout: number
  /** How long a link may take to shut down, in milliseconds. */
  readonly shutdownTimeout: number
  /** Whether outlets are given nothing, and inlets told that nothing was delivered: see `DryRun`. */
  readonly dryRun?: boolean
  /** Where the thread shows what it does: see `Pulse`. */
  readonly pulse?: SharedArrayBuffer
  /** Whether the thread shows whose code it is in also where that goes on after a wait, or by itself. That takes time. */
  readonly trace?: boolean
}

/** What all threads of a pool have in common. */
export type ThreadSettings = Pick<ThreadSetup, 'transfersPerThread' | 'startTimeout' | 'shutdownTimeout' | 'dryRun'>

export type CallName = keyof Calls

/** One task of a thread: a call with its request. `task` identifies it. */
export type Task = { [K in CallName]: { readonly call: K; readonly task: number } & Calls[K]['request'] }[CallName]

/** What goes to a thread beside its tasks. */
export type Note =
  | { readonly note: 'logLevels'; readonly levels: LogLevels }
  /** Ends the trace of {@link ThreadSetup.trace}. */
  | { readonly note: 'endTrace' }
  /** Tells the transfers of a link to stop, up to that of a number: those that run, and those still on their way. */
  | { readonly note: 'cancel'; readonly link: number; readonly upTo: number; readonly reason: PlainError }

/** What a thread has to say. */
export type ThreadEvent =
  | { readonly event: 'log'; readonly line: string }
  | { readonly event: 'reports'; readonly reports: PackedReports }
  | { readonly event: 'answer'; readonly task: number; readonly answer: unknown }
  | { readonly event: 'error'; readonly task: number; readonly error: PlainError }

/** Where a thread tells what happens. */
export interface Channel {
  postMessage(message: ThreadEvent): void
}
