import { LONGEST_TIMER } from '../base/duration.js'
import { TransferError } from '../core/report.js'

export type State = 'idle' | 'starting' | 'running' | 'stopping'

/** How long buffers may take to release what they hold when nobody waits for transfers, in milliseconds. */
export const HURRIED_DRAIN = 1000

/** Keeps the process up while a planner runs, also when nothing is scheduled. Gives how to let go. */
export function stayUp(): () => void {
  const timer = setInterval(() => undefined, LONGEST_TIMER)
  return () => {
    clearInterval(timer)
  }
}

/** Whether nothing is wrong with a transfer but that it was told to stop. */
export function isCancelled(error: Error): boolean {
  return (
    error instanceof TransferError && error.report.errors.every(({ code }) => code === 'DATABAY_TRANSFER_CANCELLED')
  )
}
