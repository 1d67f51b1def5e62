import type { Update } from '../core/update.js'

/** Pull whose records are not delivered yet, as far as that is known. */
interface OpenPull<P> {
  readonly update: Update
  /** Position at which the pull began. */
  readonly start: P
  readonly records: number
  state: 'running' | 'delivered' | 'failed'
}

/**
 * Pulls of an inlet that are not settled, as the instance after it takes them over: with the records that buffers hold,
 * which move along. Plain data, if a position is.
 */
export interface CarriedPulls<P> {
  /** Position at which the first of them began. */
  readonly start: P
  /** Texts of the updates that are to be told, as the instances of updates do not move along. */
  readonly updates: readonly string[]
  readonly records: number
}

/** {@link CarriedPulls} that were taken over. */
interface Carried<P> extends CarriedPulls<P> {
  readonly updates: string[]
  failed: boolean
}

/** Way back to records that are to be read again. */
export interface WayBack<P> {
  readonly start: P
  /** Positions at which the pulls began whose records are read again: they failed, or are still running. */
  readonly starts: readonly P[]
  /** Number of these records. */
  readonly records: number
}

/**
 * Positions at which pulls began, kept until their records are delivered, so that an inlet can go back and read them
 * again.
 *
 * ```
 *              | delivered | running -| failed --| delivered |
 *   position   0           10         20         30          40  <- where the inlet is
 *                          ^          ^
 *                          |          + the next pull goes back to here, and all that follows comes again
 *                          + what is stored: all before it is delivered
 * ```
 *
 * @typeParam P - type of a position
 */
export class OpenPulls<P> {
  #pulls: OpenPull<P>[] = []
  /** Number of delivered pulls at the front, which are cut off many at a time: buffers may hold tens of thousands. */
  #done = 0
  /** Number of failed pulls. */
  #failed = 0
  /** Running pulls by their updates, list after list; `undefined` where one was forgotten. */
  readonly #running = new Map<Update, (OpenPull<P> | undefined)[]>()
  /** Pulls of the instance before this one: they come before all others. */
  #carried: Carried<P> | undefined

  /**
   * Adds a pull that has ended, or a list of one that streams. They are added in the order of their positions.
   */
  add(update: Update, start: P, records: number): void {
    if (records === 0) return
    const pull: OpenPull<P> = { update, start, records, state: 'running' }
    this.#pulls.push(pull)
    const others = this.#running.get(update)
    if (others === undefined) this.#running.set(update, [pull])
    else others.push(pull)
  }

  /**
   * Notes how the transfer of a pull has ended.
   *
   * @param lists - number of lists of the update, from the first one on, that were delivered. Default: all or none
   */
  end(update: Update, delivered: boolean, lists = delivered ? Infinity : 0): void {
    const ended = this.#running.get(update) ?? []
    this.#running.delete(update)
    for (const [list, pull] of ended.entries()) {
      if (pull === undefined) continue
      const isDelivered = list < lists
      pull.state = isDelivered ? 'delivered' : 'failed'
      if (!isDelivered) this.#failed++
    }
    if (ended.length === 0 && this.#carried !== undefined) this.#endCarried(this.#carried, String(update), delivered)
    while (this.#pulls[this.#done]?.state === 'delivered') this.#done++
    if (2 * this.#done < this.#pulls.length) return
    this.#pulls = this.#pulls.slice(this.#done)
    this.#done = 0
  }

  /** Earliest pull that is not delivered; `undefined` when there is none. */
  get earliest(): { readonly start: P } | undefined {
    return this.#carried ?? this.earliestOwn
  }

  /** Earliest pull of this instance that is not delivered; `undefined` when there is none. */
  get earliestOwn(): { readonly start: P } | undefined {
    return this.#pulls[this.#done]
  }

  /**
   * Position to go on at: that of the first failed pull, or else where the inlet is.
   *
   * @param position - position where the inlet is
   */
  goOnAt(position: P): P {
    if (this.#carried?.failed === true) return this.#carried.start
    const failed = this.#pulls[this.#firstFailed()]
    return failed === undefined ? position : failed.start
  }

  /**
   * Pulls to hand off to the instance that goes on, and where it goes on: at the first failed one, or else where the
   * inlet is. Pulls after that will be read again.
   *
   * @param position - position where the inlet is
   */
  handOff(position: P): { readonly position: P; readonly carried: CarriedPulls<P> | undefined } {
    const carried = this.#carried
    if (carried?.failed === true) return { position: carried.start, carried: undefined }
    const failed = this.#firstFailed()
    const before = (failed === -1 ? this.#pulls : this.#pulls.slice(0, failed)).filter(isRunning)
    const first = carried ?? before[0]
    return {
      position: this.goOnAt(position),
      carried: first && {
        start: first.start,
        updates: [...(carried?.updates ?? []), ...before.map(({ update }) => String(update))],
        records: before.reduce((sum, { records }) => sum + records, carried?.records ?? 0),
      },
    }
  }

  /** Takes over the pulls that another instance has handed off. */
  takeOver({ start, updates, records }: CarriedPulls<P>): void {
    this.#carried = updates.length === 0 ? undefined : { start, updates: [...updates], records, failed: false }
  }

  /** Gives the way back after a failed transfer, and forgets the pulls that will be read again. */
  takeBack(): WayBack<P> | undefined {
    const carried = this.#carried?.failed === true ? this.#carried : undefined
    const failed = carried === undefined ? this.#firstFailed() : this.#done
    if (failed === -1) return undefined
    const again = this.#pulls.splice(failed).filter(({ state }) => state !== 'delivered')
    this.#failed = 0
    for (const pull of again) this.#forget(pull)
    const [first] = again
    const records = again.reduce((sum, pull) => sum + pull.records, carried?.records ?? 0)
    const starts = again.map(({ start }) => start)
    if (carried === undefined) return first && { start: first.start, starts, records }
    this.#carried = undefined
    return { start: carried.start, starts, records }
  }

  clear(): void {
    this.#pulls = []
    this.#done = 0
    this.#failed = 0
    this.#running.clear()
    this.#carried = undefined
  }

  /** Place of the first failed pull; -1 when there is none, as mostly. */
  #firstFailed(): number {
    return this.#failed === 0 ? -1 : this.#pulls.findIndex(({ state }) => state === 'failed')
  }

  /** Forgets a pull, whose transfer may still run. */
  #forget(pull: OpenPull<P>): void {
    const running = this.#running.get(pull.update)?.map((one) => (one === pull ? undefined : one)) ?? []
    if (running.some((one) => one !== undefined)) this.#running.set(pull.update, running)
    else this.#running.delete(pull.update)
  }

  #endCarried(carried: Carried<P>, update: string, delivered: boolean): void {
    const at = carried.updates.indexOf(update)
    if (at === -1) return
    carried.updates.splice(at, 1)
    carried.failed ||= !delivered
    if (carried.updates.length === 0 && !carried.failed) this.#carried = undefined
  }
}

function isRunning({ state }: OpenPull<unknown>): boolean {
  return state === 'running'
}

/** Whether a value, which may be anything, is {@link CarriedPulls}; its position is for the inlet to check. */
export function isCarriedPulls(value: unknown): value is CarriedPulls<unknown> {
  if (typeof value !== 'object' || value === null || !('start' in value)) return false
  const { updates, records } = value as { readonly [key: string]: unknown }
  return Array.isArray(updates) && updates.every((one) => typeof one === 'string') && typeof records === 'number'
}
