import type { Test } from 'tap'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { DueTimes, LinkSettings, TransferSettings } from '../../src/core/link-options.js'
import { Outlet } from '../../src/core/outlet.js'
import type { PlannedLink, TransferRequest } from '../../src/core/planned-link.js'
import { BasePlanner } from '../../src/planners/base-planner.js'
import type { DueTime } from '../../src/planners/clock/trigger.js'
import type { PlannerOptions } from '../../src/planners/planner-options.js'
import type { Processor } from '../../src/core/processor.js'
import type { OneOrMany } from '../../src/base/one-or-many.js'
import type { Record } from '../../src/core/record.js'
import { failedReport, type TransferReport } from '../../src/core/report.js'
import type { Update } from '../../src/core/update.js'

/** Record of what a planner does to links and nodes, in order. */
export type Trace = string[]

/** What the nodes of a traced link do, where a test asks for it. */
export interface Behaviour {
  onStart?: () => void | Promise<void>
  pull?: (update: Update) => unknown
  push?: (records: Record[], update: Update) => void | Promise<void>
  onShutdown?: () => void | Promise<void>
  processors?: Processor[]
}

export class TracedInlet extends Inlet {
  readonly #name: string
  readonly #trace: Trace
  readonly #behaviour: Behaviour

  constructor(name: string, trace: Trace, behaviour: Behaviour = {}) {
    super()
    this.#name = name
    this.#trace = trace
    this.#behaviour = behaviour
  }

  override async onStart() {
    this.#trace.push(`${this.#name} in starts`)
    await this.#behaviour.onStart?.()
  }

  pull(update: Update) {
    this.#trace.push(`${this.#name} pulls`)
    return this.#behaviour.pull === undefined ? update.transferNumber : this.#behaviour.pull(update)
  }

  override async onShutdown() {
    this.#trace.push(`${this.#name} in stops`)
    await this.#behaviour.onShutdown?.()
  }
}

export class TracedOutlet extends Outlet {
  readonly #name: string
  readonly #trace: Trace
  readonly #behaviour: Behaviour

  constructor(name: string, trace: Trace, behaviour: Behaviour = {}) {
    super()
    this.#name = name
    this.#trace = trace
    this.#behaviour = behaviour
  }

  override onStart() {
    this.#trace.push(`${this.#name} out starts`)
  }

  async push(records: Record[], update: Update) {
    this.#trace.push(`${this.#name} gets ${records.map(({ payload }) => String(payload)).join(',')}`)
    await this.#behaviour.push?.(records, update)
  }

  override onShutdown() {
    this.#trace.push(`${this.#name} out stops`)
  }
}

/** Makes a link whose nodes record what is done to them; it is due every 10 s unless told otherwise. */
export function tracedLink(
  name: string,
  trace: Trace = [],
  behaviour: Behaviour = {},
  { interval = 10, ...settings }: LinkSettings = {},
) {
  return new Link({
    inlets: new TracedInlet(name, trace, behaviour),
    outlets: new TracedOutlet(name, trace, behaviour),
    ...((settings.cron === undefined ? { interval } : {}) as DueTimes),
    tags: name,
    processors: behaviour.processors ?? [],
    ...(settings as TransferSettings),
  })
}

/** Makes the report of a transfer without records. */
export function emptyReport(link: string, transferNumber = 0): TransferReport {
  const identity = { link, update: `${link}.${transferNumber}`, transferNumber, thread: 0, scheduledAt: 0 }
  return { ...failedReport(identity, undefined, true), errors: [] }
}

/** A link of a third party; its methods can be replaced. */
export class StubLink implements PlannedLink {
  readonly name: string
  readonly tags: readonly string[]
  readonly schedule = { every: 1000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }
  readonly settings = { immediateTransfer: true, ignoreExceptions: false, maxInstances: 1 }
  quarantinedUntil: number | undefined
  readonly trace: Trace
  transfers = 0

  constructor(name: string, trace: Trace = []) {
    this.name = name
    this.tags = [name]
    this.trace = trace
  }

  transfer: (request?: TransferRequest) => Promise<TransferReport> = () =>
    Promise.resolve(emptyReport(this.name, this.transfers++))

  drain: () => Promise<TransferReport | undefined> = () => Promise.resolve(undefined)

  cancel: (reason: Error) => void = () => {
    this.trace.push(`${this.name} cancelled`)
  }

  onStart: () => Promise<void> = () => {
    this.trace.push(`${this.name} starts`)
    return Promise.resolve()
  }

  onShutdown: () => Promise<void> = () => {
    this.trace.push(`${this.name} stops`)
    return Promise.resolve()
  }

  toString(): string {
    return `StubLink(${this.name})`
  }
}

/** A planner whose links are due when a test calls {@link HandPlanner.fire}. */
export class HandPlanner extends BasePlanner {
  readonly scheduled = new Set<PlannedLink>()
  readonly trace: Trace
  onScheduling: (what: string) => void | Promise<void> = () => {}

  constructor(links?: OneOrMany<PlannedLink>, options: PlannerOptions = {}, trace: Trace = []) {
    super(links, options)
    this.trace = trace
  }

  /** Has a link be due. */
  fire(link: PlannedLink, due?: Partial<DueTime>) {
    return this.dispatch(link, { scheduledAt: Date.now(), lateness: 0, missed: 0, ...due })
  }

  protected schedule(link: PlannedLink) {
    this.trace.push(`schedule ${link.name}`)
    void this.onScheduling(`schedule ${link.name}`) // may throw
    this.scheduled.add(link)
  }

  protected unschedule(link: PlannedLink) {
    if (this.scheduled.delete(link)) this.trace.push(`unschedule ${link.name}`)
  }

  protected startPlanner() {
    this.trace.push('start')
    return this.onScheduling('start')
  }

  protected shutdownPlanner(wait: boolean) {
    this.trace.push(`shutdown, wait ${wait}`)
    return this.onScheduling('shutdown')
  }

  protected override pausePlanner() {
    this.trace.push('pause')
  }

  protected override resumePlanner() {
    this.trace.push('resume')
  }
}

/** Makes a {@link HandPlanner} that makes no first transfers, and is shut down when the test ends. */
export function handPlanner(
  t: Test,
  links?: OneOrMany<PlannedLink>,
  options: PlannerOptions = {},
  trace: Trace = [],
): HandPlanner {
  const planner = new HandPlanner(links, { immediateTransfer: false, ...options }, trace)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  return planner
}

/** Watches a promise. The returned function gives its state: `pending`, `resolved`, or the reason of its rejection. */
export function stateOf(promise: Promise<unknown>): () => unknown {
  let state: unknown = 'pending'
  promise.then(
    () => (state = 'resolved'),
    (error: unknown) => (state = error),
  )
  return () => state
}
