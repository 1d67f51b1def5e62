/** Timers that a transfer is given: it has none of its own. */
export interface Waits {
  /** Most time that is waited for what is told to end, in milliseconds: see `timeoutGrace` of planners. */
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

/** Waits for something as long as the grace. Gives whether it has ended by then; rejects as it does. */
export async function endsInGrace(work: Promise<unknown>, waits: Waits): Promise<boolean> {
  let stopTimer: () => void = () => undefined
  const late = new Promise<boolean>((resolve) => {
    stopTimer = waits.after(waits.grace, () => {
      resolve(false)
    })
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    stopTimer()
  }
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
