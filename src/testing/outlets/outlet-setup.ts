import { InvalidOptionError } from '../../base/errors.js'
import { count, custom, flag, func, type Resolved, type Spec } from '../../base/options.js'
import type { Outlet } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import { needed, NODE_SUITE_OPTIONS, type NodeSuiteOptions } from '../configurations.js'

/** Options that a suite's outlets are made with, to hand on to `super`: they carry a processor that is looked for. */
export interface SuiteOutletOptions {
  /** Fits outlets of every type, as it leaves records as they are. */
  readonly processors?: <P>(records: Record<P>[]) => Record<P>[]
}

/** Makes an outlet for a check, not started. */
export type CreateOutlet<T> = (options: SuiteOutletOptions) => Outlet<T> | Promise<Outlet<T>>

/** How `OutletTester` gets at outlets of yours, and at what they deliver to. */
export interface OutletSetup<T = unknown> extends NodeSuiteOptions {
  /** Makes a new outlet. All that one check makes deliver to the same target. */
  readonly create: CreateOutlet<T>
  /**
   * Reads back what has arrived so far: a list with one element for each record, in the order of their arrival. What
   * was there before a check does no harm.
   * @default undefined - what arrives is not checked
   */
  readonly read?: () => readonly unknown[] | Promise<readonly unknown[]>
  /**
   * The payload of a record. Each number gives another one.
   * @default (n) => ({ id: n, text: `record ${n}` })
   */
  readonly payload?: (n: number) => T
  /**
   * Further payloads, of every kind that the outlet takes.
   * @default []
   */
  readonly kinds?: readonly T[]
  /**
   * Payloads that the outlet cannot take: a batch with one must be refused, and what arrives of it all the same must be
   * said, by a `PartialPushError`.
   * @default []
   */
  readonly invalid?: readonly T[]
  /**
   * What `read` gives for a payload that has arrived.
   * @default (payload) => payload
   */
  readonly arrives?: (payload: T) => unknown
  /**
   * How many records a large batch has.
   * @default 100
   */
  readonly batch?: number
  /**
   * Whether the records of a batch arrive in order.
   * @default true
   */
  readonly ordered?: boolean
  /**
   * Makes the target fail, and gives a function that repairs it. While it fails, a push (or the start) must be refused.
   * @default undefined - not checked
   */
  readonly breakTarget?: () => unknown
  /**
   * Makes an outlet whose target never answers: its push must end when `update.signal` aborts.
   * @default undefined - not checked
   */
  readonly hanging?: CreateOutlet<T>
}

/** Table of the set-up. */
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
