import { resolveOptions } from '../../base/options.js'
import { listConfigurations, type NamedSetups, type OneSetup } from '../configurations.js'
import { runChecks, type TestRunner } from '../runner.js'
import { plannerChecks } from './planner-checks.js'
import { PlannerHarness } from './planner-harness.js'
import { PLANNER_SETUP, type PlannerSetup, type ResolvedPlannerSetup } from './planner-setup.js'

/**
 * Tests of what every planner must do, to be run on yours by `node:test`, tap, or any runner that registers tests by
 * `test(name, body)`. Each failure says in a sentence what is wrong. The planner uses its own clock, so this takes some
 * seconds.
 *
 * ```ts
 * import { test } from 'node:test'
 *
 * new PlannerTester((links, options) => new SchedulePlanner(links, { ...options, refreshInterval: 0.01 })).run(test)
 * ```
 *
 * A check captures the log while it runs, and a process has one log: run the checks one after the other.
 */
export class PlannerTester {
  readonly #setups: (readonly [prefix: string, setup: ResolvedPlannerSetup])[]

  /**
   * @param planner - a function that makes one, or a set-up
   * @throws {@link InvalidOptionError}
   */
  constructor(planner: OneSetup<PlannerSetup>)
  /**
   * @param planners - several functions or set-ups, by name: each is tested
   * @throws {@link InvalidOptionError}
   */
  constructor(planners: NamedSetups<PlannerSetup>)
  constructor(given: OneSetup<PlannerSetup> | NamedSetups<PlannerSetup>) {
    this.#setups = listConfigurations<PlannerSetup>('PlannerTester', given).map(([prefix, setup]) => {
      return [prefix, resolveOptions('PlannerTester', setup, PLANNER_SETUP)] as const
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
      runChecks(runner, prefix, plannerChecks(setup), () => new PlannerHarness(setup)),
    )
    await Promise.all(runs)
  }
}
