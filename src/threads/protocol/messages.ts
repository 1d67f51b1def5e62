import type { MessagePort } from 'node:worker_threads'
import type { LogLevels } from '../../base/log.js'
import type { Held } from '../../core/link-accounts.js'
import type { LinkOverride } from '../../core/link-overrides.js'
import type { PlainError } from '../../base/plain-error.js'
import type { Explanation, ExplainRequest } from './explanation.js'
import type { SharedCounts } from './progress.js'
import type { PackedReports } from './reports.js'
import type { PackedRuns } from './runs.js'
import type { PackedDescriptions } from './packed-descriptions.js'
import type { PackedOpens } from './packed-opens.js'
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

/**
 * How a link was opened: `null` when there is nothing to say, the records of its state that its buffers have not taken
 * over and that are lost, or the error of a link that failed.
 */
export type OpenAnswer = PlainError | { readonly lost: Held } | null

/** Calls of a thread: what each asks for, and what it answers. */
export interface Calls {
  /** Takes the channel and the log levels. The first task of a thread. */
  hello: { request: { readonly port: MessagePort; readonly setup: ThreadSetup }; answer: null }
  /** Loads a link module. Answers the number of its links. */
  load: { request: { readonly module: string }; answer: number }
  /** Loads a link module and tells its links, without starting them. */
  describe: { request: { readonly module: string }; answer: PackedDescriptions }
  /** Opens links: all are tried. The answer has one for each. While some take longer, those that are done are told in parts. */
  open: { request: { readonly links: PackedOpens }; answer: readonly OpenAnswer[] }
  /**
   * Closes links, all at once, in this order. The answer has for each link `null`, or the error of one that failed. Is
   * answered in parts, as `open`.
   */
  close: { request: { readonly links: readonly number[] }; answer: readonly (PlainError | null)[] }
  /**
   * Closes links as `close` does, and answers the state that their instances hand off. What several links share is in
   * the state of the first. Tells for each link the records that are in no state, if there are any: they are lost.
   */
  handOff: {
    request: { readonly links: readonly number[] }
    answer: { readonly states: readonly unknown[]; readonly lost: readonly (Held | undefined)[] }
  }
  /** Makes one transfer of a link whose outlets take nothing, and tells what each stage did. The link must not be open. */
  explain: { request: ExplainRequest; answer: Explanation }
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

/** Settings of a thread. */
export interface ThreadSetup {
  /** Number of the thread, from 1. */
  readonly thread: number
  readonly logLevels: LogLevels
  /** Number of transfers that may run at once in the thread. */
  readonly transfersPerThread: number
  /** Time that a link module may take to load, and a link to start, in milliseconds. */
  readonly startTimeout: number
  /** Time that a link may take to shut down, in milliseconds. */
  readonly shutdownTimeout: number
  /** Time that a stream which is told to end is waited for, in milliseconds. */
  readonly streamGrace: number
  /** Whether outlets are given nothing, and inlets told that nothing was delivered: see `DryRun`. */
  readonly dryRun?: boolean
  /** Folder of the store; `undefined` when there is none. */
  readonly store?: string | undefined
  /** URL of the module that the thread loads before any other; `undefined` when there is none. */
  readonly threadSetup?: string | undefined
  /** Settings that a configuration has for links. */
  readonly overrides?: readonly LinkOverride[] | undefined
  /** Whether transfers are traced: see `traceTransfers`. */
  readonly telemetry?: boolean
  /** Whether what links print goes to standard error: see `printToStandardError`. */
  readonly printsToError?: boolean
  /** Memory in which the thread shows what it does: see `Pulse`. */
  readonly pulse?: SharedArrayBuffer
  /** Whether the thread shows which link's code it is in also after a wait: see `Trace`. That takes time. */
  readonly trace?: boolean
}

/** Settings that all threads of a pool have in common. */
export type ThreadSettings = Pick<
  ThreadSetup,
  | 'transfersPerThread'
  | 'startTimeout'
  | 'shutdownTimeout'
  | 'streamGrace'
  | 'dryRun'
  | 'store'
  | 'overrides'
  | 'printsToError'
  | 'threadSetup'
  | 'telemetry'
>

/** Time that `shutdown` of the module {@link ThreadSetup.threadSetup} may take, in milliseconds. */
export const SETUP_SHUTDOWN = 5000

/** Name of a call. */
export type CallName = keyof Calls

/** A call with its request. `task` is its number. */
export type Call = { [K in CallName]: { readonly call: K; readonly task: number } & Calls[K]['request'] }[CallName]

/**
 * One task of a thread: a call, or transfers to be made. Transfers are bare numbers, as an object around them would take a
 * lone one a microsecond or two. Their reports are events; there is no answer beside them.
 */
export type Task = Call | PackedRuns

/** A message to a thread that does not wait behind tasks. */
export type Note =
  | { readonly note: 'logLevels'; readonly levels: LogLevels }
  /** Ends what {@link ThreadSetup.trace} began. */
  | { readonly note: 'endTrace' }
  /** Tells the transfers of a link to stop, up to that of a number: also transfers still on their way. */
  | { readonly note: 'cancel'; readonly link: number; readonly upTo: number; readonly reason: PlainError }
  /** Tells the transfers of a link that stream to end with what they have pulled, up to that of a number. */
  | { readonly note: 'endStreams'; readonly link: number; readonly upTo: number }

/** A message of a thread. */
export type ThreadEvent =
  | { readonly event: 'log'; readonly line: string }
  | PackedReports
  /** The transfer of a run streams, and shows in shared memory what its rounds did. */
  | { readonly event: 'streams'; readonly run: number; readonly counts: SharedCounts }
  | { readonly event: 'answer'; readonly task: number; readonly answer: unknown }
  /** Answers to some of the questions of a task, by their places, while others take longer. */
  | {
      readonly event: 'part'
      readonly task: number
      readonly at: readonly number[]
      readonly answers: readonly unknown[]
    }
  | { readonly event: 'error'; readonly task: number; readonly error: PlainError }

/** The thread's end of its channel to the main thread. */
export interface Channel {
  postMessage(message: ThreadEvent): void
}
