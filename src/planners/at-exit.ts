import { LONGEST_TIMER } from '../base/duration.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Mark of the signal handler of a planner that shuts down because of a signal. */
const STOPPING = Symbol.for('databay.stopping')

/**
 * Time that the process stays up for a signal that it sent itself, in milliseconds. If there are other listeners, the signal
 * comes by the event loop, which may have nothing left to wait for.
 */
const DELIVERY = 100

/** A planner, as far as the end of the process concerns it. */
interface Stoppable {
  shutdown(): Promise<void>
}

/**
 * Shuts a planner down when the process is told to end or has nothing left to do. When the last planner has shut down
 * after a signal, the process ends as that signal would have ended it; a second signal ends it at once.
 *
 * @returns a function that removes the handlers
 */
export function shutdownAtExit(planner: Stoppable): () => void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    const end = () => {
      remove()
      const others = process.listeners(signal).some((listener) => STOPPING in listener)
      if (others) return
      process.kill(process.pid, signal)
      setTimeout(() => undefined, DELIVERY)
    }
    if (stopping) {
      end()
      return
    }
    stopping = true
    Object.assign(onSignal, { [STOPPING]: true })
    planner.shutdown().then(end, end)
  }
  const onBeforeExit = () => {
    remove()
    planner.shutdown().catch(() => undefined) // `finished` tells
  }
  const remove = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
    process.off('beforeExit', onBeforeExit)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
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
