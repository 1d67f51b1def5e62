import { constants } from 'node:os'
import type { SignalSource, StopSignal } from './process-context.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const satisfies StopSignal[]

/** Actions that signals ask for. */
export interface SignalActions {
  /** Called at the first signal. */
  stop(signal: StopSignal): void
  /** Called at each further signal. */
  stopAtOnce(signal: StopSignal): void
}

export interface SignalOptions {
  /**
   * Time within which a repeated SIGINT is the same Ctrl-C, in milliseconds: the terminal sends it to the command and to the
   * npm that started the command, and npm passes it on.
   * @default 0
   */
  readonly echo?: number
  /**
   * Clock, in milliseconds.
   * @default performance.now
   */
  readonly now?: () => number
}

/** Listens to signals, until the returned function is called. */
export function onSignals(source: SignalSource, actions: SignalActions, options: SignalOptions = {}): () => void {
  const { echo = 0, now = () => performance.now() } = options
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

/** Exit code of a process that a signal has ended, as shells have it. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}
