import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, func, type Resolved, type Spec } from '../../base/options.js'
import type { Inlet, InletOptions } from '../../core/inlet.js'
import { needed, NODE_SUITE_OPTIONS, type NodeSuiteOptions } from '../configurations.js'

/**
 * Function that makes an inlet for a check, not started. The options are for `super`: they carry metadata, which is
 * checked.
 */
export type CreateInlet<T = unknown> = (options: InletOptions) => Inlet<T> | Promise<Inlet<T>>

/** Set-up of an `InletTester`: how it makes your inlets. */
export interface InletSetup<T = unknown> extends NodeSuiteOptions {
  /** Function that makes a new inlet, whose source has something to give and is at its beginning each time. */
  readonly create: CreateInlet<T>
  /**
   * Number of records that the first pull of a new inlet gives.
   * @default undefined - not checked
   */
  readonly expected?: number
  /**
   * Function that makes an inlet whose source fails. Its start or its pull must fail with an error.
   * @default undefined - not checked
   */
  readonly failing?: CreateInlet<T>
  /**
   * Function that makes an inlet whose source never answers. Its pull must end when `update.signal` aborts.
   * @default undefined - not checked
   */
  readonly hanging?: CreateInlet<T>
  /**
   * Whether payloads can be copied by `structuredClone`, as links do for their outlets. If they cannot, say in your
   * manual that links need `copyRecords: false`.
   * @default true
   */
  readonly cloneable?: boolean
  /**
   * Whether each new inlet gives the same payloads, pull by pull. With `true`, it is also checked that two links at
   * once get together what one link gets in two pulls. With `false`, an inlet with the state of another need not go on
   * with the same payloads.
   * @default undefined - only what is said of `saveState` is checked
   */
  readonly repeatable?: boolean
}

/** Table of the options of an {@link InletSetup}. */
export const INLET_SETUP = {
  create: needed<CreateInlet>(),
  ...NODE_SUITE_OPTIONS,
  expected: custom(readExpected, 'undefined - not checked'),
  failing: func<CreateInlet>(undefined, 'undefined - not checked'),
  hanging: func<CreateInlet>(undefined, 'undefined - not checked'),
  cloneable: flag(true),
  repeatable: flag(undefined, 'undefined - only what is said of `saveState` is checked'),
} satisfies Spec<InletSetup>

/** {@link InletSetup}, resolved. */
export type ResolvedInletSetup = Resolved<typeof INLET_SETUP>

function readExpected(name: string, expected: number | undefined): number | undefined {
  if (expected === undefined || (Number.isSafeInteger(expected) && expected >= 0)) return expected
  throw new InvalidOptionError(name, 'a number of records', expected)
}
