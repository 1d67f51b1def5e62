import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { ConfigError, InvalidOptionError } from '../base/errors.js'
import { nearFile } from '../base/near-file.js'

/** Names of configuration files that are looked for. */
export const CONFIG_FILES = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((extension) => `databay.config.${extension}`)

/**
 * Path of the configuration file in a folder; `undefined` when there is none.
 *
 * @throws {@link ConfigError} when there are several
 */
export function findConfig(folder: string): string | undefined {
  const [found, other] = CONFIG_FILES.filter((name) => existsSync(path.join(folder, name)))
  if (found === undefined) return undefined
  if (other !== undefined) {
    throw new ConfigError(found, `there is ${other} beside it: keep one of them, or name the one to take with --config`)
  }
  return path.join(folder, found)
}

/**
 * Path of a configuration file that was named.
 *
 * @param option - what named it, for the error
 * @throws {@link InvalidOptionError} when there is no such file
 */
export function namedConfig(option: string, file: string): string {
  const full = path.resolve(file)
  const found = statSync(full, { throwIfNoEntry: false })
  if (found === undefined) {
    throw new InvalidOptionError(option, 'a configuration file that exists', file, { hint: nearFile(full) })
  }
  if (!found.isFile()) throw new InvalidOptionError(option, 'a configuration file', file)
  return full
}

/** A path as messages show it: from the working folder, if the file lies in it. */
export function shownPath(file: string): string {
  const relative = path.relative('', file)
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative) ? file : relative
}
