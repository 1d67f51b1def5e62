import { checkObject, checkPath } from './check.js'
import { type Duration, LONGEST_TIMER, toMilliseconds } from './duration.js'
import { InvalidOptionError, isClass } from './errors.js'
import { isSecret } from './secret.js'
import { hintAt } from './suggestion.js'

/**
 * One option: how its value is read, and what the docs say of it.
 *
 * @typeParam I - what users may give
 * @typeParam O - what the code goes by
 */
export interface Option<I, O> {
  /**
   * Reads what was given; `undefined` when nothing was.
   *
   * @param name - name of the option, for the error
   * @throws {@link InvalidOptionError}
   */
  readonly read: (name: string, value: I | undefined) => O
  /** Default as the docs show it; `undefined` when the option is needed, or has none. */
  readonly byDefault: string | undefined
  /** Whether the value is a path: one in a configuration file is relative to the file. */
  readonly isPath?: boolean
}

/** A table with one row for each option of `T`: the compiler sees to it that none is missing and none is too many. */
export type Spec<T> = { readonly [K in keyof T]-?: Option<never, unknown> & Accepts<Exclude<T[K], undefined>> }

/** A row that reads values of type `I`. */
interface Accepts<I> {
  readonly read: (name: string, value: I | undefined) => unknown
}

/** Any table of options. */
export type AnySpec = { readonly [name: string]: Option<never, unknown> }

/** The values that reading a table gives. */
export type Resolved<S extends AnySpec> = { readonly [K in keyof S]: ReturnType<S[K]['read']> }

/**
 * Reads options by their table.
 *
 * @param owner - the connector whose options these are, for the error; `undefined` where that is clear
 * @param others - names of options that may be among them, and are read elsewhere
 * @returns every option of the table, defaults included
 * @throws {@link InvalidOptionError} naming the option, what was expected and what came
 */
export function resolveOptions<S extends AnySpec>(
  owner: string | undefined,
  options: object,
  table: S,
  others: readonly string[] = [],
): Resolved<S> {
  checkGiven(owner, options, table)
  // a list of all names is made only for the error: thousands of links may be made at once
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(table, name) && !others.includes(name))
      checkNames(owner, options, [...Object.keys(table), ...others])
  }
  const resolved: { [name: string]: unknown } = {}
  for (const name in table) {
    resolved[name] = table[name]?.read(named(owner, name), (options as { readonly [name: string]: never })[name])
  }
  return resolved as Resolved<S>
}

/**
 * The options themselves: an object without a name that is not known. A misspelt option that is silently ignored is a
 * default that nobody has chosen.
 *
 * @param owner - the connector whose options these are, for the error; `undefined` where that is clear
 * @throws {@link InvalidOptionError}
 */
export function checkNames<T extends object>(owner: string | undefined, options: T, known: readonly string[]): T {
  checkGiven(owner, options)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const [meant, all] = [hintAt(name, known), known.join(', ')]
    if (meant === undefined) throw new InvalidOptionError(named(owner, name), `one of the options ${all}`, name)
    // what was meant goes before a list that may be long
    throw new InvalidOptionError(named(owner, name), 'one of the options', name, { hint: `${meant} They are ${all}` })
  }
  return options
}

/** Checks that options are an object. Connectors differ in what comes first, an address or the options. */
function checkGiven(owner: string | undefined, options: unknown, table: AnySpec = {}): void {
  // options within an option have its name
  const option = owner === undefined || /^[A-Z]\w*$/.test(owner) ? named(owner, 'options') : owner
  const isAddress = typeof options === 'string' || options instanceof URL || isSecret(options)
  if (!isAddress) {
    checkObject(option, options)
    return
  }
  const address = ['url', 'bucket'].find((name) => Object.hasOwn(table, name))
  const hint = address && `give it as an option, as in new ${owner ?? ''}({ ${address}: ... })`
  const got = typeof options === 'string' ? 'string' : isSecret(options) ? 'a secret' : 'a URL'
  throw new InvalidOptionError(option, 'an object', got, { hint })
}

function named(owner: string | undefined, name: string): string {
  return owner === undefined ? name : `${owner}.${name}`
}

/**
 * `true` or `false`.
 *
 * @param shown - default as the docs show it
 */
export function flag<D extends boolean | undefined>(
  byDefault: D,
  shown = String(byDefault),
): Option<boolean, boolean | D> {
  return {
    byDefault: shown,
    read: (name, value) => {
      if (value === undefined) return byDefault
      if (typeof value !== 'boolean') throw new InvalidOptionError(name, 'a boolean', value)
      return value
    },
  }
}

/**
 * An integer of at least 1.
 *
 * @param byDefault - a number, or a function where it depends on the machine
 */
export function count<D extends number | undefined>(
  byDefault: D | (() => D),
  { least = 1, orInfinity = false, shown = String(byDefault) }: CountLimits = {},
): Option<number, number | D> {
  return {
    byDefault: shown,
    read: (name, value) => {
      if (value === undefined) return typeof byDefault === 'function' ? byDefault() : byDefault
      if (orInfinity && value === Infinity) return value
      if (!Number.isSafeInteger(value) || value < least)
        throw new InvalidOptionError(name, `an integer of at least ${least}${orInfinity ? ', or Infinity' : ''}`, value)
      return value
    },
  }
}

interface CountLimits {
  /** @default 1 */
  readonly least?: number
  /** Whether `Infinity` is one too. */
  readonly orInfinity?: boolean
  /** Default as the docs show it. */
  readonly shown?: string
}

/**
 * A length of time, as a number of seconds or a duration, read as milliseconds. `Infinity` is for ever.
 *
 * @param shown - default as the docs show it
 */
export function time(byDefault: number, shown = String(byDefault / 1000)): Option<number | Duration, number> {
  return {
    byDefault: shown,
    read: (name, value) => {
      if (value === undefined) return byDefault
      return value === Infinity ? Infinity : toMilliseconds(name, value)
    },
  }
}

/** A length of time that need not be given, read as milliseconds. */
export const optionalTime: Option<number | Duration, number | undefined> = {
  byDefault: 'undefined',
  read: (name, value) => (value === undefined ? undefined : toMilliseconds(name, value)),
}

/**
 * A length of time that a timer can keep, as a number of seconds or a duration, read as milliseconds.
 *
 * @param shown - default as the docs show it
 */
export function timer<D extends number | undefined>(
  byDefault: D,
  shown = byDefault === undefined ? 'undefined' : String(byDefault / 1000),
): Option<number | Duration, number | D> {
  return {
    byDefault: shown,
    read: (name, value) => {
      if (value === undefined) return byDefault
      const milliseconds = toMilliseconds(name, value)
      if (milliseconds > LONGEST_TIMER) throw new InvalidOptionError(name, 'at most 24 days', value)
      return milliseconds
    },
  }
}

/** A number of seconds of at least 0, read as milliseconds. */
export function seconds<D extends number | undefined>(byDefault: D): Option<number, number | D> {
  return {
    byDefault: byDefault === undefined ? 'undefined' : String(byDefault / 1000),
    read: (name, value) => {
      if (value === undefined) return byDefault
      if (typeof value !== 'number' || !(value >= 0)) {
        throw new InvalidOptionError(name, 'a number of seconds of at least 0', value)
      }
      return value * 1000
    },
  }
}

/**
 * A function; `otherwise` when none was given.
 *
 * @param shown - default as the docs show it
 */
export function func<F extends (...args: never[]) => unknown, D extends F | undefined = undefined>(
  otherwise?: D,
  shown = otherwise === undefined ? undefined : String(otherwise),
): Option<F, F | D> {
  return {
    byDefault: shown,
    read: (name, value) => {
      if (value === undefined) return otherwise as D
      if (typeof value !== 'function') throw new InvalidOptionError(name, 'a function', value)
      if (isClass(value)) {
        throw new InvalidOptionError(name, 'a function', value, { hint: 'a class cannot be called without new' })
      }
      return value
    },
  }
}

/** One of a few words. */
export function word<W extends string>(words: readonly W[], byDefault: NoInfer<W>): Option<W, W> {
  const expected = `one of ${words.map((known) => `'${known}'`).join(', ')}`
  return {
    byDefault: `'${byDefault}'`,
    read: (name, value) => {
      if (value === undefined) return byDefault
      const known = words.find((one) => one === value)
      if (known === undefined) {
        throw new InvalidOptionError(name, expected, value, {
          hint: typeof value === 'string' ? hintAt(value, words) : undefined,
        })
      }
      return known
    },
  }
}

/**
 * A path that need not be given.
 *
 * @param shown - default as the docs show it
 */
export function path(shown: string): Option<string, string | undefined> {
  const read = (name: string, value: string | undefined) => (value === undefined ? undefined : checkPath(name, value))
  return { byDefault: shown, isPath: true, read }
}

/** Whatever was given: it is read elsewhere. */
export function given<T>(byDefault?: string): Option<T, T | undefined> {
  return { byDefault, read: (_, value) => value }
}

/** An option that is read in a way of its own. */
export function custom<I, O>(read: (name: string, value: I | undefined) => O, byDefault?: string): Option<I, O> {
  return { byDefault, read }
}
