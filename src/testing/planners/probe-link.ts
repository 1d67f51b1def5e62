import { setTimeout as delay } from 'node:timers/promises'
import { Inlet } from '../../core/inlet.js'
import { Link } from '../../core/link.js'
import type { TransferSettings } from '../../core/link-options.js'
import { Outlet } from '../../core/outlet.js'
import type { Processor } from '../../core/processor.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { claim } from '../claims.js'

/** Behaviour of the nodes of a probe, where a check needs it; otherwise they do nothing special. */
export interface ProbeBehaviour {
  readonly onStart?: () => void | Promise<void>
  readonly pull?: (update: Update) => unknown
  readonly onShutdown?: () => void | Promise<void>
  readonly processors?: readonly Processor[]
}

/** Link that notes what a planner does with it. */
export class ProbeLink {
  readonly link: Link
  /** Starts, pulls and shutdowns of its inlet, in order. */
  readonly events: ('start' | 'pull' | 'shutdown')[] = []
  /** Payloads that its outlet got. */
  readonly delivered: unknown[] = []
  /** Number of its pulls that have begun. */
  pulls = 0
  /** Number of its pulls that run now. */
  running = 0
  /** Largest number of its pulls that ran at the same time. */
  atOnce = 0
  /** Times of its pulls, on the clock of `performance.now()`. */
  readonly times: number[] = []

  /** @param interval - in seconds */
  constructor(name: string, interval: number, behaviour: ProbeBehaviour = {}, settings: TransferSettings = {}) {
    this.link = new Link({
      inlets: new ProbeInlet(this, behaviour),
      outlets: new ProbeOutlet(this),
      processors: [...(behaviour.processors ?? [])],
      interval,
      tags: name,
      ...settings,
    })
  }

  get started(): number {
    return this.events.filter((event) => event === 'start').length
  }

  get shutDown(): number {
    return this.events.filter((event) => event === 'shutdown').length
  }

  /**
   * Waits until a number of pulls have begun.
   *
   * @param limit - longest wait, in milliseconds
   * @param sentence - says what is wrong when they do not begin in time
   */
  async pulled(count: number, limit: number, sentence: string): Promise<void> {
    const end = performance.now() + limit
    while (this.pulls < count && performance.now() < end) await delay(2)
    claim(this.pulls >= count, `${sentence}: it made ${this.pulls} within ${limit / 1000} s`)
  }
}

class ProbeInlet extends Inlet {
  readonly #probe: ProbeLink
  readonly #behaviour: ProbeBehaviour

  constructor(probe: ProbeLink, behaviour: ProbeBehaviour) {
    super()
    this.#probe = probe
    this.#behaviour = behaviour
  }

  override async onStart(): Promise<void> {
    this.#probe.events.push('start')
    await this.#behaviour.onStart?.()
  }

  async pull(update: Update): Promise<unknown> {
    const probe = this.#probe
    probe.events.push('pull')
    probe.times.push(performance.now())
    const number = probe.pulls++
    probe.atOnce = Math.max(probe.atOnce, ++probe.running)
    try {
      return this.#behaviour.pull === undefined ? number : await this.#behaviour.pull(update)
    } finally {
      probe.running--
    }
  }

  override async onShutdown(): Promise<void> {
    this.#probe.events.push('shutdown')
    await this.#behaviour.onShutdown?.()
  }
}

class ProbeOutlet extends Outlet {
  readonly #probe: ProbeLink

  constructor(probe: ProbeLink) {
    super()
    this.#probe = probe
  }

  push(records: Record[]): void {
    for (const { payload } of records) this.#probe.delivered.push(payload)
  }
}
