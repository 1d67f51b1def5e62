import {
  count,
  custom,
  flag,
  given,
  optionalTime,
  type Resolved,
  resolveOptions,
  type Spec,
  word,
} from '../base/options.js'
import { alike } from '../base/alike.js'
import { checkName } from '../base/check.js'
import { InvalidOptionError } from '../base/errors.js'
import type { Inlet } from './inlet.js'
import { checkCron } from './cron.js'
import {
  checkDeadLetters,
  checkDelivery,
  checkDurable,
  checkLinkRetry,
  deliverySettings,
  type DeadLetterOptions,
  type DeliveryLevel,
  type DeliverySettings,
  type LinkRetryOptions,
} from './delivery-options.js'
import type { Schedule } from './schedule.js'
import { toMilliseconds, type Duration } from '../base/duration.js'
import type { OutletFor } from './outlet.js'
import { checkGroupers, checkProcessors, type AnyGrouper, type AnyProcessor, type Grouper } from './processor.js'
import { toArray, toFrozen, type OneOrMany } from '../base/one-or-many.js'

/**
 * Options of a link.
 *
 * @typeParam A - type of the payloads that the inlets produce
 * @typeParam B - type of the payloads that the outlets are given, after the processors
 * @typeParam P - type of the processors
 */
export type LinkOptions<A = unknown, B = A, P extends OneOrMany<AnyProcessor> = readonly []> = LinkParts<A, B, P> &
  DueTimes

/** When a link is due: either every interval or by a cron expression. */
export type DueTimes =
  | { readonly interval: number | Duration; readonly cron?: never; readonly timeZone?: never }
  | { readonly cron: string; readonly interval?: never; readonly alignToClock?: false }

/** Options of a link that say how it transfers, and not when. */
export type TransferSettings = Omit<LinkSettings, 'interval' | 'cron' | 'timeZone' | 'alignToClock'>

/** {@link LinkOptions}, one by one. */
export interface LinkParts<A, B, P extends OneOrMany<AnyProcessor>> extends LinkSettings {
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
export type ProcessedLinkOptions<A, B, P extends OneOrMany<AnyProcessor>> = LinkOptions<A, B, P> & {
  readonly processors: P
}

/** The options of a link that say when and how it transfers. */
export interface LinkSettings {
  /** Time between two transfers: a number of seconds, or a duration. Either this or `cron` is needed. */
  readonly interval?: number | Duration
  /**
   * When to transfer, as a cron expression of five fields, or six with seconds first. A time that is left out where clocks
   * change comes when the gap is over. Where an hour comes twice, a fixed time comes once; minutes or hours that begin with
   * `*` keep their pace.
   */
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
   * than counted from the start. Weeks begin on Mondays, at 00:00 UTC.
   * @default false
   */
  readonly alignToClock?: boolean
  /**
   * Name of the link in logs, events, statistics and errors, and of what is kept of it. Unique in a planner.
   * A link that is given to a planner as an object has none without this option, and shows as its tags.
   * @default the name of its export, as in `todos` or `links[2]`; for a default export, its file's name
   */
  readonly id?: string
  /**
   * Labels of the link. They name its updates (`{tags}.{number}`); several links may share one.
   * @default []
   */
  readonly tags?: OneOrMany<string>
  /**
   * Whether each outlet gets records with payloads of its own, so that none sees another's changes. Without it all
   * outlets are given the same list. Instances of classes with private fields (`URL`, `Headers`, ...) cannot be copied,
   * and are an error that names their path: turn it off for such payloads, or put plain data in them.
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
   * What happens when the link fails to start. With `stop`, `start()` rejects. With `retry`, the planner starts, and the
   * link is tried again: after a second, then two, four and so on up to a minute, each shortened by chance by up to a half.
   * Its due times are skipped until then. What does not pass is not tried again: `start()` rejects with a missing package, no
   * store, an inlet without a cursor, or an invalid node.
   * @default 'stop'
   */
  readonly onStartFailure?: StartFailurePolicy
  /**
   * How many inlets of this link may pull at once.
   * @default 9999
   */
  readonly inletConcurrency?: number
  /**
   * Whether planners that transfer once upon starting do so for this link. A link that goes by the clock, with `cron` or
   * `alignToClock`, waits for its first due time.
   * @default true - false with `cron` or `alignToClock`
   */
  readonly immediateTransfer?: boolean
  /**
   * How inlets that stream are transferred: `pulled` makes a round of each list that they yield, `whole` one round of all
   * lists. A number makes rounds of so many records: it collects lists, and cuts longer ones, also lists that are returned.
   * @default 'pulled'
   */
  readonly rounds?: RoundSize
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
   * What the link promises when its process or thread is killed. With `memory`, what was on its way is lost, and counted.
   * With `cursor`, it is pulled again: the planner's `store` keeps how far each inlet has come, once all outlets took what
   * came before. Then each inlet needs a cursor, and the link an `id`.
   * @default 'memory'
   */
  readonly delivery?: DeliveryLevel
  /**
   * How often what is unavailable is tried again: an outlet that is down, a source that cannot be pulled. Only with `delivery`.
   * @default { minDelay: 1, maxDelay: 300 }
   */
  readonly retry?: LinkRetryOptions
  /**
   * When a refused record is given up and kept in the store. With `false`, never: it blocks the link. Only with `delivery`.
   * @default { after: 3, max: 100_000, maxAge: { days: 30 }, whenFull: 'wait' }
   */
  readonly deadLetters?: false | DeadLetterOptions
  /**
   * Whether a run that was due while the process was down is made at the next start: one, however many were missed. Only
   * with `cron`, with an `id`, and with the planner's `store`, which keeps the last due time. A link that is new makes none.
   * @default false - true with `cron` and `delivery`
   */
  readonly catchUp?: boolean
  /**
   * What the link mostly does, so that links that wait (`io`) and links that compute (`cpu`) do not share a thread
   * when there is a choice. `auto` learns it from the time that transfers hold their thread, and moves the link if
   * its nodes can hand over their state (see `Node.saveState`).
   * @default 'auto'
   */
  readonly lane?: Lane
}

/** What makes a round of a transfer: each list that inlets yield, all of them, or so many records. */
export type RoundSize = 'pulled' | 'whole' | number

export type Lane = 'io' | 'cpu' | 'auto'

/** What happens when a link fails to start: its planner stops, or tries the link again and starts without it. */
export type StartFailurePolicy = 'stop' | 'retry'

/** Every option of a link. What is not about its nodes, names or due times becomes one of its settings. */
export const LINK_OPTIONS = {
  inlets: given<OneOrMany<Inlet>>(),
  outlets: given<OneOrMany<OutletFor<unknown>>>(),
  processors: given<OneOrMany<AnyProcessor>>('[]'),
  groupers: given<OneOrMany<Grouper>>('[]'),
  id: custom(checkName, 'the name of its export'),
  interval: given<number | Duration>(),
  cron: given<string>(),
  timeZone: given<string>('the time zone of the process'),
  jitter: given<number | Duration>('0'),
  alignToClock: flag(false),
  tags: custom(checkTags, '[]'),
  copyRecords: flag(true),
  ignoreExceptions: flag(false),
  onStartFailure: word<StartFailurePolicy>(['stop', 'retry'], 'stop'),
  inletConcurrency: count(9999, { orInfinity: true }),
  immediateTransfer: flag(undefined, 'true'),
  rounds: custom(checkRounds, "'pulled'"),
  timeout: optionalTime,
  maxInstances: count(1),
  stateless: flag(false),
  delivery: custom(checkDelivery, "'memory'"),
  retry: custom(checkLinkRetry, '{ minDelay: 1, maxDelay: 300 }'),
  deadLetters: custom(checkDeadLetters, "{ after: 3, max: 100_000, maxAge: { days: 30 }, whenFull: 'wait' }"),
  catchUp: flag(undefined, 'false'),
  lane: word<Lane>(['io', 'cpu', 'auto'], 'auto'),
} satisfies Spec<LinkParts<unknown, unknown, OneOrMany<AnyProcessor>>>

type ResolvedOptions = Resolved<typeof LINK_OPTIONS>

/** Options that are no settings: a link's nodes, names and due times. */
type Own = 'inlets' | 'outlets' | 'processors' | 'groupers' | 'id' | 'tags' | keyof ScheduleOptions

type ScheduleOptions = Pick<LinkSettings, 'interval' | 'cron' | 'timeZone' | 'jitter' | 'alignToClock'>

const OWN: readonly Own[] = [
  'inlets',
  'outlets',
  'processors',
  'groupers',
  'id',
  'tags',
  'interval',
  'cron',
  'timeZone',
  'jitter',
  'alignToClock',
]

/** Names of the options that settings are made of. */
export const LINK_SETTINGS = (Object.keys(LINK_OPTIONS) as (keyof ResolvedOptions)[]).filter(
  (name): name is Exclude<keyof LinkSettings, 'id' | 'tags'> =>
    !['inlets', 'outlets', 'processors', 'groupers', 'id', 'tags'].includes(name),
)

/** Names of the options that are settings. */
const SETTINGS = (Object.keys(LINK_OPTIONS) as (keyof ResolvedOptions)[]).filter(
  (name) => !OWN.some((own) => own === name),
)

/**
 * The settings of a link, checked and complete: one frozen object, which the link, its description and its side on the
 * main thread share. Lengths of time are in milliseconds.
 */
export type ResolvedSettings = Omit<ResolvedOptions, Own | 'immediateTransfer' | 'catchUp' | keyof DeliverySettings> &
  DeliverySettings & {
    /** Whether a run that was due while the process was down is made at the next start. */
    readonly catchUp: boolean
    /** Whether planners that transfer once upon starting do so for this link. */
    readonly immediateTransfer: boolean
    /** When the link is due, as its options say. */
    readonly schedule: Schedule
  }

/** A link's names beside its settings. */
export interface ResolvedLink {
  /** The option `id`; `undefined` when it was left out. */
  readonly id: string | undefined
  readonly tags: readonly string[]
  readonly settings: ResolvedSettings
  /** Options that the settings are made of. */
  readonly given: GivenSettings
}

/** Options that settings are made of, as far as they were given. */
export type GivenSettings = Omit<LinkSettings, 'id' | 'tags'>

/** Options that settings are made of, and the settings that the last ones gave. */
interface Known {
  readonly given: GivenSettings
  readonly settings: ResolvedSettings
}

/** The settings that were made last: where thousands of links are made, they mostly have the same. */
let last: Known | undefined

/** @throws {@link InvalidOptionError} naming the option, what was expected and what came */
export function resolveLink(options: LinkSettings): ResolvedLink {
  if (last !== undefined && gives(options, last)) {
    return { id: checkName('id', options.id), tags: checkTags('tags', options.tags), ...last }
  }
  const all = resolveOptions(undefined, options, LINK_OPTIONS)
  checkDurable(all)
  const settings = settingsOf(all)
  const names = LINK_SETTINGS.filter((name) => options[name] !== undefined)
  const given: GivenSettings = Object.fromEntries(names.map((name) => [name, copyOf(options[name])]))
  last = { given, settings }
  return { id: all.id, tags: all.tags, settings, given }
}

/** Whether options have no names but known ones, and make the same settings. */
function gives(options: LinkSettings, { given }: Known): boolean {
  if (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options)) return false
  for (const name of Object.keys(options)) if (!Object.hasOwn(LINK_OPTIONS, name)) return false
  for (const name of LINK_SETTINGS) if (!alike(options[name], given[name])) return false
  return true
}

/** A value that stays as it is, also when the durations and options that were given are changed. Functions are the same. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]))
}

function settingsOf(all: ResolvedOptions): ResolvedSettings {
  const schedule = resolveSchedule(all)
  const settings: { [name: string]: unknown } = { schedule }
  // not by a spread of the rest, which takes longer than all else where thousands of links are made
  for (const name of SETTINGS) settings[name] = all[name]
  // a program that is started again must not do the work of the night
  settings['immediateTransfer'] ??= schedule.cron === undefined && !schedule.alignToClock
  Object.assign(settings, deliverySettings(all))
  settings['catchUp'] ??= schedule.cron !== undefined && all.delivery !== 'memory'
  return Object.freeze(settings) as unknown as ResolvedSettings
}

/** The options of a link's due times, of which `alignToClock` is read already. */
interface ScheduleGiven {
  readonly interval: number | Duration | undefined
  readonly cron: string | undefined
  readonly timeZone: string | undefined
  readonly jitter: number | Duration | undefined
  readonly alignToClock: boolean
}

function resolveSchedule(options: ScheduleGiven): Schedule {
  const { interval, cron, timeZone, alignToClock } = options
  if ((interval === undefined) === (cron === undefined)) {
    throw new InvalidOptionError('interval', 'either interval or cron', interval === undefined ? undefined : 'both')
  }
  if (cron === undefined && timeZone !== undefined) {
    throw new InvalidOptionError('timeZone', 'no time zone without cron', timeZone)
  }
  if (cron !== undefined) checkCron(cron, timeZone)
  const every = interval === undefined ? undefined : toMilliseconds('interval', interval)
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

function checkRounds(name: string, rounds: RoundSize = 'pulled'): RoundSize {
  if (rounds === 'pulled' || rounds === 'whole' || (Number.isSafeInteger(rounds) && rounds > 0)) return rounds
  throw new InvalidOptionError(name, "'pulled', 'whole', or a number of records of at least 1", rounds)
}

function checkTags(name: string, tags: OneOrMany<string> | undefined): readonly string[] {
  const list = toArray(tags)
  list.forEach((tag: unknown, index) => {
    if (typeof tag !== 'string' || tag === '')
      throw new InvalidOptionError(`${name}[${index}]`, 'a string of at least one character', tag)
  })
  return Object.freeze(list)
}

/** The processors and groupers of a link, checked. */
export function resolvePipeline(options: { readonly processors?: unknown; readonly groupers?: unknown }): {
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
} {
  return {
    processors: toFrozen(options.processors as OneOrMany<AnyProcessor> | undefined, (some) =>
      checkProcessors('processors', some),
    ),
    groupers: toFrozen(options.groupers as OneOrMany<AnyGrouper> | undefined, (some) =>
      checkGroupers('groupers', some),
    ),
  }
}
