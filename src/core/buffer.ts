import { classAdvice, InvalidOptionError, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'
import type { Quiet, Said } from './pipeline.js'
import type { StatefulProcessor } from './processor.js'
import { count, custom, flag, func, type Resolved, resolveOptions, seconds, type Spec } from '../base/options.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { withTags } from './crossing.js'
import { NAME_OPTION, type NameOption } from './name-option.js'
import { Record, type Metadata } from './record.js'
import type { Update } from './update.js'

/** Decides whether a buffer releases (`true`) or stores (`false`), from all records that it would release. */
export type BufferController<T = unknown> = (records: readonly Record<T>[]) => boolean | Promise<boolean>

export interface BufferOptions<T = unknown> extends NameOption {
  /**
   * Release when this many records are stored.
   * @default undefined - the count does not matter
   */
  readonly countThreshold?: number
  /**
   * Release when this many seconds have passed since the first of the stored records came.
   * @default undefined - time does not matter
   */
  readonly timeThreshold?: number
  /**
   * Further controllers, asked before the count and the time, in this order.
   * @default []
   */
  readonly customControllers?: OneOrMany<BufferController<T>>
  /**
   * Whether all controllers must agree to release (AND), or any one does (OR).
   * @default false
   */
  readonly conjugateControllers?: boolean
  /** Called at every reset, so at every release too. */
  readonly onReset?: () => void
  /**
   * The clock, in milliseconds; only differences count.
   * @default () => performance.now()
   */
  readonly now?: () => number
}

/** Every option of a buffer. */
export const BUFFER_OPTIONS = {
  countThreshold: count(undefined),
  timeThreshold: seconds(undefined),
  customControllers: custom(checkControllers, '[]'),
  conjugateControllers: flag(false),
  onReset: func<() => void>(),
  now: func<() => number, () => number>(() => performance.now()),
  ...NAME_OPTION,
} satisfies Spec<BufferOptions<never>>

/**
 * A processor that holds records back until its controllers release them, over as many transfers as it takes.
 *
 * Controllers are asked in the order custom, count, time, and only until the decision is known. One that throws is
 * logged and left out: the others decide. A buffer is asked at every transfer of its link, also at one without new
 * records; it belongs to one link or one outlet. What it holds when the planner shuts down is released through the
 * outlets (unless the planner drains nothing).
 *
 * @typeParam T - type of the payloads that the custom controllers look at; records pass with the type they came with
 */
export class Buffer<T = unknown> implements StatefulProcessor<T> {
  /** Set to release everything at the next call, whatever the controllers say. Unset by the release. */
  flush = false
  /** Name of this buffer in logs, reports and dead letters, by its option. */
  readonly name: string | undefined
  readonly #options: Resolved<typeof BUFFER_OPTIONS>
  #records: Record<T>[] = []
  /** Log of functions of the buffer's user that failed; `undefined` while none has. */
  #errors: Repeats | undefined
  #firstAt = 0

  /** @throws {@link InvalidOptionError} */
  constructor(options: BufferOptions<T> = {}) {
    this.#options = resolveOptions(undefined, options, BUFFER_OPTIONS)
    this.name = this.#options.name
  }

  /** Number of records held. */
  get size(): number {
    return this.#records.length
  }

  /** The active controllers, in the order in which they are asked. */
  getControllers(): BufferController<T>[] {
    const { countThreshold, timeThreshold, customControllers } = this.#options
    const controllers = [...customControllers] as BufferController<T>[]
    if (countThreshold !== undefined) {
      controllers.push(function countController(records) {
        return records.length >= countThreshold
      })
    }
    if (timeThreshold !== undefined) {
      const age = () => this.#options.now() - this.#firstAt
      controllers.push(function timeController() {
        return age() >= timeThreshold
      })
    }
    return controllers
  }

  /** Stores the records, or releases them with all that were stored before. */
  process<U extends T, Q extends Quiet = never>(
    records: Said<Q, Record<U>[]>,
    update?: Update,
  ): Said<Q, Promise<Record<U>[]>>
  async process<U extends T>(records: Record<U>[], update?: Update): Promise<Record<U>[]> {
    if (this.#records.length === 0) this.#firstAt = this.#options.now()
    for (const record of records) this.#records.push(record)
    if (!(this.flush || (this.#records.length > 0 && (await this.#decide())))) return []
    // their transfer was told to stop: the next one decides again
    if (update?.signal.aborted === true) return []
    const released = this.#records as Record<U>[]
    this.flush = false
    this.reset()
    return released
  }

  /** Empties the buffer and restarts its controllers. The records it held are gone: see {@link Buffer.flush}. */
  reset(): void {
    this.#records = []
    this.#firstAt = this.#options.now()
    try {
      this.#options.onReset?.()
    } catch (thrown) {
      this.#say('onReset failed', thrown)
    }
  }

  /** The records held, and their age. In another thread, payloads that are instances of classes become plain objects. */
  saveState(): unknown {
    return {
      records: this.#records.map(({ payload, metadata }) => ({ payload: withTags(payload), metadata })),
      age: this.#options.now() - this.#firstAt,
    }
  }

  /** Takes over records, before those that it holds: one that links share may hold some already. */
  restoreState(state: unknown): void {
    const { records, age } = state as BufferState<T>
    const restored = records.map(({ payload, metadata }) => new Record(payload, metadata))
    const firstAt = this.#options.now() - age
    this.#firstAt = this.#records.length === 0 ? firstAt : Math.min(firstAt, this.#firstAt)
    this.#records = [...restored, ...this.#records]
  }

  #say(text: string, thrown: unknown): void {
    this.#errors ??= new Repeats()
    this.#errors.again(text, (counted) => {
      getLogger('databay.Buffer').error({ err: toError(thrown) }, `${text}${counted}`)
    })
  }

  async #decide(): Promise<boolean> {
    let asked = 0
    for (const controller of this.getControllers()) {
      let release: boolean
      try {
        const answer: unknown = await controller(this.#records)
        release = Boolean(answer)
      } catch (thrown) {
        this.#say(`controller ${controller.name} failed: the others decide`, thrown)
        continue
      }
      asked++
      if (release !== this.#options.conjugateControllers) return release
    }
    // every AND agreed, or no OR did; none to ask means nothing to release for
    return this.#options.conjugateControllers && asked > 0
  }
}

interface BufferState<T> {
  readonly records: readonly { readonly payload: T; readonly metadata: Metadata }[]
  /** Milliseconds since the first of the records came. */
  readonly age: number
}

function checkControllers(
  option: string,
  given: OneOrMany<BufferController<never>> | undefined,
): BufferController<never>[] {
  const controllers = toArray(given)
  controllers.forEach((controller: unknown, index) => {
    const hint = classAdvice(controller)
    if (typeof controller !== 'function' || hint !== undefined)
      throw new InvalidOptionError(`${option}[${index}]`, 'a function', controller, { hint })
  })
  return controllers
}
