import type { Inlet, InletOptions } from '../../core/inlet.js'
import type { NodeSuiteOptions } from '../configurations.js'
import type { NodeSetup } from '../node-harness.js'

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

/** An {@link InletSetup}, checked and complete. */
export interface ResolvedInletSetup extends NodeSetup<Inlet, InletOptions> {
  readonly expected: number | undefined
  readonly failing: CreateInlet | undefined
  readonly hanging: CreateInlet | undefined
  readonly cloneable: boolean
  readonly repeatable: boolean | undefined
}
