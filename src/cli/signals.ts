import { constants } from 'node:os'
import type { SignalSource, StopSignal } from './process-context.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const satisfies StopSignal[]

/** What signals ask for. */
export interface SignalActions {
  /** At the first signal. */
  stop(signal: StopSignal): void
  /** At any further one. */
  stopAtOnce(signal: StopSignal): void
}

export interface Heeding {
  /**
   * Within how many milliseconds a repeated SIGINT is the same Ctrl-C, come twice: the terminal sends it to the command
   * and to the npm that started it, and npm passes it on.
   * @default 0
   */
  readonly echo?: number
  /**
   * A clock in milliseconds.
   * @default performance.now
   */
  readonly now?: () => number
}

/** Heeds signals, until the returned function is called. */
export function heedSignals(source: SignalSource, actions: SignalActions, heeding: Heeding = {}): () => void {
  const { echo = 0, now = () => performance.now() } = heeding
  let first: { readonly signal: StopSignal; readonly time: number } | undefined
  const onSignal = (signal: StopSignal) => {
    if (first === undefined) {
      first = { signal, time: now() }
      actions.stop(signal)
    } else if (signal !== 'SIGINT' || first.signal !== 'SIGINT' || now() - first.time >= echo) {
      actions.stopAtOnce(signal)
    }
  }
  for (const signal of SIGNALS) source.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) source.off(signal, onSignal)
  }
}

/** The exit code of a process that a signal has ended, as shells have it. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}
