import { adoptLogLevels, logDestination, logLevels, setLogDestination, setLogLevel } from '../base/log.js'

/** Keeps everything that is logged, at any level, from where it goes otherwise. Logging is one for the process. */
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

export interface LogCapture {
  readonly lines: readonly string[]
  /** Lets the log go where it went before. */
  restore(): void
}
