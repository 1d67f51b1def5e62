import { setImmediate as nextTurn } from 'node:timers/promises'
import { LONGEST_TIMER } from '../base/duration.js'
import type { Waits } from './transfer/waits.js'

/** Time that a stream which is told to end has for it, where no planner says otherwise, in milliseconds. */
export const STREAM_GRACE = 1000

/** Timers of this thread's event loop. */
export function eventLoopWaits(grace: number): Waits {
  return {
    grace,
    now: () => performance.now(),
    turn: () => nextTurn(),
    after: (milliseconds, work) => {
      const timer = setTimeout(work, Math.min(milliseconds, LONGEST_TIMER))
      return () => {
        clearTimeout(timer)
      }
    },
  }
}
