import { afterSameWish, STOP_SIGNALS, StopWish, type StopSignal } from '../base/stop-signals.js'
import type { SignalSource } from './process-context.js'

/** Actions that signals ask for. */
export interface SignalActions {
  /** Called at the first signal. */
  stop(signal: StopSignal): void
  /** Called at each signal that asks again: those within a second of the first are the same wish. */
  stopAtOnce(signal: StopSignal): void
}

/**
 * Listens to signals, until the returned function is called. Even then a signal that is the same wish as the first does not
 * end the process, which ends in order by itself.
 *
 * @param later - calls back when a further signal asks again
 */
export function onSignals(source: SignalSource, actions: SignalActions, later = afterSameWish): () => void {
  let isOver = false
  const wish = new StopWish((call) => {
    later(() => {
      call()
      if (isOver) unlisten()
    })
  })
  const onSignal = (signal: StopSignal) => {
    const asked = wish.hear()
    if (asked === 'stop') actions.stop(signal)
    else if (asked === 'at once') actions.stopAtOnce(signal)
  }
  const unlisten = () => {
    for (const signal of STOP_SIGNALS) source.off(signal, onSignal)
  }
  for (const signal of STOP_SIGNALS) source.on(signal, onSignal)
  return () => {
    isOver = true
    if (!wish.isFresh) unlisten()
  }
}
