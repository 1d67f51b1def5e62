/**
 * Query for the transactions that write to a table from which the connection reads, as far as it has locked its tables: each of
 * them has locked it too, before it took a value of a sequence. Also those of a partition, and of the tables of a view.
 */
export const WRITERS = `
  SELECT DISTINCT writer.virtualtransaction AS writer
  FROM pg_locks AS own JOIN pg_locks AS writer ON writer.relation = own.relation AND writer.database = own.database
  WHERE own.pid = pg_backend_pid() AND own.locktype = 'relation' AND writer.locktype = 'relation'
    AND writer.mode = 'RowExclusiveLock' AND writer.pid IS DISTINCT FROM own.pid`

/** Value up to which rows may be read once nobody can add any before it. */
interface Fence {
  readonly bound: string
  /** When it was noted, in milliseconds of a steady clock. */
  readonly at: number
  /** Transactions that wrote then, and have not ended. */
  writers: ReadonlySet<string>
}

/** Most fences that are kept: one a transfer, while transactions last. */
const MOST = 64

/**
 * Values of the cursor column up to which all rows are committed. A transaction takes a value, such as the next of a sequence, and
 * commits its row later, when rows with greater values may have been read. So the greatest value is noted, then the
 * transactions that write, and rows up to that value are read when these have ended:
 *
 * ```
 *   writer a   ---- 7 --------------------- commit
 *   writer b   -------- 8 -- commit
 *   inlet                        ^ notes 8, and that a writes: reads nothing after 6
 *                                                   ^ a has ended: reads 7 and 8
 * ```
 *
 * Time is passed in.
 */
export class Settling {
  readonly #settle: number
  #fences: Fence[] = []
  #bound: string | undefined

  /** @param settle - least age of a noted value, in milliseconds */
  constructor(settle: number) {
    this.#settle = settle
  }

  /** Value up to which rows may be read; `undefined` when there is none yet. */
  get bound(): string | undefined {
    return this.#bound
  }

  /** Number of transactions that are waited for. */
  get writers(): number {
    return new Set(this.#fences.flatMap(({ writers }) => [...writers])).size
  }

  /** When the oldest value was noted that is waited for; `undefined` when there is none. */
  get since(): number | undefined {
    return this.#fences[0]?.at
  }

  /**
   * Time until the oldest noted value has its age, in milliseconds; `undefined` when none lacks it.
   *
   * @param value - value up to which rows were read
   */
  wait(now: number, value: string | undefined): number | undefined {
    const oldest = this.#fences.find(({ bound }) => bound !== value)
    const left = oldest === undefined ? 0 : oldest.at + this.#settle - now
    return left > 0 ? left : undefined
  }

  /**
   * Notes the greatest value, and then who writes.
   *
   * @param bound - `undefined` when there are no rows
   */
  note(bound: string | undefined, writers: ReadonlySet<string>, now: number): void {
    for (const fence of this.#fences) fence.writers = new Set([...fence.writers].filter((one) => writers.has(one)))
    const last = this.#fences.at(-1)?.bound ?? this.#bound
    if (bound !== undefined && bound !== last && this.#fences.length < MOST) {
      this.#fences.push({ bound, at: now, writers })
    }
    const settled = this.#fences.findLastIndex((fence) => fence.writers.size === 0 && fence.at + this.#settle <= now)
    if (settled === -1) return
    this.#bound = this.#fences[settled]?.bound
    this.#fences = this.#fences.slice(settled + 1)
  }
}
