import { checkObject, checkWord } from '../base/check.js'
import type { Duration } from '../base/duration.js'
import { InvalidOptionError } from '../base/errors.js'
import { count, flag, func, resolveOptions, time, timer, word, type Spec } from '../base/options.js'
import { nodeName } from './node.js'
import type { Outlet } from './outlet.js'
import type { Record } from './record.js'

/** What a link promises when its process or thread is killed. */
export type DeliveryLevel = 'memory' | 'cursor'

/** What happens to refused records when a link has as many dead letters as it may have. */
export type FullDeadLetters = 'wait' | 'dropOldest' | 'dropNewest'

/**
 * How often a link with `delivery` tries again what is unavailable: an outlet that is down, a source that cannot be pulled.
 * It does so for ever. The delay doubles from one try to the next; some randomness keeps links apart.
 */
export interface LinkRetryOptions {
  /**
   * Delay before the second try, in seconds or as a duration. The actual delay is up to a half shorter or longer.
   * @default 1
   */
  readonly minDelay?: number | Duration
  /**
   * Longest delay between two tries, in seconds or as a duration.
   * @default 300 - or the `minDelay`, if that is longer
   */
  readonly maxDelay?: number | Duration
}

/** When a link with `delivery` gives a record up, and how it is kept in the store. */
export interface DeadLetterOptions {
  /**
   * Number of times that a batch is pushed before its refused records are looked for, when the error names no record.
   * @default 3
   */
  readonly after?: number
  /**
   * Most dead letters of the link that the store keeps.
   * @default 100_000
   */
  readonly max?: number
  /**
   * Time for which a dead letter is kept, in seconds or as a duration; `Infinity` for ever.
   * @default { days: 30 }
   */
  readonly maxAge?: number | Duration
  /**
   * What happens to a refused record when there are `max` dead letters. With `wait`, the link is blocked until there is room.
   * With `dropOldest` or `dropNewest`, one is dropped, which is counted and logged.
   * @default 'wait'
   */
  readonly whenFull?: FullDeadLetters
  /**
   * Whether the records themselves are kept. Without them, dead letters can be listed, but not replayed.
   * @default true
   */
  readonly payload?: boolean
  /**
   * Gives the record to keep in the place of a refused one, without what must not lie on a disk. A replay delivers what it
   * gave.
   * @default undefined - records are kept as they are
   */
  readonly redact?: (record: Record) => Record
}

/** {@link LinkRetryOptions}, complete. Delays are in milliseconds. */
export interface LinkRetrySettings {
  readonly minDelay: number
  readonly maxDelay: number
}

/** {@link DeadLetterOptions}, complete. The age is in milliseconds. */
export interface DeadLetterSettings {
  readonly after: number
  readonly max: number
  readonly maxAge: number
  readonly whenFull: FullDeadLetters
  readonly payload: boolean
  /** Always `undefined` on the main thread for a link of a worker thread: a function does not cross. */
  readonly redact: ((record: Record) => Record) | undefined
}

const LONGEST_DELAY = 300_000

/** Every option of `retry` of a link. */
export const LINK_RETRY_OPTIONS = {
  minDelay: timer(1000),
  maxDelay: timer(undefined, '300'),
} satisfies Spec<LinkRetryOptions>

/** Every option of `deadLetters` of a link. */
export const DEAD_LETTER_OPTIONS = {
  after: count(3),
  max: count(100_000, { shown: '100_000' }),
  maxAge: time(30 * 86_400_000, '{ days: 30 }'),
  whenFull: word<FullDeadLetters>(['wait', 'dropOldest', 'dropNewest'], 'wait'),
  payload: flag(true),
  redact: func<(record: Record) => Record>(),
} satisfies Spec<DeadLetterOptions>

const RETRY = checkLinkRetry('retry', {})

const DEAD_LETTERS = checkDeadLetters('deadLetters', {})

/** @throws {@link InvalidOptionError} */
export function checkDelivery(name: string, level: DeliveryLevel = 'memory'): DeliveryLevel {
  if ((level as string) === 'spool') {
    throw new InvalidOptionError(name, "'memory' or 'cursor', as 'spool' is not there yet", level)
  }
  return checkWord(name, level, ['memory', 'cursor'] as const, 'memory')
}

/** The option `retry` of a link, complete; `undefined` when it was not given. @throws {@link InvalidOptionError} */
export function checkLinkRetry(name: string, given: LinkRetryOptions | undefined): LinkRetrySettings | undefined {
  if (given === undefined) return undefined
  checkObject(name, given)
  const { minDelay, maxDelay } = resolveOptions(name, given, LINK_RETRY_OPTIONS)
  const longest = maxDelay ?? Math.max(minDelay, LONGEST_DELAY)
  if (longest < minDelay) throw new InvalidOptionError(`${name}.maxDelay`, 'at least the minDelay', given.maxDelay)
  return Object.freeze({ minDelay, maxDelay: longest })
}

/** The option `deadLetters` of a link, complete; `undefined` when it was not given. @throws {@link InvalidOptionError} */
export function checkDeadLetters(
  name: string,
  given: false | DeadLetterOptions | undefined,
): false | DeadLetterSettings | undefined {
  if (given === undefined || given === false) return given
  if ((given as unknown) === true) throw new InvalidOptionError(name, 'false, or an object with its options', given)
  checkObject(name, given)
  return Object.freeze(resolveOptions(name, given, DEAD_LETTER_OPTIONS))
}

/** Options of a link that `delivery` has a say in. */
interface Durable {
  readonly delivery: DeliveryLevel
  readonly stateless: boolean
  readonly maxInstances: number
  readonly catchUp: boolean | undefined
  readonly cron: string | undefined
  readonly retry: LinkRetrySettings | undefined
  readonly deadLetters: false | DeadLetterSettings | undefined
}

/** The settings `retry` and `deadLetters` of a link. */
export interface DeliverySettings {
  /** Delays between tries of what is unavailable; of no meaning without `delivery`. */
  readonly retry: LinkRetrySettings
  /** What becomes of refused records; `false` without `delivery`, and where they block the link. */
  readonly deadLetters: false | DeadLetterSettings
}

/** What options say of retries and dead letters, or the defaults of the `delivery`. */
export function deliverySettings({ delivery, retry, deadLetters }: Durable): DeliverySettings {
  return {
    retry: retry ?? (RETRY as LinkRetrySettings),
    deadLetters: delivery === 'memory' ? false : (deadLetters ?? (DEAD_LETTERS as DeadLetterSettings)),
  }
}

/** @throws {@link InvalidOptionError} when an outlet of a link with `delivery` replaces what it held, round by round */
export function checkReplacing(settings: ReplacingSettings, outlets: readonly Outlet[]): void {
  const { delivery, rounds } = settings
  if (delivery === 'memory' || rounds === 'whole') return
  const replacing = outlets.find(({ replacesContent }) => replacesContent)
  if (replacing === undefined) return
  const why = `'whole' with delivery: '${delivery}' and ${nodeName(replacing)}, which replaces what it held`
  throw new InvalidOptionError('rounds', why, rounds)
}

interface ReplacingSettings {
  readonly delivery: DeliveryLevel
  readonly rounds: unknown
}

/** @throws {@link InvalidOptionError} when an option does not go with the `delivery`, or a cron expression is missing */
export function checkDurable(all: Durable): void {
  const { delivery, stateless, maxInstances, catchUp, cron, retry, deadLetters } = all
  if (catchUp === true && cron === undefined) {
    throw new InvalidOptionError('catchUp', 'false without cron: an interval counts from the start', catchUp)
  }
  if (delivery === 'memory') {
    for (const [name, value] of Object.entries({ retry, deadLetters })) {
      if (value !== undefined) throw new InvalidOptionError(name, "delivery: 'cursor' with it", "delivery: 'memory'")
    }
    return
  }
  if (stateless) throw new InvalidOptionError('stateless', `false with delivery: '${delivery}'`, stateless)
  if (maxInstances > 1) throw new InvalidOptionError('maxInstances', `1 with delivery: '${delivery}'`, maxInstances)
}
