const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** What is to be shut down when the process ends. */
interface Stoppable {
  shutdown(): Promise<void>
}

/**
 * Shuts a planner down when the process is told to end or has nothing left to do. After a signal the process then ends
 * as that signal would have ended it; a second signal ends it at once.
 *
 * @returns a function that takes the handlers away again
 */
export function shutdownAtExit(planner: Stoppable): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    remove()
    const end = () => process.kill(process.pid, signal)
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
