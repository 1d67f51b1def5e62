import t from 'tap'
import { Exposition, labelsText } from '../../../src/operate/http/exposition.js'
import { PlannerMetrics } from '../../../src/operate/http/planner-metrics.js'
import { ProcessMetrics } from '../../../src/operate/http/process-metrics.js'
import type { LinkReading, PlannerReading } from '../../../src/operate/planner-reading.js'
import { BUCKET_LABELS, TransferLengths } from '../../../src/operate/transfer-lengths.js'
import fc from '../../helpers/fast-check.js'
import { histogramOf, lintMetrics, parseMetrics, valueOf } from '../../helpers/prometheus.js'

const SCHEDULE = { every: 5000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }

function reading(link: string, more: Partial<LinkReading> = {}): LinkReading {
  return {
    link,
    tags: [],
    schedule: SCHEDULE,
    transfers: 0,
    failed: 0,
    skipped: 0,
    late: 0,
    missed: 0,
    consecutiveFailures: 0,
    lastSuccessAt: undefined,
    nextDueAt: undefined,
    running: 0,
    lengths: undefined,
    pulled: 0,
    pushed: 0,
    dropped: 0,
    buffered: 0,
    waiting: undefined,
    dead: undefined,
    isPaused: false,
    isBlocked: false,
    isQuarantined: false,
    startFailure: undefined,
    ...more,
  }
}

const COUNTS = { transfers: 0, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 }

function planner(links: readonly LinkReading[], more: Partial<PlannerReading> = {}): PlannerReading {
  return { counts: COUNTS, links, removed: new TransferLengths(), threads: [], ...more }
}

function write(of: PlannerReading, metrics = new PlannerMetrics()): string {
  const text = new Exposition()
  metrics.write(text, of)
  return text.bytes().toString()
}

function lengths(...each: readonly number[]): TransferLengths {
  const all = new TransferLengths()
  for (const length of each) all.record(length, length / 10)
  return all
}

const metricOf = (text: string, name: string) => parseMetrics(text).find((metric) => metric.name === name)

t.test('all figures of links and threads are there, in base units', async (t) => {
  const links = [
    reading('a', {
      transfers: 9,
      failed: 1,
      skipped: 2,
      late: 3,
      missed: 4,
      consecutiveFailures: 1,
      lastSuccessAt: 1_700_000_000_123.4,
      nextDueAt: 1_700_000_005_000,
      running: 2,
      lengths: lengths(1, 1500),
      pulled: 50,
      pushed: 40,
      dropped: 10,
      buffered: 7,
      waiting: 3,
      dead: 5,
      isPaused: true,
      isBlocked: true,
      isQuarantined: true,
      startFailure: 'ECONNREFUSED',
    }),
    reading('b'),
  ]
  const thread = { thread: 1, busy: 1234.5678, running: 3, waiting: 4, heapUsed: 1e7, external: 2e6 }
  const text = write(planner(links, { counts: { ...COUNTS, transfers: 12, lost: 6 }, threads: [thread] }))
  t.strictSame(lintMetrics(text), [])
  const of = (link: string) => ({
    ...Object.fromEntries(
      parseMetrics(text)
        .filter(({ type }) => type !== 'HISTOGRAM')
        .map(({ name }) => [name.replace('databay_', ''), valueOf(text, name, { link })]),
    ),
  })
  t.match(of('a'), {
    transfers_total: 9,
    transfers_failed_total: 1,
    transfers_skipped_total: 2,
    transfers_late_total: 3,
    transfers_missed_total: 4,
    transfer_seconds_total: 1.501,
    lateness_seconds_total: 0.1501,
    records_pulled_total: 50,
    records_pushed_total: 40,
    records_dropped_total: 10,
    dead_letters_total: 5,
    transfers_running: 2,
    records_buffered: 7,
    records_waiting: 3,
    consecutive_failures: 1,
    last_success_timestamp_seconds: 1_700_000_000.1234,
    next_due_timestamp_seconds: 1_700_000_005,
    link_paused: 1,
    link_blocked: 1,
    link_quarantined: 1,
    link_unstarted: 1,
    link_info: 1,
  })
  t.match(of('b'), {
    transfers_total: 0,
    dead_letters_total: undefined,
    records_waiting: undefined,
    last_success_timestamp_seconds: undefined,
    next_due_timestamp_seconds: undefined,
    link_paused: 0,
    link_unstarted: 0,
  })
  t.equal(valueOf(text, 'databay_links'), 2)
  t.equal(valueOf(text, 'databay_planner_transfers_total'), 12)
  t.equal(valueOf(text, 'databay_planner_records_lost_total'), 6)
  t.equal(valueOf(text, 'databay_thread_busy_seconds_total', { thread: '1' }), 1.234568)
  t.equal(valueOf(text, 'databay_thread_heap_used_bytes', { thread: '1' }), 1e7)
})

t.test('buckets have 12 ends, which belong to them', async (t) => {
  t.strictSame(BUCKET_LABELS.length, 13)
  const all = new TransferLengths()
  for (const length of [-5, 0, 4.9, 5, 5.001, 1000, 1000.5, 600_000, 600_001, 1e9]) all.record(length, length)
  const text = write(planner([reading('a', { lengths: all })]))
  t.strictSame(histogramOf(text, 'databay_transfer_duration_seconds', 'link="a"'), {
    '0.005': 4,
    '0.01': 5,
    '0.025': 5,
    '0.05': 5,
    '0.1': 5,
    '0.25': 5,
    '0.5': 5,
    '1': 6,
    '2.5': 7,
    '10': 7,
    '60': 7,
    '600': 8,
    '+Inf': 10,
    sum: 1_001_202.016401,
    count: 10,
  })
})

t.test(
  'with more than 500 links, buckets count the transfers of all links, also of those that have left',
  async (t) => {
    const links = Array.from({ length: 501 }, (_, at) => reading(`l${at}`, { transfers: 1, lengths: lengths(10) }))
    const few = write(planner(links.slice(1)))
    t.equal(few.match(/databay_transfer_duration_seconds_count\{/g)?.length, 500)
    const many = write(planner(links, { removed: lengths(10, 10) }))
    t.strictSame(lintMetrics(many), [])
    t.match(histogramOf(many, 'databay_transfer_duration_seconds', ''), {
      '0.005': 0,
      '0.01': 503,
      count: 503,
      sum: 5.03,
    })
    t.equal(many.match(/databay_transfer_duration_seconds_count/g)?.length, 1)
    t.equal(metricOf(many, 'databay_transfers_total')?.metrics.length, 501, 'all else is there of each link')
    t.equal(valueOf(many, 'databay_transfer_seconds_total', { link: 'l500' }), 0.01)
  },
)

t.test('any name makes a label, and links that share one are numbered', async (t) => {
  const name = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    fc.constantFrom('a', 'a#2', 'a#3', 'a"', 'a\\', 'a\nb', '}', 'le="1"', 'a,b="c"', '\u00fc\u{1f600}', '__name__'),
  )
  fc.assert(
    fc.property(fc.array(name, { maxLength: 12 }), fc.array(name, { maxLength: 3 }), (names, tags) => {
      const text = write(planner(names.map((link, at) => reading(link, { transfers: at, tags }))))
      t.strictSame(lintMetrics(text), [], JSON.stringify(names))
      const samples = metricOf(text, 'databay_transfers_total')?.metrics ?? []
      t.strictSame(
        samples.map(({ value }) => Number(value)),
        names.map((_, at) => at),
      )
      for (const [at, link] of names.entries()) {
        const label = samples[at]?.labels?.['link'] ?? ''
        const isFirst = names.indexOf(link) === at
        t.ok(isFirst ? label === link : label.startsWith(`${link}#`), `${label} is ${link}`)
      }
    }),
  )
})

t.test('what has not changed since the last scrape is the same, and what has is new', async (t) => {
  const metrics = new PlannerMetrics()
  const fields = fc.record({
    transfers: fc.nat(2),
    failed: fc.nat(1),
    isPaused: fc.boolean(),
    lastSuccessAt: fc.option(fc.nat(2), { nil: undefined }),
    dead: fc.option(fc.nat(1), { nil: undefined }),
  })
  const links = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fields), { selector: ([link]) => link })
  fc.assert(
    fc.property(links, (some) => {
      const of = planner(some.map(([link, more]) => reading(link, more)))
      t.equal(write(of, metrics), write(of), 'as a fresh one writes it')
    }),
  )
})

t.test('a planner without links is a valid text too', async (t) => {
  t.strictSame(lintMetrics(write(planner([]))), [])
  t.equal(valueOf(write(planner([])), 'databay_links'), 0)
})

t.test('figures of the process have their usual names', async (t) => {
  const text = new Exposition()
  const metrics = new ProcessMetrics()
  metrics.write(text)
  const written = text.bytes().toString()
  t.strictSame(lintMetrics(written), [])
  const now = Date.now() / 1000
  const started = valueOf(written, 'process_start_time_seconds') ?? 0
  t.ok(started > now - 3600 && started < now, `${started}`)
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes']) {
    t.ok(Number(valueOf(written, name)) > 0, name)
  }
  const busy = Number(valueOf(written, 'nodejs_eventloop_utilization_ratio'))
  t.ok(busy >= 0 && busy <= 1, `${busy}`)
})

t.test('labels are escaped', async (t) => {
  t.equal(labelsText({ a: 'x', b: '"\\\n' }), '{a="x",b="\\"\\\\\\n"}')
})

t.test('the rules of the format are checked here', async (t) => {
  const good = '# HELP a_total Help.\n# TYPE a_total counter\na_total{x="1"} 1\n'
  t.strictSame(lintMetrics(good), [])
  for (const bad of [
    good.trimEnd(),
    good + good,
    `${good}a_total{x="1"} 2\n`,
    good.replaceAll('a_total', 'a'),
    good.replace('counter', 'gauge'),
    good.replace('{x="1"}', '{x="1"y="2"}'),
    good.replace('{x="1"}', '{x=""1"}'),
    good.replace(' 1\n', ' one\n'),
    good.replaceAll('a_total', 'a_milliseconds_total'),
    `${good}b 1\n`,
    '# HELP h Help.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    '# HELP h Help.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 1\nh_count 1\n',
  ]) {
    t.not(lintMetrics(bad).length, 0, bad)
  }
})
