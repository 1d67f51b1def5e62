import { InvalidOptionError } from '../base/errors.js'
import { hintAt } from '../base/suggestion.js'
import { PLANNER_KEYS } from './check-config.js'

/** Environment of a process. */
export type Environment = { readonly [name: string]: string | undefined }

const PREFIX = 'DATABAY_'

/** Variables that choose a configuration, beside those that stand for an option of planners. */
export const CONFIG_VARIABLE = `${PREFIX}CONFIG`
export const PROFILE_VARIABLE = `${PREFIX}PROFILE`

/** Variable that stands for an option of planners: `DATABAY_HANG_TIMEOUT` for `hangTimeout`. */
export function variableOf(option: string): string {
  return `${PREFIX}${option.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/**
 * Options of planners that the environment says. A text is read as JSON where it is a number, `true`, `false`, a list or an
 * object, unless the option wants a text. An empty one says nothing.
 *
 * @throws {@link InvalidOptionError} that names the variable
 */
export function plannerOf(environment: Environment): { readonly [option: string]: unknown } {
  const given = Object.keys(PLANNER_KEYS).flatMap((option) => {
    const text = environment[variableOf(option)]
    return text === undefined || text === '' ? [] : [[option, valueOf(option, text)]]
  })
  return Object.fromEntries(given) as { readonly [option: string]: unknown }
}

function valueOf(option: string, text: string): unknown {
  const value = parsed(text)
  try {
    read(option, value)
    return value
  } catch (error) {
    if (value === text) throw error
    try {
      read(option, text)
      return text
    } catch {
      throw error
    }
  }
}

function read(option: string, value: unknown): void {
  PLANNER_KEYS[option]?.read(variableOf(option), value as never)
}

function parsed(text: string): unknown {
  if (text === 'Infinity') return Infinity
  if (!/^\s*(true|false|-?\d|\[|\{)/.test(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** Variables that look as if they were meant for an option, with what was probably meant. */
export function misspelt(environment: Environment): { readonly name: string; readonly hint: string }[] {
  const known = [CONFIG_VARIABLE, PROFILE_VARIABLE, ...Object.keys(PLANNER_KEYS).map(variableOf)]
  const bare = known.map((name) => name.slice(PREFIX.length))
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith(PREFIX) || known.includes(name)) return []
    const hint = hintAt(name.slice(PREFIX.length), bare)
    return hint === undefined ? [] : [{ name, hint: hint.replace('did you mean ', `did you mean ${PREFIX}`) }]
  })
}

/** @throws {@link InvalidOptionError} unless it is a name */
export function checkProfileName(option: string, name: string): string {
  if (name.trim() === '') throw new InvalidOptionError(option, 'the name of a profile', name)
  return name
}
