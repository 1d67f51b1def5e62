import type { Test } from 'tap'
import { adoptLogLevels, logLevels, setLogDestination, setLogLevel, type LogLevel } from '../../src/base/log.js'

/** Log line as parsed JSON. */
export interface LogEntry {
  readonly level: number
  readonly time: number
  readonly name: string
  readonly msg: string
  readonly err?: { readonly message: string; readonly stack?: string }
  readonly thread?: number
}

/** Captures the log until the test ends, when levels and destination are restored. */
export function captureLogs(t: Test, level: LogLevel = 'warn') {
  const lines: string[] = []
  const before = logLevels()
  setLogDestination({ write: (line) => lines.push(line) })
  setLogLevel(level)
  t.teardown(() => {
    setLogDestination(undefined)
    adoptLogLevels(before)
  })
  const entries = () => lines.map((line) => JSON.parse(line) as LogEntry)
  return { lines, entries, messages: () => entries().map((entry) => entry.msg) }
}
