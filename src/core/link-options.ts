import { checkBoolean, checkCount, checkOptions } from '../base/check.js'
import { InvalidOptionError } from '../base/errors.js'
import type { Inlet } from './inlet.js'
import { checkCron, type Schedule } from './schedule.js'
import { toMilliseconds, type Duration } from '../base/duration.js'
import type { OutletFor } from './outlet.js'
import { checkGroupers, checkProcessors, type AnyGrouper, type AnyProcessor, type Grouper } from './processor.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'

/**
 * Options of a link.
 *
 * @typeParam A - type of the payloads that the inlets produce
 * @typeParam B - type of the payloads that the outlets are given, after the processors
 * @typeParam P - type of the processors
 */
export interface LinkOptions<A = unknown, B = A, P = readonly []> extends LinkSettings {
  /** Where records come from. All inlets pull at once; records keep the order of the inlets. */
  readonly inlets: OneOrMany<Inlet<A>>
  /** Where records go. Each outlet gets every batch, whatever happens to the others. */
  readonly outlets: OneOrMany<OutletFor<B>>
  /**
   * What alters the records on their way, in this order.
   * @default []
   */
  readonly processors?: P
  /**
   * What divides the records into batches, after the processors, in this order.
   * @default [] - one batch with all records
   */
  readonly groupers?: OneOrMany<Grouper<B>>
}

/** Options of a link whose records are processed. */
export type ProcessedLinkOptions<A, B, P> = LinkOptions<A, B, P> & { readonly processors: P }

/** The options of a link that say when and how it transfers. */
export interface LinkSettings {
  /** Time between two transfers: a number of seconds, or a duration. Either this or `cron` is needed. */
  readonly interval?: number | Duration
  /** When to transfer, as a cron expression of five fields, or six with seconds first. */
  readonly cron?: string
  /**
   * IANA time zone of `cron`, like `Europe/Amsterdam`.
   * @default the time zone of the process
   */
  readonly timeZone?: string
  /**
   * Most seconds (or duration) of a random delay added to each due time, to keep links apart. Less than the interval.
   * @default 0
   */
  readonly jitter?: number | Duration
  /**
   * Whether the link is due at whole multiples of its interval on the clock (every 10 minutes: at :00, :10, ...) rather
   * than counted from the start.
   * @default false
   */
  readonly alignToClock?: boolean
  /**
   * Tags of this link: they name it in logs, updates and reports.
   * @default []
   */
  readonly tags?: OneOrMany<string>
  /**
   * Whether each outlet gets records with payloads of its own, so that none sees another's changes. Without it all
   * outlets are given the same list. Instances of classes with private fields (`URL`, `Headers`, ...) do not survive a
   * copy: turn it off for such payloads, or put plain data in them.
   * @default true
   */
  readonly copyRecords?: boolean
  /**
   * Whether an error of a node is logged and counted and the transfer goes on without that node's part, rather than
   * stopping the planner. Records that a processor or grouper failed on are never pushed.
   * @default false
   */
  readonly ignoreExceptions?: boolean
  /**
   * How many inlets of this link may pull at once.
   * @default 9999
   */
  readonly inletConcurrency?: number
  /**
   * Whether planners that transfer once upon starting do so for this link.
   * @default true
   */
  readonly immediateTransfer?: boolean
  /**
   * Time that a transfer may take, in seconds or as a duration. Then `update.signal` aborts, the transfer fails, and
   * what its nodes still give is dropped.
   * @default undefined - as long as it takes
   */
  readonly timeout?: number | Duration
  /**
   * How many transfers of this link may run at once. A link that is due while this many are running is skipped,
   * which is counted and logged.
   * @default 1
   */
  readonly maxInstances?: number
  /**
   * Whether the link keeps nothing between transfers, so that any thread may run it, several at once up to
   * `maxInstances`. Each thread opens instances of its own.
   * @default false
   */
  readonly stateless?: boolean
  /**
   * What the link mostly does, so that links that wait (`io`) and links that compute (`cpu`) do not share a thread
   * when there is a choice. `auto` learns it from the time that transfers hold their thread, and moves the link if
   * its nodes can hand over their state (see `Node.saveState`).
   * @default 'auto'
   */
  readonly lane?: Lane
}

export type Lane = 'io' | 'cpu' | 'auto'

const LANES: readonly unknown[] = ['io', 'cpu', 'auto'] satisfies Lane[]

/** The settings of a link, checked and complete. Lengths of time are in milliseconds. */
export interface ResolvedSettings {
  readonly schedule: Schedule
  readonly tags: readonly string[]
  readonly copyRecords: boolean
  readonly ignoreExceptions: boolean
  readonly inletConcurrency: number
  readonly immediateTransfer: boolean
  readonly timeout: number | undefined
  readonly maxInstances: number
  readonly stateless: boolean
  readonly lane: Lane
}

const OPTIONS: readonly string[] = [
  ...['inlets', 'outlets', 'processors', 'groupers', 'interval', 'cron', 'timeZone', 'jitter', 'alignToClock'],
  ...['tags', 'copyRecords', 'ignoreExceptions', 'inletConcurrency', 'immediateTransfer', 'timeout'],
  ...['maxInstances', 'stateless', 'lane'],
]

/** @throws {@link InvalidOptionError} naming the option, what was expected and what came */
export function resolveSettings(options: LinkSettings): ResolvedSettings {
  checkOptions(undefined, options, OPTIONS)
  return Object.freeze({
    schedule: resolveSchedule(options),
    tags: Object.freeze(checkTags(options.tags)),
    copyRecords: checkBoolean('copyRecords', options.copyRecords, true),
    ignoreExceptions: checkBoolean('ignoreExceptions', options.ignoreExceptions, false),
    inletConcurrency: checkCount('inletConcurrency', options.inletConcurrency, 9999),
    immediateTransfer: checkBoolean('immediateTransfer', options.immediateTransfer, true),
    timeout: options.timeout === undefined ? undefined : toMilliseconds('timeout', options.timeout),
    maxInstances: checkCount('maxInstances', options.maxInstances, 1),
    stateless: checkBoolean('stateless', options.stateless, false),
    lane: checkLane(options.lane),
  })
}

function resolveSchedule(options: LinkSettings): Schedule {
  const { interval, cron, timeZone } = options
  if ((interval === undefined) === (cron === undefined)) {
    throw new InvalidOptionError('interval', 'either interval or cron', interval === undefined ? undefined : 'both')
  }
  if (cron === undefined && timeZone !== undefined) {
    throw new InvalidOptionError('timeZone', 'no time zone without cron', timeZone)
  }
  if (cron !== undefined) checkCron(cron, timeZone)
  const every = interval === undefined ? undefined : toMilliseconds('interval', interval)
  const alignToClock = checkBoolean('alignToClock', options.alignToClock, false)
  if (alignToClock && every === undefined) {
    throw new InvalidOptionError('alignToClock', 'false with cron, which is on the clock by itself', true)
  }
  return Object.freeze({ every, cron, timeZone, jitter: resolveJitter(options.jitter, every), alignToClock })
}

function resolveJitter(jitter: number | Duration | undefined, every: number | undefined): number {
  if (jitter === undefined || jitter === 0) return 0
  const milliseconds = toMilliseconds('jitter', jitter)
  if (every !== undefined && milliseconds >= every) {
    throw new InvalidOptionError('jitter', `less than the interval of ${every} ms`, jitter)
  }
  return milliseconds
}

function checkTags(tags: OneOrMany<string> | undefined): string[] {
  const list = toArray(tags)
  list.forEach((tag: unknown, index) => {
    if (typeof tag !== 'string' || tag === '')
      throw new InvalidOptionError(`tags[${index}]`, 'a string of at least one character', tag)
  })
  return list
}

function checkLane(lane: Lane | undefined): Lane {
  if (lane !== undefined && !LANES.includes(lane)) {
    throw new InvalidOptionError('lane', `one of ${LANES.join(', ')}`, lane)
  }
  return lane ?? 'auto'
}

/** The processors and groupers of a link, checked. */
export function resolvePipeline(options: { readonly processors?: unknown; readonly groupers?: unknown }): {
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
} {
  return {
    processors: Object.freeze(checkProcessors('processors', options.processors as OneOrMany<AnyProcessor> | undefined)),
    groupers: Object.freeze(checkGroupers('groupers', options.groupers as OneOrMany<AnyGrouper> | undefined)),
  }
}
