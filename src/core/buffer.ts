import { checkBoolean, checkCount, checkOptions } from '../base/check.js'
import { InvalidOptionError, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { StatefulProcessor } from './processor.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { Record, type Metadata } from './record.js'
import type { Update } from './update.js'

/** Decides whether a buffer releases (`true`) or stores (`false`), from all records that it would release. */
export type BufferController<T = unknown> = (records: readonly Record<T>[]) => boolean | Promise<boolean>

export interface BufferOptions<T = unknown> {
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

const OPTIONS: readonly string[] = [
  'countThreshold',
  'timeThreshold',
  'customControllers',
  'conjugateControllers',
  'onReset',
  'now',
] satisfies (keyof BufferOptions)[]

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
  readonly #countThreshold: number | undefined
  readonly #timeThreshold: number | undefined
  readonly #customControllers: readonly BufferController<T>[]
  readonly #conjugate: boolean
  readonly #onReset: (() => void) | undefined
  readonly #now: () => number
  #records: Record<T>[] = []
  #firstAt = 0

  /** @throws {@link InvalidOptionError} */
  constructor(options: BufferOptions<T> = {}) {
    checkOptions(undefined, options, OPTIONS)
    const { countThreshold, timeThreshold } = options
    this.#countThreshold = countThreshold === undefined ? undefined : checkCount('countThreshold', countThreshold, 1)
    if (timeThreshold !== undefined && !(typeof timeThreshold === 'number' && timeThreshold >= 0)) {
      throw new InvalidOptionError('timeThreshold', 'a number of seconds of at least 0', timeThreshold)
    }
    this.#timeThreshold = timeThreshold
    this.#customControllers = toArray(options.customControllers)
    this.#customControllers.forEach((controller, index) => {
      checkFunction(`customControllers[${index}]`, controller)
    })
    this.#conjugate = checkBoolean('conjugateControllers', options.conjugateControllers, false)
    if (options.onReset !== undefined) checkFunction('onReset', options.onReset)
    if (options.now !== undefined) checkFunction('now', options.now)
    this.#onReset = options.onReset
    this.#now = options.now ?? (() => performance.now())
  }

  /** How many records are held. */
  get size(): number {
    return this.#records.length
  }

  /** The active controllers, in the order in which they are asked. */
  getControllers(): BufferController<T>[] {
    const count = this.#countThreshold
    const time = this.#timeThreshold
    const controllers = [...this.#customControllers]
    if (count !== undefined) {
      controllers.push(function countController(records) {
        return records.length >= count
      })
    }
    if (time !== undefined) {
      const age = () => this.#now() - this.#firstAt
      controllers.push(function timeController() {
        return age() >= time * 1000
      })
    }
    return controllers
  }

  /** Stores the records, or releases them with all that were stored before. */
  async process<U extends T>(records: Record<U>[], update?: Update): Promise<Record<U>[]> {
    if (this.#records.length === 0) this.#firstAt = this.#now()
    for (const record of records) this.#records.push(record)
    if (!(this.flush || (this.#records.length > 0 && (await this.#decide())))) return []
    // nobody waits for them any more: the next transfer decides anew
    if (update?.signal.aborted === true) return []
    const released = this.#records as Record<U>[]
    this.flush = false
    this.reset()
    return released
  }

  /** Empties the buffer and starts its controllers anew. The records it held are gone: see {@link Buffer.flush}. */
  reset(): void {
    this.#records = []
    this.#firstAt = this.#now()
    try {
      this.#onReset?.()
    } catch (thrown) {
      getLogger('databay.Buffer').error({ err: toError(thrown) }, 'onReset failed')
    }
  }

  /** What is held, and for how long. In another thread, payloads that are instances of classes become plain objects. */
  saveState(): unknown {
    return {
      records: this.#records.map(({ payload, metadata }) => ({ payload, metadata })),
      age: this.#now() - this.#firstAt,
    }
  }

  restoreState(state: unknown): void {
    const { records, age } = state as BufferState<T>
    this.#records = records.map(({ payload, metadata }) => new Record(payload, metadata))
    this.#firstAt = this.#now() - age
  }

  async #decide(): Promise<boolean> {
    let asked = 0
    for (const controller of this.getControllers()) {
      let release: boolean
      try {
        const answer: unknown = await controller(this.#records)
        release = Boolean(answer)
      } catch (thrown) {
        getLogger('databay.Buffer').error(
          { err: toError(thrown) },
          `controller ${controller.name} failed: the others decide`,
        )
        continue
      }
      asked++
      if (release !== this.#conjugate) return release
    }
    // every AND agreed, or no OR did; none to ask means nothing to release for
    return this.#conjugate && asked > 0
  }
}

interface BufferState<T> {
  readonly records: readonly { readonly payload: T; readonly metadata: Metadata }[]
  /** Milliseconds since the first of the records came. */
  readonly age: number
}

function checkFunction(option: string, value: unknown): void {
  if (typeof value !== 'function') throw new InvalidOptionError(option, 'a function', value)
}
