import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError } from '../base/errors.js'
import { LOG_LEVELS, type LogLevel } from '../base/log.js'
import { moduleUrl } from '../threads/protocol/module-url.js'

/** What `databay run` is told to do, checked. What was left out is `undefined`. */
export interface RunArguments {
  readonly command: 'run'
  /** URLs of the link modules. */
  readonly modules: readonly string[]
  readonly threads: number | undefined
  readonly transfersPerThread: number | undefined
  /** Whether each link makes one transfer, now. */
  readonly once: boolean
  readonly transfers: number | undefined
  readonly ignoreExceptions: boolean
  readonly immediateTransfer: boolean
  readonly logLevel: LogLevel | undefined
  readonly json: boolean
  /** Whether modules are loaded anew when their code changes. */
  readonly watch: boolean
  /** Further files and folders whose changes count. */
  readonly watchPaths: readonly string[]
}

/*
 * Checks of single arguments. Each throws an InvalidOptionError that names the argument as it is typed.
 */

/** An integer of at least 1, written in digits only: `1e3` is more likely a slip than meant. */
export function checkCount(option: string, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidOptionError(option, 'an integer of at least 1', text)
  }
  return value
}

export function checkLogLevel(option: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text)
  if (level === undefined) throw new InvalidOptionError(option, `one of ${LOG_LEVELS.join(', ')}`, text)
  return level
}

/** A file or folder to watch, which must be there. */
export function checkWatchPath(option: string, text: string): string {
  if (!existsSync(text)) throw new InvalidOptionError(option, 'a file or folder that exists', text)
  return text
}

/** The URL of a link module, which must be a file that is there. Whether it can be loaded is seen later. */
export function checkModule(argument: string, text: string): string {
  const url = moduleUrl(argument, text)
  const file = isFile(argument, url, text)
  if (file === undefined) throw new InvalidOptionError(argument, 'a link module that exists', text)
  if (!file) throw new InvalidOptionError(argument, 'a link module, which is a file', text)
  return url
}

/** `undefined` when there is nothing. */
function isFile(argument: string, url: string, text: string): boolean | undefined {
  try {
    return statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile()
  } catch (cause) {
    throw new InvalidOptionError(argument, 'a link module that can be read', text, { cause })
  }
}
