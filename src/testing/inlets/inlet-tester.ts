import { checkBoolean } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { isInlet, type Inlet, type InletOptions } from '../../core/inlet.js'
import { checkFunction, listConfigurations, NODE_OPTIONS, resolveNodeSetup } from '../configurations.js'
import type { NamedSetups, NodeSuiteOptions, OneSetup } from '../configurations.js'
import { inletChecks, type InletBench, type ResolvedInletSetup } from './inlet-checks.js'
import { NodeBench } from '../node-harness.js'
import { runChecks, type TestRunner } from '../runner.js'

/** Makes an inlet for a check, not started. The options are for `super`: they carry metadata that is checked. */
export type CreateInlet<T> = (options: InletOptions) => Inlet<T> | Promise<Inlet<T>>

/** How {@link InletTester} gets at inlets of yours. */
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

const OPTIONS = [...NODE_OPTIONS, 'expected', 'failing', 'hanging', 'cloneable', 'repeatable'] as const

/**
 * Tests of what every inlet must do, to be run on yours by `node:test`, tap, or whatever registers tests by
 * `test(name, body)`. Each failure says in a sentence what is wrong.
 *
 * ```ts
 * import { test } from 'node:test'
 *
 * new InletTester((options) => new RandomIntInlet(0, 100, options)).run(test)
 *
 * new InletTester({
 *   'by default': (options) => new RandomIntInlet(0, 100, options),
 *   'from 10 to 200': { create: (options) => new RandomIntInlet(10, 200, options), expected: 1 },
 * }).run(test)
 * ```
 *
 * While a check runs it takes the log, which is one for the process: run them one after the other.
 */
export class InletTester<T = unknown> {
  readonly #setups: (readonly [prefix: string, setup: ResolvedInletSetup])[]

  /**
   * @param inlet - a function that makes one, or a set-up
   * @throws {@link InvalidOptionError}
   */
  constructor(inlet: OneSetup<InletSetup<T>>)
  /**
   * @param inlets - several of these, by name: each is tested
   * @throws {@link InvalidOptionError}
   */
  constructor(inlets: NamedSetups<InletSetup<T>>)
  constructor(given: OneSetup<InletSetup<T>> | NamedSetups<InletSetup<T>>) {
    this.#setups = listConfigurations<InletSetup<T>>('InletTester', given).map(([prefix, setup]) => {
      return [prefix, resolve(setup)] as const
    })
  }

  /**
   * Registers the tests, at once.
   *
   * @param runner - the `test` of `node:test`, tap's `t`, or the like
   * @returns when they have ended, if the runner tells
   */
  async run(runner: TestRunner): Promise<void> {
    const runs = this.#setups.map(([prefix, setup]) => {
      const makeBench = (): InletBench => new NodeBench(setup, {}, 'an Inlet', isInlet)
      return runChecks(runner, prefix, inletChecks(setup), makeBench)
    })
    await Promise.all(runs)
  }
}

function resolve<T>(setup: InletSetup<T>): ResolvedInletSetup {
  const { expected, failing, hanging, repeatable } = setup
  const common = resolveNodeSetup<Inlet, InletOptions>('InletTester', setup, OPTIONS)
  if (expected !== undefined && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new InvalidOptionError('InletTester.expected', 'a number of records', expected)
  }
  return {
    ...common,
    expected,
    failing: failing === undefined ? undefined : checkFunction('InletTester.failing', failing),
    hanging: hanging === undefined ? undefined : checkFunction('InletTester.hanging', hanging),
    cloneable: checkBoolean('InletTester.cloneable', setup.cloneable, true),
    repeatable: repeatable === undefined ? undefined : checkBoolean('InletTester.repeatable', repeatable, false),
  }
}
