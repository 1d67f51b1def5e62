import { checkOptions } from '../base/check.js'
import { InvalidOptionError } from '../base/errors.js'
import { toMilliseconds, type Duration } from '../base/duration.js'
import type { Node } from '../core/node.js'
import type { NodeSetup } from './node-harness.js'

/** What every suite takes, beside what it creates. */
export interface SuiteOptions {
  /**
   * Called before every check: sets up what the node needs, such as an empty folder. May be asynchronous.
   * @default undefined - nothing
   */
  readonly before?: () => unknown
  /**
   * Called after every check, also one that failed. May be asynchronous.
   * @default undefined - nothing
   */
  readonly after?: () => unknown
  /**
   * Time that one call of yours may take, in seconds or as a duration.
   * @default 5
   */
  readonly timeout?: number | Duration
}

/** Options that the suites of inlets and of outlets take. */
export interface NodeSuiteOptions extends SuiteOptions {
  /**
   * Texts that your set-up holds and that nobody may see: not in `toString()`, in records' metadata, in errors or in
   * the log.
   * @default []
   */
  readonly secrets?: readonly string[]
}

export const SUITE_OPTIONS = ['before', 'after', 'timeout'] as const
export const NODE_OPTIONS = ['create', ...SUITE_OPTIONS, 'secrets'] as const

/** A set-up; where it needs nothing but `create`, that function stands for it. */
export type OneSetup<S extends { create: unknown }> = S['create'] | S

/** Several set-ups, by name. */
export interface NamedSetups<S extends { create: unknown }> {
  readonly [name: string]: OneSetup<S>
}

/** Each set-up with what its tests' names start with. */
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

/** @throws {@link InvalidOptionError} */
export function resolveNodeSetup<N extends Node, O>(
  suite: string,
  setup: NodeSuiteOptions & { readonly create: (options: O) => N | Promise<N> },
  known: readonly string[],
): NodeSetup<N, O> {
  checkOptions(suite, setup, known)
  const secrets: unknown = setup.secrets ?? []
  if (!Array.isArray(secrets) || !secrets.every((secret) => typeof secret === 'string' && secret !== '')) {
    throw new InvalidOptionError(`${suite}.secrets`, 'a list of texts', secrets)
  }
  return {
    create: checkFunction(`${suite}.create`, setup.create),
    ...resolveSuiteOptions(suite, setup),
    secrets: Object.freeze([...(secrets as string[])]),
  }
}

/** @throws {@link InvalidOptionError} */
export function resolveSuiteOptions(suite: string, options: SuiteOptions) {
  const { before, after, timeout = 5 } = options
  return {
    before: before === undefined ? () => undefined : checkFunction(`${suite}.before`, before),
    after: after === undefined ? () => undefined : checkFunction(`${suite}.after`, after),
    timeout: toMilliseconds(`${suite}.timeout`, timeout),
  }
}

/** @throws {@link InvalidOptionError} */
export function checkFunction<F>(option: string, value: F): F {
  if (typeof value !== 'function') throw new InvalidOptionError(option, 'a function', value)
  return value
}
