import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, func, type Resolved, type Spec } from '../../base/options.js'
import type { Inlet, InletOptions } from '../../core/inlet.js'
import { needed, NODE_SUITE_OPTIONS, type NodeSuiteOptions } from '../configurations.js'

/** Makes an inlet for a check, not started. The options are for `super`: they carry metadata that is checked. */
export type CreateInlet<T = unknown> = (options: InletOptions) => Inlet<T> | Promise<Inlet<T>>

/** How `InletTester` gets at inlets of yours. */
export interface InletSetup<T = unknown> extends NodeSuiteOptions {
  /** Makes a new inlet whose source has something to give, each time at its beginning. */
  readonly create: CreateInlet<T>
  /**
   * How many records the first pull of a new inlet gives.
   * @default undefined - not checked
   */
  readonly expected?: number
  /**
   * Makes an inlet whose source fails: its start or its pull must be refused with an error.
   * @default undefined - not checked
   */
  readonly failing?: CreateInlet<T>
  /**
   * Makes an inlet whose source never answers: its pull must end when `update.signal` aborts.
   * @default undefined - not checked
   */
  readonly hanging?: CreateInlet<T>
  /**
   * Whether payloads can be copied (by `structuredClone`), as links do for their outlets. Without it, say in your
   * manual that links need `copyRecords: false`.
   * @default true
   */
  readonly cloneable?: boolean
  /**
   * Whether each new inlet gives the same payloads, pull by pull. `true` also checks that two links at once get
   * together what one gets in two pulls; `false` leaves out that an inlet with the state of another goes on with the
   * same payloads.
   * @default undefined - only what is said of `saveState` is checked
   */
  readonly repeatable?: boolean
}

/** Table of the set-up. */
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
