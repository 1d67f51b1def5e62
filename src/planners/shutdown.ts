import { StopLimit } from './stop-limit.js'

/** Time that buffers have to release what they hold when transfers are not waited for, in milliseconds. */
const BRIEFLY = 1000

/** How a planner is to shut down: whether transfers may end, and buffers release what they hold. */
export interface ShutdownRequest {
  readonly wait?: boolean
  readonly drain?: boolean | undefined
}

/** Shutdown of a planner, from its start on: how it was asked for so far, and the time that it may take. */
export class Shutdown {
  readonly #cancelTransfers: (why: string) => void
  #wait = true
  #drain: boolean
  #limit = new StopLimit(Infinity)

  /**
   * @param drain - whether buffers release what they hold unless it is asked otherwise
   * @param cancelTransfers - tells running transfers to stop
   */
  constructor(drain: boolean, cancelTransfers: (why: string) => void) {
    this.#drain = drain
    this.#cancelTransfers = cancelTransfers
  }

  /** Whether running transfers may end. */
  get wait(): boolean {
    return this.#wait
  }

  /** Whether buffers release what they hold. */
  get drain(): boolean {
    return this.#drain
  }

  /** The time that is left. Endless until the shutdown begins. */
  get limit(): StopLimit {
    return this.#limit
  }

  /** Takes a request for the shutdown, also while it is under way. A request not to wait is not taken back by a later one. */
  request({ wait = true, drain = this.#drain }: ShutdownRequest): void {
    this.#wait &&= wait
    this.#drain = drain
    if (!wait) this.#cancel()
  }

  /**
   * Begins the time that the shutdown may take: shortly before it is over, transfers are told to stop.
   *
   * @param timeout - in milliseconds
   */
  begin(timeout: number): void {
    this.#limit = new StopLimit(timeout, () => {
      this.#cancelTransfers('the time for the shutdown is nearly over')
    })
  }

  /** Waits for running transfers to end; tells them to stop when they are not to be waited for. */
  async letEnd<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#wait) this.#cancel()
    return work()
  }

  /** Waits for work that makes transfers of its own, such as draining; briefly when transfers are not to be waited for. */
  async letWork<T>(work: () => Promise<T>): Promise<T> {
    const timer = this.#wait
      ? undefined
      : setTimeout(() => {
          this.#cancel()
        }, BRIEFLY)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
    }
  }

  #cancel(): void {
    this.#cancelTransfers('the planner shuts down without waiting')
  }
}
