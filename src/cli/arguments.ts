import { existsSync } from 'node:fs'
import { Option } from 'commander'
import { InvalidOptionError } from '../base/errors.js'
import { LOG_LEVELS, type LogLevel } from '../base/log.js'
import { existingModule } from '../config/modules.js'
import { LinkSelection } from '../core/link-selection.js'
import { checkThreads } from '../planners/most-threads.js'

/*
 * Checks of single arguments. Each throws an InvalidOptionError that names the argument as it is typed.
 */

/** Reads an integer of at least 1, written in digits only: `1e3` is more likely a slip than meant. */
export function checkCount(option: string, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidOptionError(option, 'an integer of at least 1', text)
  }
  return value
}

/** Reads a number of threads, of which the machine can have only so many. */
export function checkThreadCount(option: string, text: string): number {
  return checkThreads(option, checkCount(option, text))
}

/** Reads a log level. */
export function checkLogLevel(option: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text)
  if (level === undefined) throw new InvalidOptionError(option, `one of ${LOG_LEVELS.join(', ')}`, text)
  return level
}

/** Reads a file or folder to watch, which must exist. */
export function checkWatchPath(option: string, text: string): string {
  if (!existsSync(text)) throw new InvalidOptionError(option, 'a file or folder that exists', text)
  return text
}

/** Reads a link module, which must be a file that exists, as a URL. Whether it can be loaded is seen later. */
export function checkModule(argument: string, text: string): string {
  return existingModule(argument, text)
}

/*
 * Arguments that commands share.
 */

/** Adds a link module to the ones before it, each of which is there once. */
export function addModule(text: string, before: readonly string[] | undefined): readonly string[] {
  const module = checkModule('<link-module>', text)
  if (before?.includes(module) === true) throw new InvalidOptionError('<link-module>', 'each link module once', text)
  return [...(before ?? []), module]
}

/**
 * Makes an option with a value.
 *
 * @param flags - as in `--threads <n>`
 * @param check - reads the value, or throws an error that names the option
 */
export function valued(flags: string, description: string, check: (option: string, text: string) => unknown): Option {
  return new Option(flags, description).argParser((text: string) => check(flags.replace(/ .*/, ''), text))
}

/** Makes the option `--no-color`. */
export function noColorOption(): Option {
  return new Option('--no-color', 'no colours, as with NO_COLOR in the environment')
}

/** Makes the options that choose some links of the modules: `--link` and `--tag`. */
export function selectionOptions(): Option[] {
  return [
    new Option('--link <id>', 'only the link with this id; can be given several times').argParser(addName),
    new Option('--tag <tag>', 'only links with this tag; can be given several times').argParser(addName),
  ]
}

/** Values of {@link selectionOptions}. */
export interface SelectionFlags {
  readonly link?: readonly string[]
  readonly tag?: readonly string[]
}

/** Selection that {@link selectionOptions} ask for. */
export function selectionOf({ link = [], tag = [] }: SelectionFlags): LinkSelection {
  return new LinkSelection(link, tag)
}

/** Adds a name to those that an option was given before. */
export function addName(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** Examples at the end of a command's help: each a line, and what it does. */
export function examples(lines: readonly (readonly [line: string, does: string])[]): string {
  const width = Math.max(...lines.map(([line]) => line.length))
  return `\nExamples:\n${lines.map(([line, does]) => `  ${line.padEnd(width)}   ${does}`).join('\n')}\n`
}

/** Makes the option `--log-level`. */
export function logLevelOption(byDefault: LogLevel): Option {
  const description = `least severity that is logged: ${LOG_LEVELS.join(', ')} (default: ${byDefault})`
  return valued('--log-level <level>', description, checkLogLevel)
}
