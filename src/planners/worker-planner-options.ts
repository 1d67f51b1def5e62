import type { Duration } from '../base/duration.js'
import { InvalidOptionError } from '../base/errors.js'
import type { Url } from '../base/node-types.js'
import { count, custom, time, type Option, type Spec } from '../base/options.js'
import { moduleUrl } from '../threads/protocol/module-url.js'
import { checkThreads, usualThreads } from './most-threads.js'
import type { PlannerOptions } from './planner-options.js'

/** Options of a `WorkerPlanner`. */
export interface WorkerPlannerOptions extends PlannerOptions {
  /**
   * Number of worker threads that make the transfers. One for each core suits links that compute. Links that wait need no
   * more, as a thread runs many waiting transfers at once. A machine can have 64 for each core, 256 in any case, if it has
   * (or its container has) 32 MiB of memory for each; more are refused.
   * @default os.availableParallelism() - or as many as there is memory for, if that is less
   */
  readonly threads?: number
  /**
   * Number of transfers that may run at once in one thread. Further ones wait for their turn in it.
   * @default 1000
   */
  readonly transfersPerThread?: number
  /**
   * Time that code may hold up a thread in any case, in seconds or as a duration; `Infinity` for ever. A thread that does
   * not answer by then is ended, and another takes its place. It has to be longer than the longest computation that does
   * not pause.
   * @default 300
   */
  readonly hangTimeout?: number | Duration
  /**
   * Most memory for the JavaScript objects of one thread, in MiB. A thread that needs more is ended, and another takes its
   * place. Buffers of bytes do not count. It is V8 that ends it, and not always in time: an object that alone is larger, or,
   * from Node 24 on, a loop that does nothing but allocate can go on beyond the limit, and end the process.
   * @default undefined - what V8 gives a thread of this machine
   */
  readonly threadMemoryLimit?: number
  /**
   * Number of transfers after which a thread is recycled: a fresh one takes its place and its links over, with what they hand
   * over. That is done to one thread after the other, and no due time is missed. It is for nodes that leak memory.
   * @default Infinity
   */
  readonly maxTransfersPerThread?: number
  /**
   * Nice value of the threads relative to the main thread, from 0 to 19, on Linux; elsewhere it has no effect.
   *
   * A value such as 5 helps where links compute on all cores and the machine has no other work: the main thread then goes
   * before its threads, links are dispatched in time, and timers and servers of the main thread are delayed half as long as
   * with 0. Beside other busy processes it costs transfers, as these processes go before the threads too: transfers fell
   * to a quarter.
   *
   * A value above 0 needs the package `@napi-rs/nice`, an optional dependency of Piscina. Without it, `start()` rejects with
   * a {@link MissingDependencyError}.
   *
   * @default 0
   */
  readonly niceIncrement?: number
  /**
   * Module that each thread loads before any link module, as a URL or a path: to register what exists once in each thread,
   * such as an OpenTelemetry SDK. If it exports a function `shutdown`, that is called when the thread ends in order. It may be
   * TypeScript, as link modules may. When it cannot be loaded, no link starts: `start()` rejects with a {@link LinkModuleError}.
   * @default undefined - none
   */
  readonly threadSetup?: Url | string
  /**
   * URL or path of the module that each worker thread runs: where a bundler has put the entry `databay/worker`.
   * @default undefined - the file of the package databay
   */
  readonly workerUrl?: Url | string
}

/** Highest nice value of Linux. */
const NICEST = 19

/** Least memory that a thread starts with, in MiB. */
const LEAST_MEMORY = 16

/**
 * A module that need not be given, as a URL.
 *
 * @param what - what the module is, for errors
 * @param shown - default as the docs show it
 */
function moduleOption(what: string, shown: string): Option<unknown, string | undefined> {
  const read = (name: string, module: unknown) =>
    module === undefined ? undefined : moduleUrl(name, module as URL | string, what)
  return { ...custom(read, shown), isPath: true }
}

/** The options of planners with threads, beside those of every planner: how each is read, and its default. */
export const WORKER_PLANNER_OPTIONS = {
  threads: custom(
    (name, threads: number | undefined) => (threads === undefined ? usualThreads() : checkThreads(name, threads)),
    'os.availableParallelism()',
  ),
  transfersPerThread: count(1000),
  hangTimeout: time(300_000),
  threadMemoryLimit: custom((name, megabytes: number | undefined) => {
    if (megabytes === undefined || (Number.isFinite(megabytes) && megabytes >= LEAST_MEMORY)) return megabytes
    throw new InvalidOptionError(name, `a number of MiB of at least ${LEAST_MEMORY}`, megabytes)
  }, 'undefined'),
  maxTransfersPerThread: count(Infinity, { orInfinity: true }),
  niceIncrement: custom((name, increment: number | undefined = 0) => {
    if (Number.isInteger(increment) && increment >= 0 && increment <= NICEST) return increment
    throw new InvalidOptionError(name, `an integer from 0 to ${NICEST}`, increment)
  }, '0'),
  threadSetup: moduleOption('a module for each thread', 'undefined - none'),
  workerUrl: moduleOption("a bundle of 'databay/worker'", 'undefined - the file of the package databay'),
} satisfies Spec<Omit<WorkerPlannerOptions, keyof PlannerOptions>>
