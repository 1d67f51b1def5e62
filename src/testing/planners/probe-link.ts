import { setTimeout as delay } from 'node:timers/promises'
import { Inlet } from '../../core/inlet.js'
import { Link } from '../../core/link.js'
import type { LinkSettings } from '../../core/link-options.js'
import { Outlet } from '../../core/outlet.js'
import type { Processor } from '../../core/processor.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { claim } from '../claims.js'

/** What a probe's nodes do where a check wants it to; nothing special otherwise. */
export interface ProbeBehaviour {
  readonly onStart?: () => void | Promise<void>
  readonly pull?: (update: Update) => unknown
  readonly onShutdown?: () => void | Promise<void>
  readonly processors?: readonly Processor[]
}

/** A link that knows what a planner does with it. */
export class ProbeLink {
  readonly link: Link
  /** Starts and shutdowns of its inlet, and its pulls, in order. */
  readonly events: ('start' | 'pull' | 'shutdown')[] = []
  /** Payloads that its outlet was given. */
  readonly delivered: unknown[] = []
  /** How many of its pulls have begun. */
  pulls = 0
  /** How many of its pulls run. */
  running = 0
  /** How many of its pulls ran at once, at most. */
  atOnce = 0
  /** When it was pulled, on the clock of `performance.now()`. */
  readonly times: number[] = []

  /** @param interval - in seconds */
  constructor(name: string, interval: number, behaviour: ProbeBehaviour = {}, settings: LinkSettings = {}) {
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

  /** Waits until so many pulls have begun; `sentence` says what is wrong when they do not within `limit` milliseconds. */
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
