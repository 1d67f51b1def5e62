import { adoptLogLevels, logDestination, logLevels, setLogDestination, setLogLevel } from '../base/log.js'

/** Captures everything that is logged, at any level, instead of its usual destination. A process has one log. */
export function captureLog(): LogCapture {
  const lines: string[] = []
  const levels = logLevels()
  const destination = logDestination()
  setLogDestination({ write: (line) => lines.push(line) })
  setLogLevel('trace')
  return {
    lines,
    restore: () => {
      setLogDestination(destination)
      adoptLogLevels(levels)
    },
  }
}

/** Captured log. */
export interface LogCapture {
  readonly lines: readonly string[]
  /** Gives the log back to its usual destination. */
  restore(): void
}
