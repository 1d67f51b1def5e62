import type { Duration } from '../base/duration.js'
import { InvalidOptionError } from '../base/errors.js'
import { custom, func, timer, type Option, type Spec } from '../base/options.js'

/** Options that every suite takes, beside what it creates. */
export interface SuiteOptions {
  /**
   * Function that is called before every check. It sets up what the node needs, such as an empty folder, and may be
   * asynchronous.
   * @default undefined - nothing
   */
  readonly before?: () => unknown
  /**
   * Function that is called after every check, also a failed one. May be asynchronous.
   * @default undefined - nothing
   */
  readonly after?: () => unknown
  /**
   * Time limit of one call of your code, in seconds or as a duration.
   * @default 5
   */
  readonly timeout?: number | Duration
}

/** Options that the suites of inlets and of outlets take. */
export interface NodeSuiteOptions extends SuiteOptions {
  /**
   * Texts in your set-up that must not be shown: not in `toString()`, in records' metadata, in errors or in the log.
   * @default []
   */
  readonly secrets?: readonly string[]
}

/** Table of the options that every suite takes. */
export const SUITE_OPTIONS = {
  before: func<() => unknown>(undefined, 'undefined - nothing'),
  after: func<() => unknown>(undefined, 'undefined - nothing'),
  timeout: timer(5000),
} satisfies Spec<SuiteOptions>

/** Table of the options that the suites of inlets and of outlets take. */
export const NODE_SUITE_OPTIONS = {
  ...SUITE_OPTIONS,
  secrets: custom(readSecrets, '[]'),
} satisfies Spec<NodeSuiteOptions>

/** Option that has to be given: a function. */
export function needed<F>(): Option<F, F> {
  return custom((name, value) => {
    if (typeof value !== 'function') throw new InvalidOptionError(name, 'a function', value)
    return value
  })
}

/** Set-up of a suite. The function `create` alone stands for a set-up that needs nothing else. */
export type OneSetup<S extends { create: unknown }> = S['create'] | S

/** Several set-ups, by name. */
export interface NamedSetups<S extends { create: unknown }> {
  readonly [name: string]: OneSetup<S>
}

/** Lists the set-ups, each with the prefix of the names of its tests. */
export function listConfigurations<S extends { create: unknown }>(
  suite: string,
  given: OneSetup<S> | NamedSetups<S>,
): (readonly [prefix: string, setup: S])[] {
  const setupOf = (one: unknown): S => (typeof one === 'function' ? ({ create: one } as S) : (one as S))
  const isSetup = typeof given === 'function' || (typeof given === 'object' && given !== null && 'create' in given)
  if (isSetup) return [['', setupOf(given)]]
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : []
  if (entries.length === 0) {
    throw new InvalidOptionError(suite, 'a function that creates, a set-up, or several of these by name', given)
  }
  return entries.map(([name, one]) => [`${name}: `, setupOf(one)] as const)
}

function readSecrets(name: string, secrets: readonly string[] = []): readonly string[] {
  if (!Array.isArray(secrets) || !secrets.every((secret) => typeof secret === 'string' && secret !== '')) {
    throw new InvalidOptionError(name, 'a list of texts', secrets)
  }
  return Object.freeze([...(secrets as readonly string[])])
}
