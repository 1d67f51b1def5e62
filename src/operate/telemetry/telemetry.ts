import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api'
import { loadTelemetryApi } from '../../telemetry/api.js'
import { SCOPE, traceTransfers } from '../../telemetry/tracer.js'
import type { Distribution } from '../histogram.js'
import { linkLabels } from '../link-labels.js'
import type { LinkStats } from '../planner-stats.js'
import type { ObservedPlanner, Service } from '../service.js'
import type { ThreadStats } from '../../threads/main/thread-stats.js'

/** How an instrument is made: a counter only grows, a gauge does not. */
type Kind = 'counter' | 'gauge'

/** One instrument, and how its value is read; without a value nothing is observed. */
interface Instrument<T> {
  readonly kind: Kind
  readonly unit: string
  readonly description: string
  readonly read: (of: T) => Iterable<readonly [value: number | undefined, attributes?: Attributes]>
}

/** A single value. */
const one =
  <T>(read: (of: T) => number | undefined): Instrument<T>['read'] =>
  (of) => [[read(of)]]

/** Instruments of each link. */
const OF_LINK: { readonly [name: string]: Instrument<LinkStats> } = {
  transfers: {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Transfers that have ended',
    read: one((link) => link.transfers),
  },
  'transfers.failed': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Transfers with an error',
    read: one((link) => link.failed),
  },
  'transfers.skipped': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Due times at which the link did not transfer',
    read: one((link) => link.skipped),
  },
  'transfers.late': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Transfers that were reported as late',
    read: one((link) => link.late),
  },
  'transfers.missed': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Due times that passed unnoticed',
    read: one((link) => link.missed),
  },
  'transfers.running': {
    kind: 'gauge',
    unit: '{transfer}',
    description: 'Transfers that run now',
    read: one((link) => link.running),
  },
  records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Records, by what became of them; what became of them at several outlets counts for each',
    read: ({ pulled, pushed, outlets, replayed }) => [
      [pulled, { stage: 'pulled' }],
      [sum(outlets, 'filtered'), { stage: 'filtered' }],
      [pushed, { stage: 'pushed' }],
      [sum(outlets, 'dropped') + sum(outlets, 'lost'), { stage: 'dropped' }],
      [replayed, { stage: 'replayed' }],
    ],
  },
  'transfer.duration': {
    kind: 'gauge',
    unit: 's',
    description: 'Durations of transfers, in their thread',
    read: ({ durations }) => quantiles(durations),
  },
  'transfer.duration.sum': {
    kind: 'counter',
    unit: 's',
    description: 'Sum of the durations',
    read: one(({ durations }) => sumOf(durations)),
  },
  'transfer.duration.count': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Number of the durations',
    read: one(({ durations }) => durations.count),
  },
  lateness: {
    kind: 'gauge',
    unit: 's',
    description: 'Delays between due times and starts of transfers',
    read: ({ lateness }) => quantiles(lateness),
  },
  'lateness.sum': {
    kind: 'counter',
    unit: 's',
    description: 'Sum of the delays',
    read: one(({ lateness }) => sumOf(lateness)),
  },
  'lateness.count': {
    kind: 'counter',
    unit: '{transfer}',
    description: 'Number of the delays',
    read: one(({ lateness }) => lateness.count),
  },
  buffered: { kind: 'gauge', unit: '{record}', description: 'Records in buffers', read: one((link) => link.buffered) },
  waiting: {
    kind: 'gauge',
    unit: '{record}',
    description: 'Records that wait for outlets which are unavailable',
    read: one((link) => link.waiting),
  },
  dead_letters: { kind: 'gauge', unit: '{record}', description: 'Dead letters', read: one((link) => link.dead) },
  consecutive_failures: {
    kind: 'gauge',
    unit: '{transfer}',
    description: 'Transfers with an error since the last one without',
    read: one((link) => link.consecutiveFailures),
  },
  last_success: {
    kind: 'gauge',
    unit: 's',
    description: 'End of the last transfer without an error, since 1970',
    read: one(({ lastSuccessAt }) => seconds(lastSuccessAt)),
  },
  'link.paused': {
    kind: 'gauge',
    unit: '1',
    description: 'Whether the link is paused',
    read: one((link) => Number(link.paused)),
  },
  'link.blocked': {
    kind: 'gauge',
    unit: '1',
    description: 'Whether the link is blocked, as an outlet or inlet is unavailable',
    read: one((link) => Number(link.blocked !== undefined)),
  },
}

/** Instruments of each worker thread. */
const OF_THREAD: { readonly [name: string]: Instrument<ThreadStats> } = {
  'thread.utilization': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of the time in which the event loop of the thread was busy',
    read: one((thread) => thread.utilization),
  },
  'thread.transfers.running': {
    kind: 'gauge',
    unit: '{transfer}',
    description: 'Transfers that run in the thread',
    read: one((thread) => thread.running),
  },
  'thread.transfers.waiting': {
    kind: 'gauge',
    unit: '{transfer}',
    description: 'Transfers that wait for their turn in the thread',
    read: one((thread) => thread.waiting),
  },
  'thread.heap.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'Memory of the JavaScript objects of the thread',
    read: one((thread) => thread.heapUsed),
  },
}

/**
 * Has a planner give metrics and, for its live links, spans to the OpenTelemetry SDK that the program has registered before.
 * The metrics are read from `stats()` when the SDK collects them; without an SDK nothing is.
 *
 * @throws {@link MissingDependencyError} when the package is not installed
 */
export async function openTelemetry(planner: ObservedPlanner): Promise<Service> {
  const { metrics } = await loadTelemetryApi()
  await traceTransfers()
  const meter = metrics.getMeter(SCOPE)
  const make = <T>(instruments: { readonly [name: string]: Instrument<T> }) =>
    Object.entries(instruments).map(([name, { kind, read, ...options }]) => {
      const method = kind === 'counter' ? 'createObservableCounter' : 'createObservableGauge'
      return { observable: meter[method](`databay.${name}`, options), read }
    })
  const ofLinks = make(OF_LINK)
  const ofThreads = make(OF_THREAD)
  const observe = (result: BatchObservableResult) => {
    const { links, threads } = planner.stats()
    const names = linkLabels(links)
    for (const [at, link] of links.entries()) observeAll(result, ofLinks, link, { link: names[at] ?? link.link })
    for (const thread of threads) observeAll(result, ofThreads, thread, { thread: thread.thread })
  }
  const observables = [...ofLinks, ...ofThreads].map(({ observable }) => observable)
  meter.addBatchObservableCallback(observe, observables)
  return {
    close: () => {
      meter.removeBatchObservableCallback(observe, observables)
    },
  }
}

/** Observes all instruments of a link or thread. */
function observeAll<T>(
  result: BatchObservableResult,
  instruments: readonly { readonly observable: Observable; readonly read: Instrument<T>['read'] }[],
  of: T,
  attributes: Attributes,
): void {
  for (const { observable, read } of instruments) {
    for (const [value, own] of read(of)) {
      if (value !== undefined) result.observe(observable, value, { ...attributes, ...own })
    }
  }
}

function quantiles({ count, p50, p99, max }: Distribution): (readonly [number, Attributes])[] {
  if (count === 0) return []
  return [
    [p50 / 1000, { quantile: 0.5 }],
    [p99 / 1000, { quantile: 0.99 }],
    [max / 1000, { quantile: 1 }],
  ]
}

function sumOf({ count, mean }: Distribution): number {
  return (count * mean) / 1000
}

function sum<K extends string>(accounts: readonly { readonly [name in K]: number }[], name: K): number {
  return accounts.reduce((all, account) => all + account[name], 0)
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000
}
