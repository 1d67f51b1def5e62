import { InvalidOptionError } from './errors.js'

/*
 * Checks of the options of connectors, made when one is constructed, so that nothing invalid reaches a transfer.
 * Each throws an InvalidOptionError that starts with the connector: `FileInlet.encoding: expected …`.
 */

/**
 * The options themselves: an object, with no option that the connector does not know. A misspelt option that is
 * silently ignored is a default that nobody chose.
 */
export function checkOptions<O extends object>(connector: string, options: O, known: readonly (keyof O & string)[]): O {
  if (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options)) {
    throw new InvalidOptionError(`${connector}.options`, 'an object', options)
  }
  for (const name of Object.keys(options)) {
    if (!known.some((one) => one === name)) {
      throw new InvalidOptionError(`${connector}.${name}`, `one of the options ${known.join(', ')}`, name)
    }
  }
  return options
}

/** A path: a string that is not empty and holds no NUL. */
export function checkPath(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw new InvalidOptionError(option, 'a path', value)
  }
  return value
}

export function checkFlag(option: string, value: boolean | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise
  if (typeof value !== 'boolean') throw new InvalidOptionError(option, 'a boolean', value)
  return value
}

/** One of a few words. */
export function checkWord<W extends string>(option: string, value: unknown, words: readonly W[], otherwise: W): W {
  if (value === undefined) return otherwise
  const word = words.find((known) => known === value)
  if (word === undefined) {
    throw new InvalidOptionError(option, `one of ${words.map((known) => `'${known}'`).join(', ')}`, value)
  }
  return word
}

/** An integer of at least 1. */
export function checkPositive(option: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidOptionError(option, 'an integer of at least 1', value)
  }
  return value
}
