import type { Duration } from '../base/duration.js'
import { InvalidOptionError, toError } from '../base/errors.js'
import { checkFieldPath } from '../base/field-path.js'
import { getLogger } from '../base/log.js'
import { type OneOrMany, toArray } from '../base/one-or-many.js'
import { count, custom, func, type Resolved, resolveOptions, type Spec, time } from '../base/options.js'
import { Repeats } from '../base/repeats.js'
import { type DistinctKey, fieldsKey, knownKey, type KnownKey } from './distinct-key.js'
import { InvalidPayloadError } from './partial-push.js'
import type { Quiet, Said } from './pipeline.js'
import { NAME_OPTION, type NameOption } from './name-option.js'
import type { StatefulProcessor } from './processor.js'
import type { Record } from './record.js'
import type { Update } from './update.js'

/** Function that gives the key of a record. */
export type KeyOf<T = unknown> = (payload: T, record: Record<T>) => DistinctKey

/** Function that gives further keys of a record. */
export type AliasesOf<T = unknown> = (payload: T, record: Record<T>) => Iterable<DistinctKey>

/** Options of {@link Distinct}. */
export interface DistinctOptions<T = unknown> extends NameOption {
  /**
   * What tells records apart: the path of a field of the payload (`'id'`, `'user.id'`), a list of paths whose values
   * together do, or a function. A record without a key is an error.
   */
  readonly by: OneOrMany<string> | KeyOf<T>
  /**
   * Function that gives further keys of a record, by any of which it is known as well.
   * @default undefined - none
   */
  readonly aliases?: AliasesOf<T>
  /**
   * Most keys that are remembered. Then those that were seen longest ago are forgotten. More than a source shows at once.
   * @default 100_000
   */
  readonly capacity?: number
  /**
   * Time after which a key is forgotten that was not seen again, in seconds or as a duration.
   * @default Infinity
   */
  readonly ttl?: number | Duration
  /**
   * The clock, in milliseconds; only differences count.
   * @default () => performance.now()
   */
  readonly now?: () => number
}

/** Every option of {@link Distinct}. */
export const DISTINCT_OPTIONS = {
  by: custom(readBy),
  aliases: func<AliasesOf<never>>(undefined, 'undefined'),
  capacity: count(100_000, { orInfinity: true, shown: '100_000' }),
  ttl: time(Infinity),
  now: func<() => number, () => number>(() => performance.now()),
  ...NAME_OPTION,
} satisfies Spec<DistinctOptions<never>>

/** What was seen in a transfer of which it is not known yet what comes of it. */
interface Sight {
  /** Keys that were new. */
  readonly keys: KnownKey[]
}

/** What was seen in transfers before the link moved, whose updates read the same. */
interface CarriedSight extends Sight {
  /** Number of transfers. */
  transfers: number
}

/**
 * A processor that lets each thing pass once: of records with the same key, the first.
 *
 * A key is remembered when its transfer was delivered: all outlets took the records, or a processor after this one
 * removed them. When it failed, the key is forgotten, and the record passes when an inlet gives it again. In between, as
 * long as buffers hold the record, other records with its key are held back.
 *
 * ```
 *               process()                     delivered
 *   unknown ----------------> on its way -------------------> known
 *      ^                          |                             |
 *      +--------------------------+ failed                      |
 *      +--------------------------------------------------------+ capacity, ttl
 * ```
 *
 * What it knows moves along when its link moves to another thread, and is gone when the process or the thread is lost:
 * then all that is still to be seen comes again.
 *
 * @typeParam T - type of the payloads that the functions look at; records pass with the type they came with
 */
export class Distinct<T = unknown> implements StatefulProcessor<T> {
  /** Name of this processor in logs, reports and dead letters, by its option. */
  readonly name: string | undefined
  readonly #options: Resolved<typeof DISTINCT_OPTIONS>
  /** Keys of what was delivered, and when each was last seen: what was seen longest ago comes first. */
  readonly #known = new Map<KnownKey, number>()
  /** Keys of what is on its way, and where each was seen. */
  readonly #underWay = new Map<KnownKey, Sight>()
  readonly #sights = new Map<Update, Sight>()
  readonly #carried = new Map<string, CarriedSight>()
  #warnings: Repeats | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: DistinctOptions<T>) {
    this.#options = resolveOptions('Distinct', options, DISTINCT_OPTIONS)
    this.name = this.#options.name
  }

  /** Number of keys that are remembered. */
  get known(): number {
    return this.#known.size
  }

  /**
   * Lets the records pass whose keys are new.
   *
   * @throws {@link InvalidPayloadError} on a record without a key
   */
  process<U extends T, Q extends Quiet = never>(records: Said<Q, Record<U>[]>, update: Update): Said<Q, Record<U>[]>
  process<U extends T>(records: Record<U>[], update: Update): Record<U>[] {
    const now = this.#options.now()
    this.#expire(now)
    if (records.length === 0) return []
    const keys = records.map((record, at) => this.#keysOf(record, at))
    const sight = this.#sights.get(update) ?? { keys: [] }
    const fresh = records.filter((_, at) => this.#isNew(keys[at] ?? [], sight, now))
    // with nothing new in it there is nothing to end; but then it must not be taken for one before a move
    if (sight.keys.length > 0 || this.#carried.size > 0) this.#sights.set(update, sight)
    this.#forget()
    this.#warnOf(keys, update)
    return fresh
  }

  /** Remembers what was seen in a transfer, or forgets it when the transfer failed. */
  onTransferEnd(update: Update, delivered: boolean): void {
    const sight = this.#sights.get(update)
    if (sight === undefined) {
      this.#endCarried(String(update), delivered)
      return
    }
    this.#sights.delete(update)
    this.#settle(sight.keys, delivered)
  }

  /** Forgets all keys. */
  reset(): void {
    this.#known.clear()
    this.#underWay.clear()
    this.#sights.clear()
    this.#carried.clear()
  }

  /** The keys, how long ago each was seen, and what is on its way. */
  saveState(): unknown {
    const now = this.#options.now()
    const carried = [...this.#carried].map(([update, { keys, transfers }]) => ({ update, keys, transfers }))
    const seen = [...this.#sights].filter(([, { keys }]) => keys.length > 0)
    const sights = seen.map(([update, { keys }]) => ({ update: String(update), keys, transfers: 1 }))
    return {
      known: [...this.#known.keys()],
      ages: [...this.#known.values()].map((at) => now - at),
      underWay: [...carried, ...sights],
    } satisfies DistinctState
  }

  /** Takes over the keys of another instance, in addition to what was seen by this one. */
  restoreState(state: unknown): void {
    const { known, ages, underWay } = state as DistinctState
    const now = this.#options.now()
    const seen = [...this.#known, ...known.map((key, place) => [key, now - (ages[place] ?? 0)] as const)]
    this.#known.clear()
    for (const [key, at] of seen.sort(([, a], [, b]) => a - b)) this.#remember(key, at)
    for (const { update, keys, transfers } of underWay) {
      const sight = this.#carried.get(update) ?? { keys: [], transfers: 0 }
      this.#carried.set(update, sight)
      sight.transfers += transfers
      for (const key of keys) if (!this.#underWay.has(key)) this.#note(key, sight)
    }
    this.#forget()
  }

  #keysOf(record: Record<T>, at: number): KnownKey[] {
    const { by, aliases } = this.#options
    try {
      const [payload, given] = [record.payload, record] as [never, Record<never>]
      const key = typeof by === 'function' ? knownKey(by(payload, given)) : fieldsKey(payload, by)
      if (aliases === undefined) return [key]
      const keys = new Set([key])
      for (const alias of aliases(payload, given)) keys.add(knownKey(alias))
      return [...keys]
    } catch (thrown) {
      const cause = toError(thrown)
      throw new InvalidPayloadError(`Distinct: record ${at}: ${cause.message}`, { cause })
    }
  }

  /** Whether none of the keys of a record is known or on its way. Those that are new go the way of the others. */
  #isNew(keys: readonly KnownKey[], sight: Sight, now: number): boolean {
    if (keys.some((key) => this.#known.has(key))) {
      for (const key of keys) this.#remember(key, now)
      return false
    }
    let before: Sight | undefined
    for (const key of keys) before ??= this.#underWay.get(key)
    for (const key of keys) if (before === undefined || !this.#underWay.has(key)) this.#note(key, before ?? sight)
    return before === undefined
  }

  #note(key: KnownKey, sight: Sight): void {
    sight.keys.push(key)
    this.#underWay.set(key, sight)
  }

  #settle(keys: readonly KnownKey[], delivered: boolean): void {
    const now = this.#options.now()
    // mostly nothing else is on its way
    if (this.#sights.size + this.#carried.size === 0) this.#underWay.clear()
    else for (const key of keys) this.#underWay.delete(key)
    if (delivered) for (const key of keys) this.#remember(key, now)
    this.#forget()
  }

  #endCarried(update: string, delivered: boolean): void {
    const sight = this.#carried.get(update)
    if (sight === undefined) return
    sight.transfers--
    // which of several transfers it was cannot be told: all of them have to be delivered
    if (delivered && sight.transfers > 0) return
    this.#carried.delete(update)
    this.#settle(sight.keys, delivered)
  }

  #remember(key: KnownKey, at: number): void {
    // moves it to the end
    this.#known.delete(key)
    this.#known.set(key, at)
  }

  #expire(now: number): void {
    const { ttl } = this.#options
    if (ttl === Infinity) return
    for (const [key, at] of this.#known) {
      if (now - at < ttl) return
      this.#known.delete(key)
    }
  }

  #forget(): void {
    let excess = this.#known.size - this.#options.capacity
    if (excess <= 0) return
    for (const key of this.#known.keys()) {
      if (excess-- <= 0) return
      this.#known.delete(key)
    }
  }

  /** Warns when records have more keys than can be remembered: some of them pass each time that they come. */
  #warnOf(keys: readonly (readonly KnownKey[])[], update: Update): void {
    const { capacity } = this.#options
    // most records have one key, and many fewer than fit
    if (keys.reduce((sum, { length }) => sum + length, 0) <= capacity) return
    const { size } = new Set(keys.flat())
    if (size <= capacity) return
    this.#warnings ??= new Repeats()
    const text = `${String(update)} has ${size} keys, but ${capacity} are remembered: others come again, see capacity`
    this.#warnings.again('capacity', (counted) => {
      getLogger('databay.Distinct').warn(`${text}${counted}`)
    })
  }
}

interface DistinctState {
  readonly known: readonly KnownKey[]
  /** Milliseconds since each of the known keys was seen. */
  readonly ages: readonly number[]
  readonly underWay: readonly {
    /** Text of the update, as its instance does not move along. */
    readonly update: string
    readonly keys: readonly KnownKey[]
    /** Number of transfers whose updates read like this. */
    readonly transfers: number
  }[]
}

function readBy(name: string, by: OneOrMany<string> | KeyOf<never> | undefined) {
  if (typeof by === 'function') return by
  const paths = by === undefined ? [] : toArray(by)
  if (paths.length === 0) throw new InvalidOptionError(name, 'the path of a field, several, or a function', by)
  return paths.map((path) => checkFieldPath(name, path))
}
