import { resolveOptions } from '../../base/options.js'
import { listConfigurations, type NamedSetups, type OneSetup } from '../configurations.js'
import { runChecks, type TestRunner } from '../runner.js'
import { outletChecks } from './outlet-checks.js'
import { OutletHarness } from './outlet-harness.js'
import { OUTLET_SETUP, type OutletSetup, type ResolvedOutletSetup } from './outlet-setup.js'

/**
 * Tests of what every outlet must do, to be run on yours by `node:test`, tap, or any runner that registers tests by
 * `test(name, body)`. Each failure says in a sentence what is wrong.
 *
 * ```ts
 * import { test } from 'node:test'
 *
 * new OutletTester({
 *   create: (options) => new FileOutlet(file, options),
 *   read: async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1).map((line) => JSON.parse(line)),
 *   before: () => writeFile(file, ''),
 * }).run(test)
 * ```
 *
 * A check captures the log while it runs, and a process has one log: run the checks one after the other.
 */
export class OutletTester<T = unknown> {
  readonly #setups: (readonly [prefix: string, setup: ResolvedOutletSetup])[]

  /**
   * @param outlet - a function that makes one, or a set-up
   * @throws {@link InvalidOptionError}
   */
  constructor(outlet: OneSetup<OutletSetup<T>>)
  /**
   * @param outlets - several functions or set-ups, by name: each is tested
   * @throws {@link InvalidOptionError}
   */
  constructor(outlets: NamedSetups<OutletSetup<T>>)
  constructor(given: OneSetup<OutletSetup<T>> | NamedSetups<OutletSetup<T>>) {
    this.#setups = listConfigurations<OutletSetup<T>>('OutletTester', given).map(([prefix, setup]) => {
      return [prefix, resolveOptions('OutletTester', setup, OUTLET_SETUP)] as const
    })
  }

  /**
   * Registers the tests, at once.
   *
   * @param runner - the `test` of `node:test`, the `t` of tap, or the like
   * @returns when the tests have ended, if the runner tells
   */
  async run(runner: TestRunner): Promise<void> {
    const runs = this.#setups.map(([prefix, setup]) => {
      let pushed = 0
      // numbers go on from check to check, as their target may be the same
      const { payload = defaultPayload } = setup
      const next = () => payload(pushed++)
      return runChecks(runner, prefix, outletChecks(setup), () => new OutletHarness(setup, next))
    })
    await Promise.all(runs)
  }
}

function defaultPayload(n: number): unknown {
  return { id: n, text: `record ${n}` }
}
