import { Exposition, labelsText, type MetricType } from './exposition.js'
import { BUCKET_LABELS, TransferLengths, type LeCounts } from '../transfer-lengths.js'
import { scheduleText } from '../../core/schedule.js'
import { linkLabels } from '../link-labels.js'
import type { ThreadReading } from '../../threads/main/thread-stats.js'
import type { LinkReading, PlannerReading } from '../planner-reading.js'

/** Most links of which each has buckets of its own: with more, the buckets count the transfers of all links together. */
export const MOST_LINKS_WITH_BUCKETS = 500

/** One metric: its name, type and help, and how it is read. What is not read has no sample. */
type Metric<T> = readonly [name: string, type: MetricType, help: string, read: (of: T) => number | undefined]

/** Metrics of each link. */
const OF_LINK: readonly Metric<LinkReading>[] = [
  ['databay_transfers_total', 'counter', 'Transfers that have ended.', (link) => link.transfers],
  ['databay_transfers_failed_total', 'counter', 'Transfers with an error.', (link) => link.failed],
  [
    'databay_transfers_skipped_total',
    'counter',
    'Due times without a transfer: it still ran, or could not run.',
    (link) => link.skipped,
  ],
  ['databay_transfers_late_total', 'counter', 'Transfers that were reported as late.', (link) => link.late],
  [
    'databay_transfers_missed_total',
    'counter',
    'Due times that passed unnoticed, as after a stall.',
    (link) => link.missed,
  ],
  [
    'databay_transfer_seconds_total',
    'counter',
    'Sum of the durations of transfers.',
    (link) => seconds(link.lengths?.duration.sum ?? 0),
  ],
  [
    'databay_lateness_seconds_total',
    'counter',
    'Sum of the delays between due times and starts of transfers.',
    (link) => seconds(link.lengths?.lateness.sum ?? 0),
  ],
  ['databay_records_pulled_total', 'counter', 'Records that inlets produced.', (link) => link.pulled],
  [
    'databay_records_pushed_total',
    'counter',
    'Records that outlets took, once for each outlet.',
    (link) => link.pushed,
  ],
  [
    'databay_records_dropped_total',
    'counter',
    'Records that an error or a grouper kept from an outlet, once for each outlet.',
    (link) => link.dropped,
  ],
  ['databay_dead_letters_total', 'counter', 'Dead letters of links with delivery.', (link) => link.dead],
  ['databay_transfers_running', 'gauge', 'Transfers that run now.', (link) => link.running],
  ['databay_records_buffered', 'gauge', 'Records in buffers.', (link) => link.buffered],
  [
    'databay_records_waiting',
    'gauge',
    'Records that wait for outlets which are unavailable, of links with delivery.',
    (link) => link.waiting,
  ],
  [
    'databay_consecutive_failures',
    'gauge',
    'Transfers with an error since the last one without.',
    (link) => link.consecutiveFailures,
  ],
  [
    'databay_last_success_timestamp_seconds',
    'gauge',
    'End of the last transfer without an error; no sample before it.',
    (link) => seconds(link.lastSuccessAt),
  ],
  [
    'databay_next_due_timestamp_seconds',
    'gauge',
    'Next due time; no sample when the link is not due any more, or paused.',
    (link) => seconds(link.nextDueAt),
  ],
  ['databay_link_paused', 'gauge', 'Whether the link is paused.', (link) => Number(link.isPaused)],
  [
    'databay_link_blocked',
    'gauge',
    'Whether the link is blocked, as an outlet or inlet is unavailable.',
    (link) => Number(link.isBlocked),
  ],
  [
    'databay_link_quarantined',
    'gauge',
    'Whether the link may not run, as it has ended its thread.',
    (link) => Number(link.isQuarantined),
  ],
  [
    'databay_link_unstarted',
    'gauge',
    'Whether the link could not be started, and is tried again.',
    (link) => Number(link.startFailure !== undefined),
  ],
]

/** Metrics of the whole planner. Links that were removed count too. */
const OF_PLANNER: readonly Metric<PlannerReading>[] = [
  ['databay_links', 'gauge', 'Links of the planner.', ({ links }) => links.length],
  [
    'databay_planner_transfers_total',
    'counter',
    'Transfers of all links, also of removed ones, and drains of buffers.',
    ({ counts }) => counts.transfers,
  ],
  [
    'databay_planner_transfers_failed_total',
    'counter',
    'Transfers with an error of all links.',
    ({ counts }) => counts.failed,
  ],
  [
    'databay_planner_transfers_skipped_total',
    'counter',
    'Due times without a transfer of all links.',
    ({ counts }) => counts.skipped,
  ],
  [
    'databay_planner_transfers_late_total',
    'counter',
    'Transfers of all links that were reported as late.',
    ({ counts }) => counts.late,
  ],
  [
    'databay_planner_transfers_missed_total',
    'counter',
    'Due times of all links that passed unnoticed.',
    ({ counts }) => counts.missed,
  ],
  [
    'databay_planner_records_lost_total',
    'counter',
    'Records of all links that were lost outside of transfers.',
    ({ counts }) => counts.lost,
  ],
]

/** Metrics of each worker thread. */
const OF_THREAD: readonly Metric<ThreadReading>[] = [
  [
    'databay_thread_busy_seconds_total',
    'counter',
    'Time in which the event loop of the thread was busy.',
    (thread) => seconds(thread.busy),
  ],
  ['databay_thread_transfers_running', 'gauge', 'Transfers that run in the thread.', (thread) => thread.running],
  [
    'databay_thread_transfers_waiting',
    'gauge',
    'Transfers that wait for their turn in the thread.',
    (thread) => thread.waiting,
  ],
  [
    'databay_thread_heap_used_bytes',
    'gauge',
    'Memory of the JavaScript objects of the thread.',
    (thread) => thread.heapUsed,
  ],
  [
    'databay_thread_external_memory_bytes',
    'gauge',
    'Memory outside of the heap that objects of the thread hold.',
    (thread) => thread.external,
  ],
]

/** Samples of one metric as they were written last. */
interface Block {
  readonly labels: readonly string[]
  readonly values: readonly unknown[]
  readonly bytes: Buffer<ArrayBuffer>
}

/** Metrics of a planner: of the whole, of each link, and of each thread. */
export class PlannerMetrics {
  #names: readonly string[] = []
  #labels: readonly string[] = []
  /** Metrics of links by their names: most of them have not changed since the last scrape. */
  readonly #blocks = new Map<string, Block>()

  /** Writes the metrics. */
  write(to: Exposition, planner: PlannerReading): void {
    const { links, threads, removed } = planner
    for (const metric of OF_PLANNER) write(to, metric, [planner], [''])
    this.#setNames(linkLabels(links))
    for (const metric of OF_LINK) to.block(this.#block(metric, links))
    to.block(this.#info(links))
    writeLengths(to, links, this.#names, removed)
    const labels = threads.map(({ thread }) => labelsText({ thread: String(thread) }))
    for (const metric of OF_THREAD) write(to, metric, threads, labels)
  }

  #setNames(names: readonly string[]): void {
    if (isSame(names, this.#names)) return
    this.#names = names
    this.#labels = names.map((link) => labelsText({ link }))
  }

  #block(metric: Metric<LinkReading>, links: readonly LinkReading[]): Buffer<ArrayBuffer> {
    const [name, , , read] = metric
    return this.#unlessSame(name, links.map(read), (to) => {
      write(to, metric, links, this.#labels)
    })
  }

  #info(links: readonly LinkReading[]): Buffer<ArrayBuffer> {
    const name = 'databay_link_info'
    const values = links.flatMap(({ schedule, tags }) => [schedule, tags])
    return this.#unlessSame(name, values, (to) => {
      if (links.length > 0) to.metric(name, 'gauge', 'What a link is: always 1.')
      for (const [at, { schedule, tags }] of links.entries()) {
        const [link = '', text] = [this.#names[at], scheduleText(schedule)]
        to.sample(name, labelsText({ link, schedule: text, tags: tags.join(',') }), 1)
      }
    })
  }

  /** Gives the samples as they were written last, unless links or values have changed since. */
  #unlessSame(name: string, values: readonly unknown[], write: (to: Exposition) => void): Buffer<ArrayBuffer> {
    const before = this.#blocks.get(name)
    if (before?.labels === this.#labels && isSame(values, before.values)) return before.bytes
    const text = new Exposition()
    write(text)
    const block = { labels: this.#labels, values, bytes: text.bytes() }
    this.#blocks.set(name, block)
    return block.bytes
  }
}

function isSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  if (some.length !== others.length) return false
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false
  return true
}

/** Writes a metric of several things of a kind, each with its labels. */
function write<T>(to: Exposition, metric: Metric<T>, of: readonly T[], labels: readonly string[]): void {
  const [name, type, help, read] = metric
  let isBegun = false
  for (let at = 0; at < of.length; at++) {
    const value = read(of[at] as T)
    if (value === undefined) continue
    if (!isBegun) to.metric(name, type, help)
    isBegun = true
    to.sample(name, labels[at] as string, value)
  }
}

function writeLengths(
  to: Exposition,
  links: readonly LinkReading[],
  names: readonly string[],
  removed: TransferLengths,
): void {
  const series: { readonly labels: { readonly [name: string]: string }; readonly lengths: TransferLengths }[] = []
  if (links.length <= MOST_LINKS_WITH_BUCKETS) {
    for (const [at, { lengths = NONE }] of links.entries())
      series.push({ labels: { link: names[at] as string }, lengths })
  } else {
    const all = new TransferLengths()
    all.add(removed)
    for (const { lengths } of links) if (lengths !== undefined) all.add(lengths)
    series.push({ labels: {}, lengths: all })
  }
  if (series.length === 0) return
  const duration = 'databay_transfer_duration_seconds'
  to.metric(duration, 'histogram', 'Durations of transfers, in their thread.')
  for (const { labels, lengths } of series) writeHistogram(to, duration, labels, lengths.duration)
  const lateness = 'databay_transfer_lateness_seconds'
  to.metric(lateness, 'histogram', 'Delays between due times and starts of transfers.')
  for (const { labels, lengths } of series) writeHistogram(to, lateness, labels, lengths.lateness)
}

const NONE = new TransferLengths()

/** Writes one histogram. Its buckets are cumulative. */
function writeHistogram(
  to: Exposition,
  name: string,
  labels: { readonly [name: string]: string },
  { counts, sum }: LeCounts,
): void {
  const before = labelsText({ ...labels, le: '' }).slice(0, -2)
  let count = 0
  for (const [at, le] of BUCKET_LABELS.entries()) {
    count += counts[at] as number
    to.sample(`${name}_bucket`, `${before}${le}"}`, count)
  }
  const own = Object.keys(labels).length === 0 ? '' : labelsText(labels)
  to.sample(`${name}_sum`, own, seconds(sum))
  to.sample(`${name}_count`, own, count)
}

function seconds(milliseconds: number): number
function seconds(milliseconds: number | undefined): number | undefined
function seconds(milliseconds: number | undefined): number | undefined {
  // digits beyond microseconds say nothing, and take long to print
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1000) / 1e6
}
