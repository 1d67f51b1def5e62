import { resolveOptions } from '../../base/options.js'
import { listConfigurations, type NamedSetups, type OneSetup } from '../configurations.js'
import { runChecks, type TestRunner } from '../runner.js'
import { inletChecks } from './inlet-checks.js'
import { InletHarness } from './inlet-harness.js'
import { INLET_SETUP, type InletSetup, type ResolvedInletSetup } from './inlet-setup.js'

/**
 * Tests of what every inlet must do, to be run on yours by `node:test`, tap, or any runner that registers tests by
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
 * A check captures the log while it runs, and a process has one log: run the checks one after the other.
 */
export class InletTester<T = unknown> {
  readonly #setups: (readonly [prefix: string, setup: ResolvedInletSetup])[]

  /**
   * @param inlet - a function that makes one, or a set-up
   * @throws {@link InvalidOptionError}
   */
  constructor(inlet: OneSetup<InletSetup<T>>)
  /**
   * @param inlets - several functions or set-ups, by name: each is tested
   * @throws {@link InvalidOptionError}
   */
  constructor(inlets: NamedSetups<InletSetup<T>>)
  constructor(given: OneSetup<InletSetup<T>> | NamedSetups<InletSetup<T>>) {
    this.#setups = listConfigurations<InletSetup<T>>('InletTester', given).map(([prefix, setup]) => {
      return [prefix, resolveOptions('InletTester', setup, INLET_SETUP)] as const
    })
  }

  /**
   * Registers the tests, at once.
   *
   * @param runner - the `test` of `node:test`, the `t` of tap, or the like
   * @returns when the tests have ended, if the runner tells
   */
  async run(runner: TestRunner): Promise<void> {
    const runs = this.#setups.map(([prefix, setup]) =>
      runChecks(runner, prefix, inletChecks(setup), () => new InletHarness(setup)),
    )
    await Promise.all(runs)
  }
}
