import { classAdvice, InvalidOptionError } from '../base/errors.js'
import { LONGEST_TIMER } from '../base/duration.js'
import { getLogger } from '../base/log.js'
import { signalThisProcess, STOP_SIGNALS, StopWish } from '../base/stop-signals.js'

/** Mark of the signal handler of a planner that shuts down because of a signal. */
const STOPPING = Symbol.for('databay.stopping')

/**
 * Time that the process stays up for a signal that it sent itself, in milliseconds. If there are other listeners, the signal
 * comes by the event loop, which may have nothing left to wait for.
 */
const DELIVERY = 100

const ENDED_AT_ONCE = '%s once more: the process ends at once, and what its links hold is lost'

/** A planner, as far as the end of the process concerns it. */
interface Stoppable {
  shutdown(): Promise<void>
}

/**
 * Shuts a planner down when the process is told to end or has nothing left to do. When the last planner has shut down
 * after a signal, the process ends as that signal would have ended it. Further signals within a second are the same wish;
 * a later one ends the process at once.
 *
 * @returns a function that removes the handlers
 * @throws {@link InvalidOptionError} when it is no planner
 */
export function shutdownAtExit(planner: Stoppable): () => void {
  if (typeof (planner as { readonly shutdown?: unknown } | undefined)?.shutdown !== 'function')
    throw new InvalidOptionError('planner', 'a planner', planner, { hint: classAdvice(planner) })
  const wish = new StopWish()
  const onSignal = (signal: NodeJS.Signals) => {
    const end = (atOnce: boolean) => {
      remove()
      const others = process.listeners(signal).some((listener) => STOPPING in listener)
      if (others) return
      if (atOnce) getLogger('databay.BasePlanner').warn(ENDED_AT_ONCE, signal)
      signalThisProcess(signal)
      setTimeout(() => undefined, DELIVERY)
    }
    const asked = wish.hear()
    if (asked === 'at once') end(true)
    if (asked !== 'stop') return
    Object.assign(onSignal, { [STOPPING]: true })
    const ended = () => {
      end(false)
    }
    planner.shutdown().then(ended, ended)
  }
  const onBeforeExit = () => {
    // signals are still listened to: the first of them must not cut this short
    process.off('beforeExit', onBeforeExit)
    planner.shutdown().catch(() => undefined) // `finished` tells
  }
  const remove = () => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal)
    process.off('beforeExit', onBeforeExit)
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal)
  process.on('beforeExit', onBeforeExit)
  return remove
}

/**
 * Keeps the process up while a planner runs, also when nothing is scheduled.
 *
 * @returns a function that lets go of it
 */
export function stayUp(): () => void {
  const timer = setInterval(() => undefined, LONGEST_TIMER)
  return () => {
    clearInterval(timer)
  }
}
