import { InvalidOptionError } from '../../base/errors.js'
import { count, custom, flag, func, type Resolved, type Spec } from '../../base/options.js'
import type { Outlet } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import { needed, NODE_SUITE_OPTIONS, type NodeSuiteOptions } from '../configurations.js'

/**
 * Options with which a suite makes outlets, to hand on to `super`. They carry a processor, whose presence is checked.
 */
export interface SuiteOutletOptions {
  /** Processor that fits outlets of every type, as it leaves records as they are. */
  readonly processors?: <P>(records: Record<P>[]) => Record<P>[]
}

/** Function that makes an outlet for a check, not started. */
export type CreateOutlet<T> = (options: SuiteOutletOptions) => Outlet<T> | Promise<Outlet<T>>

/** Set-up of an `OutletTester`: how it makes your outlets, and reads what they deliver. */
export interface OutletSetup<T = unknown> extends NodeSuiteOptions {
  /** Function that makes a new outlet. All outlets of one check deliver to the same target. */
  readonly create: CreateOutlet<T>
  /**
   * Function that reads what has arrived so far: a list with one element for each record, in the order of their
   * arrival. Records from before a check do no harm.
   * @default undefined - what arrives is not checked
   */
  readonly read?: () => readonly unknown[] | Promise<readonly unknown[]>
  /**
   * Function that makes the payload of a record, a different one for each number.
   * @default (n) => ({ id: n, text: `record ${n}` })
   */
  readonly payload?: (n: number) => T
  /**
   * Further payloads, of every kind that the outlet takes.
   * @default []
   */
  readonly kinds?: readonly T[]
  /**
   * Payloads that the outlet cannot take. A batch with one must fail; if other records of it arrive all the same, the
   * error must say so, as a `PartialPushError` does.
   * @default []
   */
  readonly invalid?: readonly T[]
  /**
   * Function that gives the element of `read` for a payload that has arrived.
   * @default (payload) => payload
   */
  readonly arrives?: (payload: T) => unknown
  /**
   * Number of records of a large batch.
   * @default 100
   */
  readonly batch?: number
  /**
   * Whether the records of a batch arrive in order.
   * @default true
   */
  readonly ordered?: boolean
  /**
   * Function that makes the target fail, and returns a function that repairs it. While the target fails, a push or the
   * start must fail.
   * @default undefined - not checked
   */
  readonly breakTarget?: () => unknown
  /**
   * Function that makes an outlet whose target never answers. Its push must end when `update.signal` aborts.
   * @default undefined - not checked
   */
  readonly hanging?: CreateOutlet<T>
}

/** Table of the options of an {@link OutletSetup}. */
export const OUTLET_SETUP = {
  create: needed<CreateOutlet<unknown>>(),
  ...NODE_SUITE_OPTIONS,
  read: func<() => readonly unknown[] | Promise<readonly unknown[]>>(
    undefined,
    'undefined - what arrives is not checked',
  ),
  payload: func<(n: number) => unknown>(undefined, '(n) => ({ id: n, text: `record ${n}` })'),
  kinds: custom(readPayloads, '[]'),
  invalid: custom(readPayloads, '[]'),
  arrives: func<(payload: unknown) => unknown>(undefined, '(payload) => payload'),
  batch: count(100),
  ordered: flag(true),
  breakTarget: func<() => unknown>(undefined, 'undefined - not checked'),
  hanging: func<CreateOutlet<unknown>>(undefined, 'undefined - not checked'),
} satisfies Spec<OutletSetup>

/** {@link OutletSetup}, resolved. */
export type ResolvedOutletSetup = Resolved<typeof OUTLET_SETUP>

function readPayloads(name: string, payloads: readonly unknown[] = []): readonly unknown[] {
  if (!Array.isArray(payloads)) throw new InvalidOptionError(name, 'a list of payloads', payloads)
  return Object.freeze([...(payloads as readonly unknown[])])
}
