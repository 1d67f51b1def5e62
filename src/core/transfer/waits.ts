/** Timers that a transfer is given: it has none of its own. */
export interface Waits {
  /** Most time that is waited for a stream that is told to end, in milliseconds: see `WorkerPlannerOptions`. */
  readonly grace: number
  /** Time of a clock that never jumps, in milliseconds. */
  now(): number
  /** Resolves when the event loop has turned, so that whatever else is due has had its turn. */
  turn(): Promise<void>
  /**
   * Calls a function later.
   *
   * @returns a function that prevents it
   */
  after(milliseconds: number, work: () => void): () => void
}

/** Waits of a transfer that was given none: nothing is waited for. */
export const NO_WAITS: Waits = {
  grace: 0,
  now: () => 0,
  turn: () => Promise.resolve(),
  after: (milliseconds, work) => {
    if (milliseconds === 0) queueMicrotask(work)
    return () => undefined
  },
}
