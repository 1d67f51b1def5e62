import type { Measurement } from './bench.js'
import { cpuCase } from './cpu.js'
import { dueAtOnceCase, KEPT, KEPT_LINKS, onePerMessageCase } from './dispatch.js'
import { besideCase, waitingCase } from './io.js'
import { BREE, IN_BATCHES, jobCase, NOOP_CASE, ONE_BY_ONE, ORIGINAL, recordsFromOriginalCase } from './peers/names.js'
import { pipelinesCase, recordsCase } from './records.js'
import { firstCase, LINKS_CASE, MEMORY_CASE } from './startup.js'
import { BREAK_EVEN_CASE, HEAVY, threadsSubject, workCase } from './offload.js'
import { alignedCase, saturatedCase } from './schedule.js'

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
  /** Value that must be reached. */
  readonly floor: number
  /** Value that a bare prototype of the mechanism reached. */
  readonly aim: number
}

/** Target with its measured value. */
export interface Judged extends Target {
  readonly value: number
  readonly met: 'aim' | 'floor' | 'missed'
}

const CLOSED_LOOP = 'Piscina, closed loop per thread'
const COPIES = recordsCase({ records: 10_000, copy: true, outlets: 1 })
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

/** Targets of all benches. */
export const TARGETS: readonly Target[] = [
  {
    ...{ id: 'P1', bench: 'dispatch', unit: 'x', better: 'more', floor: 15, aim: 40 },
    what: '1,000 no-op links due at once / raw Piscina, one task per transfer, closed loop per thread',
    of: { case: dueAtOnceCase(1000, 2), subject: 'databay', figure: 'rate', peer: CLOSED_LOOP },
  },
  {
    ...{ id: 'P2', bench: 'dispatch', unit: 'x', better: 'more', floor: 0.75, aim: 0.95 },
    what: 'one link per message / raw Piscina with the same tasks in flight',
    of: { case: onePerMessageCase(2), subject: 'databay', figure: 'rate', peer: CLOSED_LOOP },
  },
  {
    ...{ id: 'stats', bench: 'dispatch', unit: 'x', better: 'less', floor: 0.02, aim: 0.02 },
    what: 'the first: share of the time that it takes to keep what stats() tells',
    of: { case: dueAtOnceCase(KEPT_LINKS, 2), subject: 'databay', figure: 'rate', peer: KEPT },
  },
  {
    ...{ id: 'P3', bench: 'records', unit: 'x', better: 'more', floor: 0.7, aim: 1 },
    what: '10,000 with copies, one outlet / plain functions that copy by hand',
    of: { case: COPIES, subject: 'databay', figure: 'rate', peer: 'plain functions, copies by hand' },
  },
  {
    ...{ id: 'P3', bench: 'records', unit: 'x', better: 'more', floor: 3, aim: 4 },
    what: 'the same / plain functions with structuredClone',
    of: { case: COPIES, subject: 'databay', figure: 'rate', peer: 'plain functions, structuredClone' },
  },
  {
    ...{ id: 'P4', bench: 'records', unit: 'x', better: 'more', floor: 1.5, aim: 1.8 },
    what: 'pipelines on 2 threads / on 1',
    of: { case: pipelinesCase(), subject: 'databay, 2 threads', figure: 'rate', peer: 'databay, 1 thread' },
  },
  {
    ...{ id: 'P5', bench: 'cpu', unit: 'x', better: 'more', floor: 1.8, aim: 1.9 },
    what: '8 links that compute, on 2 threads / on 1',
    of: { case: cpuCase('primes'), subject: 'databay, 2 threads', figure: 'rate', peer: 'databay, 1 thread' },
  },
  {
    ...{ id: 'P5', bench: 'cpu', unit: 'x', better: 'more', floor: 0.95, aim: 1 },
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
    ...{ id: 'P10', bench: 'startup', unit: 'ms', better: 'less', floor: 500, aim: 100 },
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
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 200, aim: 500 },
    what: 'runs of a small job / Bree, two wide',
    of: { case: jobCase(), subject: 'databay', figure: 'rate', peer: BREE },
  },
  {
    ...{ id: 'P12', bench: 'peers', unit: 'x', better: 'more', floor: 5, aim: 8 },
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
]

/** Judges the targets of a bench; those whose figure was not measured are left out. */
export function judge(bench: string, measurements: readonly Measurement[]): Judged[] {
  return TARGETS.filter((target) => target.bench === bench).flatMap((target) => {
    const value = find(target, measurements)
    return value === undefined ? [] : [{ ...target, value, met: grade(target, value) }]
  })
}

function find({ of }: Target, measurements: readonly Measurement[]): number | undefined {
  const found = measurements.find(
    (one) => one.case === of.case && one.subject === of.subject && one.figure === of.figure,
  )
  return of.peer === undefined ? found?.median : found?.ratios.find(({ peer }) => peer === of.peer)?.ratio
}

function grade({ better, floor, aim }: Target, value: number): Judged['met'] {
  const reaches = (mark: number) => (better === 'more' ? value >= mark : value <= mark)
  if (reaches(aim)) return 'aim'
  return reaches(floor) ? 'floor' : 'missed'
}
