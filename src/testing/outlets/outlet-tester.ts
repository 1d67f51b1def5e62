import { checkBoolean, checkCount } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { Outlet } from '../../core/outlet.js'
import {
  checkFunction,
  listConfigurations,
  NODE_OPTIONS,
  resolveNodeSetup,
  type NamedSetups,
  type OneSetup,
} from '../configurations.js'
import { outletChecks } from './outlet-checks.js'
import { OutletHarness } from './outlet-harness.js'
import { runChecks, type TestRunner } from '../runner.js'
import type { OutletSetup, ResolvedOutletSetup, SuiteOutletOptions } from './outlet-setup.js'

const OPTIONS = [
  ...NODE_OPTIONS,
  ...(['read', 'payload', 'kinds', 'invalid', 'arrives', 'batch', 'ordered', 'breakTarget', 'hanging'] as const),
]

/**
 * Tests of what every outlet must do, to be run on yours by `node:test`, tap, or whatever registers tests by
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
 * While a check runs it takes the log, which is one for the process: run them one after the other.
 */
export class OutletTester<T = unknown> {
  readonly #setups: (readonly [prefix: string, setup: ResolvedOutletSetup])[]

  /**
   * @param outlet - a function that makes one, or a set-up
   * @throws {@link InvalidOptionError}
   */
  constructor(outlet: OneSetup<OutletSetup<T>>)
  /**
   * @param outlets - several of these, by name: each is tested
   * @throws {@link InvalidOptionError}
   */
  constructor(outlets: NamedSetups<OutletSetup<T>>)
  constructor(given: OneSetup<OutletSetup<T>> | NamedSetups<OutletSetup<T>>) {
    this.#setups = listConfigurations<OutletSetup<T>>('OutletTester', given).map(([prefix, setup]) => {
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
      let pushed = 0
      // numbers go on from check to check, as their target may be the same
      const next = () => setup.payload(pushed++)
      return runChecks(runner, prefix, outletChecks(setup), () => new OutletHarness(setup, next))
    })
    await Promise.all(runs)
  }
}

function resolve<T>(typed: OutletSetup<T>): ResolvedOutletSetup {
  // payloads go from functions of the set-up to its own outlets and back: only it needs to know their type
  const setup = typed as unknown as OutletSetup &
    Pick<ResolvedOutletSetup, 'create' | 'payload' | 'arrives' | 'hanging'>
  const { read, payload, kinds = [], invalid = [], arrives, breakTarget, hanging } = setup
  if (!Array.isArray(kinds)) throw new InvalidOptionError('OutletTester.kinds', 'a list of payloads', kinds)
  if (!Array.isArray(invalid)) throw new InvalidOptionError('OutletTester.invalid', 'a list of payloads', invalid)
  return {
    ...resolveNodeSetup<Outlet, SuiteOutletOptions>('OutletTester', setup, OPTIONS),
    read: optional('read', read),
    payload: optional('payload', payload as ResolvedOutletSetup['payload'] | undefined) ?? defaultPayload,
    kinds: Object.freeze([...(kinds as readonly unknown[])]),
    invalid: Object.freeze([...(invalid as readonly unknown[])]),
    arrives: optional('arrives', arrives as ResolvedOutletSetup['arrives'] | undefined) ?? ((same) => same),
    batch: checkCount('OutletTester.batch', setup.batch, 100),
    ordered: checkBoolean('OutletTester.ordered', setup.ordered, true),
    breakTarget: optional('breakTarget', breakTarget),
    hanging: optional('hanging', hanging),
  }
}

function optional<F>(option: string, value: F | undefined): F | undefined {
  return value === undefined ? undefined : checkFunction(`OutletTester.${option}`, value)
}

function defaultPayload(n: number): unknown {
  return { id: n, text: `record ${n}` }
}
