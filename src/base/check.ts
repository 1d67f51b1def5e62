import { InvalidOptionError } from './errors.js'

/*
 * Checks of options and arguments, made where they come in, so that nothing invalid reaches a transfer. Each throws an
 * InvalidOptionError that names the option, what was expected and what came. Options of a connector are named with it:
 * `FileInlet.encoding: expected ...`.
 */

/** An object, and no array. */
export function checkObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    // a text in the place of options, such as a URL, may hold a secret
    throw new InvalidOptionError(option, 'an object', typeof value === 'string' ? 'string' : value)
  }
}

/** A path: a string that is not empty and holds no NUL. */
export function checkPath(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    const [, owner] = /^(\w+)\.filepath$/.exec(option) ?? []
    const isObject = typeof value === 'object' && value !== null
    const hint = owner && isObject ? `the path comes first, as in new ${owner}(path, { ... })` : undefined
    throw new InvalidOptionError(option, 'a path', value, { hint })
  }
  return value
}

/**
 * A name that is read in logs, commands and files, or is none: text on one line, without white space at its ends.
 *
 * @returns what was given
 */
export function checkName(option: string, name: string | undefined): string | undefined {
  if (name === undefined || (typeof name === 'string' && NAME.test(name) && !HALF.test(name))) return name
  const expected = 'a string of 1 to 200 characters, without white space at its ends or control characters'
  throw new InvalidOptionError(option, expected, name)
}

const NAME = /^(?!\s)[^\x00-\x1f\x7f]{1,200}(?<!\s)$/

/** Half of a character: two names that differ in it alone are the same once they are written. */
const HALF = /\p{Surrogate}/u

/** One of a few words. */
export function checkWord<W extends string>(option: string, value: unknown, words: readonly W[], otherwise: W): W {
  if (value === undefined) return otherwise
  const word = words.find((known) => known === value)
  if (word === undefined) {
    throw new InvalidOptionError(option, `one of ${words.map((known) => `'${known}'`).join(', ')}`, value)
  }
  return word
}
