import type { Measurement } from './bench.js'
import { cpuCase } from './cpu.js'
import { BY_INSERT_MANY, MONGO_CASE } from './databases/mongodb.js'
import * as tables from './databases/postgres.js'
import { BY_HAND, S3_SIZES, s3Case } from './databases/s3.js'
import { BY_GET, LARGE_CASE, SMALL_CASE } from './databases/s3-reading.js'
import { COPY_CASE, CURSOR, MEMORY, MEMORY_WITH_STORE, MORE, smallCase } from './delivery.js'
import { dueAtOnceCase, onePerMessageCase } from './dispatch.js'
import { KEPT, KEPT_LINKS } from './kept.js'
import { BY_CSV_PARSE, BY_PYTHON, BY_STREAMS, CSV_CASE, LINE_CASE, LINES_CASE } from './files.js'
import { besideCase, waitingCase } from './io.js'
import { BREE, IN_BATCHES, jobCase, NOOP_CASE, ONE_BY_ONE, ORIGINAL, recordsFromOriginalCase } from './peers/names.js'
import { pipelinesCase, recordsCase } from './records.js'
import { firstCase, LINKS_CASE, MEMORY_CASE } from './startup.js'
import { SCRAPED, scrapedCase } from './operate.js'
import { BREAK_EVEN_CASE, HEAVY, threadsSubject, workCase } from './offload.js'
import { alignedCase, saturatedCase } from './schedule.js'
import { BESIDE, NEIGHBOUR_CASE, streamedCase, streamedSubject } from './stream.js'
import { COPIES as COPIES_OF_ROWS, SPREAD, WIDE_CASE } from './wide-rows.js'

/** Target of a figure. Absolute figures hold for a machine of two cores. */
export interface Target {
  /** Short name, like `P1`; several targets may share it. */
  readonly id: string
  readonly bench: string
  readonly what: string
  /** Place of the figure in the measurements: with a peer the ratio to that peer, else the median itself. */
  readonly of: Pick<Measurement, 'case' | 'subject' | 'figure'> & { readonly peer?: string }
  /** Unit of the figure; `x` for a ratio. */
  readonly unit: string
  readonly better: 'more' | 'less'
  /**
   * Whether the target may be judged by CPU per item: it compares rates of equal numbers of threads. A loaded machine takes
   * time from both, but not in equal shares.
   */
  readonly orCpu?: true
  /** Value that must be reached. */
  readonly floor: number
  /** Value that a bare prototype of the mechanism reached. */
  readonly aim: number
}

/** Target with its measured value. */
export interface Judged extends Target {
  readonly value: number
  /** Whether the value is the peer's CPU per item / ours, rather than a ratio of rates. */
  readonly byCpu: boolean
  readonly met: 'aim' | 'floor' | 'missed'
}

const CLOSED_LOOP = 'Piscina, closed loop per thread'
const COPIES = recordsCase({ records: 10_000, copy: true, outlets: 1 })
const READS_ONLY = recordsCase({ records: 10_000, copy: true, outlets: 1, readsOnly: true })
const IO = [
  { links: 30, floor: 115, aim: 104 },
  { links: 300, floor: 150, aim: 114 },
  { links: 1000, floor: 250, aim: 150 },
]

const SCHEDULE = [
  { figure: 'dispatched p99', unit: 'ms', floor: 30, aim: 12 },
  { figure: 'runs p99', unit: 'ms', floor: 60, aim: 24 },
  { figure: 'missed', unit: 'runs', floor: 0, aim: 0 },
  { figure: 'main thread', unit: '% CPU', floor: 5, aim: 1 },
]

/** What is stored or read by a connector, and the peer that does the same by hand. */
const CONNECTORS = [
  { what: 'PostgresOutlet, insert', of: tables.INSERT_CASE, peer: tables.BY_INSERT },
  { what: 'PostgresOutlet, copy', of: tables.COPY_CASE, peer: tables.BY_COPY },
  { what: 'PostgresInlet', of: tables.READ_CASE, peer: tables.BY_FETCH },
  { what: 'MongoOutlet', of: MONGO_CASE, peer: BY_INSERT_MANY },
  ...S3_SIZES.map((size) => ({ what: `S3Outlet, ${size} MiB an object`, of: s3Case(size), peer: BY_HAND })),
  { what: 'S3Inlet, objects of 1 MiB', of: LARGE_CASE, peer: BY_GET },
  { what: 'S3Inlet, small objects', of: SMALL_CASE, peer: BY_GET },
]

/** Targets of all benches. */
export const TARGETS: readonly Target[] = [
  {
    ...{ id: 'P1', bench: 'dispatch', unit: 'x', better: 'more', floor: 15, aim: 40, orCpu: true },
    what: '1,000 no-op links due at once / raw Piscina, one task per transfer, closed loop per thread',
    of: { case: dueAtOnceCase(1000, 2), subject: 'databay', figure: 'rate', peer: CLOSED_LOOP },
  },
  {
    ...{ id: 'P2', bench: 'dispatch', unit: 'x', better: 'more', floor: 0.72, aim: 0.85, orCpu: true },
    what: 'one link per message / raw Piscina with the same tasks in flight',
    of: { case: onePerMessageCase(2), subject: 'databay', figure: 'rate', peer: CLOSED_LOOP },
  },
  {
    ...{ id: 'stats', bench: 'dispatch', unit: 'x', better: 'less', floor: 0.06, aim: 0.06 },
    what: '1,000 no-op links due at once: share of the time that it takes to keep what stats() tells',
    of: { case: dueAtOnceCase(KEPT_LINKS, 2), subject: 'databay', figure: 'rate', peer: KEPT },
  },
  {
    ...{ id: 'stats', bench: 'dispatch', unit: 'x', better: 'less', floor: 0.02, aim: 0.02 },
    what: 'one link per message: share of the time that it takes to keep what stats() tells',
    of: { case: onePerMessageCase(2), subject: 'databay', figure: 'rate', peer: KEPT },
  },
  {
    ...{ id: 'P3a', bench: 'records', unit: 'x', better: 'more', floor: 0.35, aim: 0.45, orCpu: true },
    what: '10,000 with copies, one outlet / plain functions that copy by hand',
    of: { case: COPIES, subject: 'databay', figure: 'rate', peer: 'plain functions, copies by hand' },
  },
  {
    ...{ id: 'P3a', bench: 'records', unit: 'x', better: 'more', floor: 3, aim: 4, orCpu: true },
    what: 'the same / plain functions with structuredClone',
    of: { case: COPIES, subject: 'databay', figure: 'rate', peer: 'plain functions, structuredClone' },
  },
  {
    ...{ id: 'P3b', bench: 'records', unit: 'x', better: 'more', floor: 0.5, aim: 0.8, orCpu: true },
    what: 'the same, an outlet that only reads / plain functions without a copy',
    of: { case: READS_ONLY, subject: 'databay', figure: 'rate', peer: 'plain functions, no copies' },
  },
  {
    ...{ id: 'P3c', bench: 'records', unit: 'x', better: 'less', floor: 0.3, aim: 0.12 },
    what: 'CPU of a copy of a row of 30 fields / of a spread of it',
    of: { case: WIDE_CASE, subject: COPIES_OF_ROWS, figure: 'cpu', peer: SPREAD },
  },
  {
    ...{ id: 'P4', bench: 'records', unit: 'x', better: 'more', floor: 1.6, aim: 1.9 },
    what: 'pipelines on 2 threads / on 1',
    of: { case: pipelinesCase(), subject: 'databay, 2 threads', figure: 'rate', peer: 'databay, 1 thread' },
  },
  {
    ...{ id: 'P5', bench: 'cpu', unit: 'x', better: 'more', floor: 1.8, aim: 1.9 },
    what: '8 links that compute, on 2 threads / on 1',
    of: { case: cpuCase('primes'), subject: 'databay, 2 threads', figure: 'rate', peer: 'databay, 1 thread' },
  },
  {
    ...{ id: 'P5', bench: 'cpu', unit: 'x', better: 'more', floor: 0.98, aim: 1, orCpu: true },
    what: 'the same / raw Piscina',
    of: { case: cpuCase('primes'), subject: 'databay, 2 threads', figure: 'rate', peer: 'Piscina, 2 threads' },
  },
  {
    ...{ id: 'P5', bench: 'cpu', unit: 'ms', better: 'less', floor: 5, aim: 1 },
    what: 'delay p99 of the main thread meanwhile',
    of: { case: cpuCase('primes'), subject: 'databay, 2 threads', figure: 'delay p99' },
  },
  ...IO.map(({ links, floor, aim }): Target => ({
    ...{ id: 'P6', bench: 'io', unit: 'ms', better: 'less', floor, aim },
    what: `${links.toLocaleString('en')} links of 100 ms all done`,
    of: { case: waitingCase(links, 2), subject: 'databay', figure: 'all done' },
  })),
  {
    ...{ id: 'P7', bench: 'io', unit: 'ms', better: 'less', floor: 130, aim: 104 },
    what: '30 links of 100 ms all done, beside 8 that compute',
    of: { case: besideCase(30, 2), subject: 'databay, lanes given', figure: 'all done' },
  },
  ...SCHEDULE.map(({ figure, unit, floor, aim }): Target => ({
    ...{ id: 'P8', bench: 'schedule', unit, better: 'less', floor, aim },
    what: `10,000 links at 1 s in the same millisecond: ${figure}`,
    of: { case: alignedCase(10_000), subject: 'databay', figure },
  })),
  {
    ...{ id: 'P9', bench: 'schedule', unit: 'ms', better: 'less', floor: 10, aim: 1.5 },
    what: '10,000 links at 1 s spread over it, both threads saturated: dispatched p99',
    of: { case: saturatedCase(10_000), subject: 'databay', figure: 'dispatched p99' },
  },
  {
    ...{ id: 'P10', bench: 'startup', unit: 'ms', better: 'less', floor: 10, aim: 1 },
    what: 'first transfer of a warm planner',
    of: { case: firstCase(2), subject: 'databay', figure: 'warm' },
  },
  {
    ...{ id: 'P10', bench: 'startup', unit: 'MiB', better: 'less', floor: 14, aim: 9 },
    what: 'memory per thread, empty',
    of: { case: MEMORY_CASE, subject: 'empty', figure: 'memory' },
  },
  {
    ...{ id: 'P10', bench: 'startup', unit: 'MiB', better: 'less', floor: 35, aim: 25 },
    what: 'memory per thread, with mongodb and undici',
    of: { case: MEMORY_CASE, subject: 'loaded', figure: 'memory' },
  },
  {
    ...{ id: 'P10', bench: 'startup', unit: 'bytes', better: 'less', floor: 4096, aim: 1024 },
    what: 'heap of the main thread per idle link, 10,000 links',
    of: { case: LINKS_CASE, subject: 'databay', figure: 'heap' },
  },
  {
    ...{ id: 'P10', bench: 'startup', unit: 'ms', better: 'less', floor: 400, aim: 250 },
    what: 'adding 10,000 links',
    of: { case: LINKS_CASE, subject: 'databay', figure: 'adding' },
  },
  {
    ...{ id: 'P11', bench: 'offload', unit: 'us', better: 'less', floor: 5, aim: 2 },
    what: 'work per record from which on it pays on 2 threads',
    of: { case: BREAK_EVEN_CASE, subject: threadsSubject(2), figure: 'work' },
  },
  {
    ...{ id: 'P11', bench: 'offload', unit: 'x', better: 'more', floor: 1.6, aim: 1.9 },
    what: 'heavy work on 2 threads / in place',
    of: { case: workCase(HEAVY), subject: threadsSubject(2), figure: 'rate', peer: 'in place' },
  },
  ...CONNECTORS.map(({ what, of, peer }): Target => ({
    ...{ id: 'C1', bench: 'databases', unit: 'x', better: 'more', floor: 0.8, aim: 1 },
    what: `${what} / ${peer}`,
    of: { case: of, subject: 'databay', figure: 'rate', peer },
  })),
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 200, aim: 500 },
    what: 'runs of a small job / Bree, two wide',
    of: { case: jobCase(), subject: 'databay', figure: 'rate', peer: BREE },
  },
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 3.4, aim: 4.2 },
    what: `no-op transfers one by one / ${ORIGINAL}`,
    of: { case: NOOP_CASE, subject: ONE_BY_ONE, figure: 'rate', peer: ORIGINAL },
  },
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 75, aim: 180 },
    what: `no-op transfers in batches / ${ORIGINAL}`,
    of: { case: NOOP_CASE, subject: IN_BATCHES, figure: 'rate', peer: ORIGINAL },
  },
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 20, aim: 100 },
    what: `10,000 records with copies / ${ORIGINAL}`,
    of: { case: recordsFromOriginalCase(), subject: 'databay', figure: 'rate', peer: ORIGINAL },
  },
  {
    ...{ id: 'S1', bench: 'stream', unit: 'x', better: 'less', floor: 1.3, aim: 1 },
    what: 'CPU of a record in transfers of 1,000,000 / of 10,000, streamed',
    of: { case: streamedCase(), subject: streamedSubject(1_000_000), figure: 'cpu', peer: streamedSubject(10_000) },
  },
  {
    ...{ id: 'S2', bench: 'stream', unit: 'MiB', better: 'less', floor: 80, aim: 40 },
    what: 'memory above the idle process: 1,000,000 records, streamed',
    of: { case: streamedCase(), subject: streamedSubject(1_000_000), figure: 'memory' },
  },
  {
    ...{ id: 'S2', bench: 'files', unit: 'MiB', better: 'less', floor: 80, aim: 40 },
    what: 'memory above the idle process: all lines of a file in a transfer',
    of: { case: LINES_CASE, subject: 'databay', figure: 'memory' },
  },
  {
    ...{ id: 'S3', bench: 'files', unit: 'x', better: 'more', floor: 0.35, aim: 0.5, orCpu: true },
    what: 'lines, file to file / Node streams that split and join lines',
    of: { case: LINES_CASE, subject: 'databay', figure: 'rate', peer: BY_STREAMS },
  },
  {
    ...{ id: 'S4', bench: 'files', unit: 'x', better: 'more', floor: 1.2, aim: 2, orCpu: true },
    what: 'CSV to CSV / Python, DictReader to DictWriter',
    of: { case: CSV_CASE, subject: 'databay', figure: 'rate', peer: BY_PYTHON },
  },
  {
    ...{ id: 'S4', bench: 'files', unit: 'x', better: 'more', floor: 2.5, aim: 4, orCpu: true },
    what: 'the same / csv-parse to csv-stringify as streams',
    of: { case: CSV_CASE, subject: 'databay', figure: 'rate', peer: BY_CSV_PARSE },
  },
  {
    ...{ id: 'S5', bench: 'files', unit: 'x', better: 'more', floor: 1, aim: 1.5, orCpu: true },
    what: `one line per transfer, file to file / ${ORIGINAL}`,
    of: { case: LINE_CASE, subject: 'databay', figure: 'rate', peer: ORIGINAL },
  },
  {
    ...{ id: 'S7', bench: 'stream', unit: 'ms', better: 'less', floor: 50, aim: 20 },
    what: 'p99 of how late a waiting link is in the thread of one that copies a file',
    of: { case: NEIGHBOUR_CASE, subject: BESIDE, figure: 'late p99' },
  },
  {
    ...{ id: 'D1', bench: 'delivery', unit: 'commits', better: 'less', floor: 1.3, aim: 1 },
    what: '1,000 lines a transfer, file to file: time with a cursor above that in memory',
    of: { case: COPY_CASE, subject: MORE, figure: 'time' },
  },
  {
    ...{ id: 'D1', bench: 'delivery', unit: 'us', better: 'less', floor: 0.3, aim: 0.1 },
    what: 'the same: CPU of a record above that in memory and of a bare commit',
    of: { case: COPY_CASE, subject: MORE, figure: 'cpu' },
  },
  {
    ...{ id: 'D2', bench: 'delivery', unit: 'transfers/s', better: 'more', floor: 10_000, aim: 20_000 },
    what: '100 small links with a cursor in each of 2 threads',
    of: { case: smallCase(2), subject: CURSOR, figure: 'rate' },
  },
  {
    ...{ id: 'D3', bench: 'delivery', unit: 'x', better: 'less', floor: 1.3, aim: 1.05 },
    what: 'CPU of links in memory, in a planner with a store / without',
    of: { case: smallCase(2), subject: MEMORY_WITH_STORE, figure: 'cpu', peer: MEMORY },
  },
  {
    ...{ id: 'scrape', bench: 'operate', unit: '% of a core', better: 'less', floor: 2, aim: 1 },
    what: '1,000 links due every second: CPU that a scrape each second takes',
    of: { case: scrapedCase('spread'), subject: SCRAPED, figure: 'CPU more' },
  },
  {
    ...{ id: 'scrape', bench: 'operate', unit: 'ms', better: 'less', floor: 2, aim: 0.5 },
    what: 'the same: how much later they are, p99',
    of: { case: scrapedCase('spread'), subject: SCRAPED, figure: 'late p99 more' },
  },
]

/** Load of a machine above which rates are not judged, but CPU per item. */
const MOST_LOAD = 1

/**
 * Judges the targets of a bench; those whose figure was not measured are left out.
 *
 * @param load - the machine's load before the benches
 */
export function judge(bench: string, measurements: readonly Measurement[], load: number): Judged[] {
  return TARGETS.filter((target) => target.bench === bench).flatMap((target) => {
    const byCpu = target.orCpu === true && load > MOST_LOAD
    const value = byCpu ? 1 / (find(target, measurements, 'cpu') ?? Number.NaN) : find(target, measurements)
    return value === undefined || Number.isNaN(value) ? [] : [{ ...target, value, byCpu, met: grade(target, value) }]
  })
}

function find({ of }: Target, measurements: readonly Measurement[], figure = of.figure): number | undefined {
  const found = measurements.find((one) => one.case === of.case && one.subject === of.subject && one.figure === figure)
  return of.peer === undefined ? found?.median : found?.ratios.find(({ peer }) => peer === of.peer)?.ratio
}

function grade({ better, floor, aim }: Target, value: number): Judged['met'] {
  const reaches = (mark: number) => (better === 'more' ? value >= mark : value <= mark)
  if (reaches(aim)) return 'aim'
  return reaches(floor) ? 'floor' : 'missed'
}
