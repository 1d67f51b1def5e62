import { setTimeout as delay } from 'node:timers/promises'
import type { LinkSettings } from '../../core/link-options.js'
import type { BasePlanner } from '../../planners/base-planner.js'
import type { PlannerOptions } from '../../planners/planner-options.js'
import { claim } from '../claims.js'
import { SuiteHarness } from '../harness.js'
import { nameOf } from '../node-harness.js'
import { ProbeLink, type ProbeBehaviour } from './probe-link.js'
import type { ResolvedPlannerSetup } from './planner-setup.js'

/** Number of intervals without a transfer after which a link counts as quiet. */
const QUIET = 4

/** Interval of links that are not due during a check, in seconds. */
const NEVER = 100_000

/**
 * Harness of one check of a planner: makes links that take notes, and planners, which it shuts down when the check
 * ends.
 */
export class PlannerHarness extends SuiteHarness<ResolvedPlannerSetup> {
  readonly #made: BasePlanner[] = []
  #links = 0

  /** Makes a link that is due at the interval of the set-up. */
  frequent(behaviour?: ProbeBehaviour, settings?: LinkSettings): ProbeLink {
    return new ProbeLink(`frequent_${++this.#links}`, this.setup.interval / 1000, behaviour, settings)
  }

  /** Makes a link that is not due during a check. */
  rare(behaviour?: ProbeBehaviour, settings?: LinkSettings): ProbeLink {
    return new ProbeLink(`rare_${++this.#links}`, NEVER, behaviour, settings)
  }

  async make(links: readonly ProbeLink[], options: PlannerOptions = {}): Promise<BasePlanner> {
    const list = links.map(({ link }) => link)
    const planner = await this.calls.succeed('create()', () => this.setup.create(list, options))
    claim(
      typeof planner === 'object' && typeof (planner as Partial<BasePlanner>).forceTransfer === 'function',
      'create() did not give a planner: extend BasePlanner',
    )
    this.#made.push(planner)
    return planner
  }

  /** Makes a planner and starts it. It makes no first transfers unless the options say so. */
  async started(links: readonly ProbeLink[], options: PlannerOptions = {}): Promise<BasePlanner> {
    const planner = await this.make(links, { immediateTransfer: false, ...options })
    await this.start(planner)
    return planner
  }

  async start(planner: BasePlanner): Promise<void> {
    await this.calls.succeed(`${nameOf(planner)}.start`, () => planner.start())
  }

  async shutdown(planner: BasePlanner): Promise<void> {
    await this.calls.succeed(`${nameOf(planner)}.shutdown`, () => planner.shutdown())
  }

  /** Waits for some transfers of a link. */
  async transferred(probe: ProbeLink, more: number, sentence: string): Promise<void> {
    await probe.pulled(probe.pulls + more, this.setup.timeout, sentence)
  }

  /** Waits for some intervals, in which no transfer of a link may begin. */
  async quiet(probe: ProbeLink, sentence: string): Promise<void> {
    const { pulls } = probe
    await delay(QUIET * this.setup.interval)
    const more = probe.pulls - pulls
    claim(more === 0, `${sentence}: it made ${more} more`)
  }
  protected override async closeMade(): Promise<void> {
    for (const planner of this.#made) {
      planner.finished.catch(() => undefined)
      await this.calls.outcome('shutdown', () => planner.shutdown({ wait: false })).catch(() => undefined)
    }
  }
}
