import type { OutletReport, ReportedError, StageTime, TransferIdentity, TransferReport } from '../../core/report.js'
import { StageLists, type StageList } from './stage-lists.js'

/** The report of a run, without what the main thread knows already. */
export type RunReport = Omit<TransferReport, keyof TransferIdentity>

/** Reports of runs, as they cross between threads. */
export type PackedReports = LoneReport | ManyReports

/**
 * The report of one run, alone in its message and without errors: the run, its times and counts, for each stage its
 * names and its time, and for each outlet its name and its counts. A structured clone carries a short list of plain values for a third of what {@link ManyReports}
 * cost.
 */
export type LoneReport = readonly (number | string)[]

/**
 * Reports of many runs, as what a structured clone carries best: it copies numbers as one block, where objects cost it
 * some microseconds each. Counts are apart from times, as a number that may have a fraction gets a box when it is read.
 */
export interface ManyReports {
  readonly event: 'reports'
  /** Run and three times of each report, and the times of its stages. */
  readonly times: Float64Array
  /**
   * Counts of each report, the place of the list of its stages, the number of its outlets, and for each of them the place of its
   * name and its counts.
   */
  readonly counts: Uint32Array
  /** Names of outlets, each once. */
  readonly names: readonly string[]
  /** Names of stages, each list once. */
  readonly stages: readonly StageList[]
  /**
   * Reports with something that has no room among the others: counts of a transfer that streams for days, or what only links
   * with `delivery` have.
   */
  readonly large?: readonly { readonly run: number; readonly report: RunReport }[]
  /** Errors of the reports that have some. */
  readonly errors: readonly {
    readonly run: number
    readonly errors: readonly ReportedError[]
    readonly failed: boolean
  }[]
}

/** Number of times of a report, of its counts, and of the counts of each of its outlets. */
const TIMES = 4
const COUNTS = 10
const OUTLET_COUNTS = 7

/** Gathers reports for one message. */
export class ReportPacker {
  readonly #times = new Numbers(Float64Array)
  readonly #counts = new Numbers(Uint32Array)
  #names = new Map<string, number>()
  readonly #stages = new StageLists()
  #errors: ManyReports['errors'][number][] = []
  #large: { readonly run: number; readonly report: RunReport }[] | undefined
  /** The first report, as long as there is no other. */
  #first: { readonly run: number; readonly report: RunReport } | undefined

  /** Whether there is no report. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.#times.used === 0
  }

  /** Adds the report of a run. */
  add(run: number, report: RunReport): void {
    if (this.isEmpty) {
      this.#first = { run, report }
      return
    }
    this.#addFirst()
    this.#add(run, report)
  }

  /** Gives the reports, and begins with none. */
  take(): PackedReports {
    if (this.#first?.report.errors.length === 0 && !hasMore(this.#first.report)) {
      const { run, report } = this.#first
      this.#first = undefined
      return packLone(run, report)
    }
    this.#addFirst()
    return this.#takeMany()
  }

  #addFirst(): void {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) this.#add(first.run, first.report)
  }

  #add(run: number, report: RunReport): void {
    const { outlets, stages, errors, failed } = report
    const times = this.#times.room(TIMES + stages.length)
    let at = this.#times.used
    times[at++] = run
    times[at++] = report.startedAt
    times[at++] = report.endedAt
    times[at++] = report.busy
    for (const { duration } of stages) times[at++] = duration
    this.#times.used = at
    const counts = this.#counts.room(COUNTS + outlets.length * OUTLET_COUNTS)
    at = this.#counts.used
    counts[at++] = report.pulled
    counts[at++] = report.filtered
    counts[at++] = report.added
    counts[at++] = report.dropped
    counts[at++] = report.buffered
    counts[at++] = report.grouped
    counts[at++] = report.batches
    counts[at++] = report.rounds
    counts[at++] = this.#stages.placeOf(stages)
    counts[at++] = outlets.length
    for (const outlet of outlets) {
      counts[at++] = this.#placeOf(outlet.outlet)
      counts[at++] = outlet.pushed
      counts[at++] = outlet.filtered
      counts[at++] = outlet.added
      counts[at++] = outlet.dropped
      counts[at++] = outlet.batches
      counts[at++] = outlet.buffered
    }
    this.#counts.used = at
    if (errors.length > 0) this.#errors.push({ run, errors, failed })
    // no list is longer, so that only rounds can add up to more
    if ((report.rounds > 1 && isLarge(report)) || hasMore(report)) (this.#large ??= []).push({ run, report })
  }

  #takeMany(): ManyReports {
    const names = [...this.#names.keys()]
    const [times, counts] = [this.#times.take(), this.#counts.take()]
    const stages = this.#stages.take()
    const packed = { event: 'reports', times, counts, names, stages, errors: this.#errors } as const
    const large = this.#large
    this.#large = undefined
    if (names.length > 0) this.#names = new Map()
    if (this.#errors.length > 0) this.#errors = []
    return large === undefined ? packed : { ...packed, large }
  }

  #placeOf(name: string): number {
    let place = this.#names.get(name)
    if (place === undefined) {
      place = this.#names.size
      this.#names.set(name, place)
    }
    return place
  }
}

/** A list of numbers of one kind that grows. */
class Numbers<A extends Float64Array | Uint32Array> {
  used = 0
  readonly #kind: new (length: number) => A
  #numbers: A

  constructor(kind: new (length: number) => A) {
    this.#kind = kind
    this.#numbers = new kind(1024)
  }

  /** Gives the list with room for some further numbers after those that are used. */
  room(further: number): A {
    if (this.used + further > this.#numbers.length) {
      const larger = new this.#kind(2 * (this.used + further))
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    return this.#numbers
  }

  /** Gives the numbers, and begins with none. */
  take(): A {
    const taken = this.#numbers.slice(0, this.used) as A
    this.used = 0
    return taken
  }
}

/**
 * Unpacks reports.
 *
 * @param identify - gives the transfer of a run; the report of a run that is not known is left out
 * @param take - called with each transfer and its report
 */
export function unpackReports<T extends TransferIdentity>(
  packed: PackedReports,
  identify: (run: number) => T | undefined,
  take: (transfer: T, report: TransferReport) => void,
): void {
  if ('event' in packed) {
    unpackMany(packed, identify, take)
    return
  }
  const transfer = identify(packed[0] as number)
  if (transfer !== undefined) take(transfer, unpackLone(packed, transfer))
}

function unpackMany<T extends TransferIdentity>(
  packed: ManyReports,
  identify: (run: number) => T | undefined,
  take: (transfer: T, report: TransferReport) => void,
): void {
  const { times, counts, names, large } = packed
  const failures = packed.errors.length === 0 ? undefined : new Map(packed.errors.map((one) => [one.run, one]))
  const wholes = large && new Map(large.map((one) => [one.run, one.report]))
  let time = 0
  let count = 0
  while (time < times.length) {
    const [at, from] = [time, count]
    const run = times[at] as number
    const transfer = identify(run)
    const stages = packed.stages[counts[from + 8] as number] ?? NO_STAGES
    const outlets = counts[from + 9] as number
    time += TIMES + stages.length
    count += COUNTS + outlets * OUTLET_COUNTS
    if (transfer === undefined) continue
    const whole = wholes?.get(run)
    if (whole !== undefined) {
      const { link, update, transferNumber, thread, scheduledAt } = transfer
      take(transfer, { ...whole, link, update, transferNumber, thread, scheduledAt })
      continue
    }
    const failure = failures?.get(run)
    // one literal, in the order of `#add`: this runs for every transfer, and is made once a shape
    take(transfer, {
      link: transfer.link,
      update: transfer.update,
      transferNumber: transfer.transferNumber,
      thread: transfer.thread,
      scheduledAt: transfer.scheduledAt,
      startedAt: times[at + 1] as number,
      endedAt: times[at + 2] as number,
      busy: times[at + 3] as number,
      pulled: counts[from] as number,
      filtered: counts[from + 1] as number,
      added: counts[from + 2] as number,
      dropped: counts[from + 3] as number,
      buffered: counts[from + 4] as number,
      grouped: counts[from + 5] as number,
      batches: counts[from + 6] as number,
      rounds: counts[from + 7] as number,
      outlets:
        outlets === 0
          ? NO_OUTLETS
          : listOf(outlets, (index) => unpackOutlet(counts, names, from + COUNTS + index * OUTLET_COUNTS)),
      stages: unpackStages(stages, times, at + TIMES),
      errors: failure?.errors ?? NO_ERRORS,
      failed: failure?.failed ?? false,
    })
  }
}

/** Packs a report: see {@link LoneReport}. */
function packLone(run: number, report: RunReport): LoneReport {
  const packed: (number | string)[] = [
    run,
    report.startedAt,
    report.endedAt,
    report.busy,
    report.pulled,
    report.filtered,
    report.added,
    report.dropped,
    report.buffered,
    report.grouped,
    report.batches,
    report.rounds,
    report.stages.length,
  ]
  for (const { stage, node, duration } of report.stages) packed.push(stage, node, duration)
  for (const { outlet, pushed, filtered, added, dropped, batches, buffered } of report.outlets) {
    packed.push(outlet, pushed, filtered, added, dropped, batches, buffered)
  }
  return packed
}

/** Number of values of a lone report before those of its stages, and of each stage. */
const LONE_VALUES = 13
const STAGE_VALUES = 3

function unpackLone(packed: LoneReport, transfer: TransferIdentity): TransferReport {
  const stages = packed[LONE_VALUES - 1] as number
  const first = LONE_VALUES + stages * STAGE_VALUES
  const outlets = (packed.length - first) / OUTLET_COUNTS
  // in the order of `unpackMany`, to be of the same shape
  return {
    link: transfer.link,
    update: transfer.update,
    transferNumber: transfer.transferNumber,
    thread: transfer.thread,
    scheduledAt: transfer.scheduledAt,
    startedAt: packed[1] as number,
    endedAt: packed[2] as number,
    busy: packed[3] as number,
    pulled: packed[4] as number,
    filtered: packed[5] as number,
    added: packed[6] as number,
    dropped: packed[7] as number,
    buffered: packed[8] as number,
    grouped: packed[9] as number,
    batches: packed[10] as number,
    rounds: packed[11] as number,
    outlets:
      outlets === 0 ? NO_OUTLETS : listOf(outlets, (index) => unpackLoneOutlet(packed, first + index * OUTLET_COUNTS)),
    stages:
      stages === 0 ? NO_STAGES : listOf(stages, (index) => unpackLoneStage(packed, LONE_VALUES + index * STAGE_VALUES)),
    errors: NO_ERRORS,
    failed: false,
  }
}

function unpackLoneStage(packed: LoneReport, at: number): StageTime {
  return {
    stage: packed[at] as StageTime['stage'],
    node: packed[at + 1] as string,
    duration: packed[at + 2] as number,
  }
}

function unpackLoneOutlet(packed: LoneReport, at: number): OutletReport {
  return {
    outlet: packed[at] as string,
    pushed: packed[at + 1] as number,
    filtered: packed[at + 2] as number,
    added: packed[at + 3] as number,
    dropped: packed[at + 4] as number,
    batches: packed[at + 5] as number,
    buffered: packed[at + 6] as number,
  }
}

/** Makes a list. Most have one element, and a list that grows takes room for many. */
function listOf<T>(length: number, make: (index: number) => T): T[] {
  return length === 1 ? [make(0)] : Array.from({ length }, (_, index) => make(index))
}

/** Whether a report has what only links with `delivery` have: it is blocked, or has counts that others have not. */
function hasMore({ blocked, dead, replayed, outlets }: RunReport): boolean {
  if (blocked !== undefined || dead !== undefined || replayed !== undefined) return true
  for (let at = 0; at < outlets.length; at++) {
    const { dead, waiting, replayed } = outlets[at] as OutletReport
    if (dead !== undefined || waiting !== undefined || replayed !== undefined) return true
  }
  return false
}

/** Whether a count of a report is more than 32 bits can hold. */
function isLarge({ pulled, filtered, added, dropped, grouped, outlets }: RunReport): boolean {
  const all = [pulled, filtered, added, dropped, grouped]
  for (const outlet of outlets) all.push(outlet.pushed, outlet.filtered, outlet.added, outlet.dropped)
  return all.some((count) => count > 0xffff_ffff)
}

const NO_STAGES: readonly StageTime[] = Object.freeze([])
const NO_OUTLETS: readonly OutletReport[] = Object.freeze([])
const NO_ERRORS: readonly ReportedError[] = Object.freeze([])

function unpackStages(stages: StageList, times: Float64Array, from: number): readonly StageTime[] {
  if (stages.length === 0) return NO_STAGES
  const unpacked: StageTime[] = []
  let at = from
  for (const { stage, node } of stages) unpacked.push({ stage, node, duration: times[at++] as number })
  return unpacked
}

function unpackOutlet(counts: Uint32Array, names: readonly string[], at: number): OutletReport {
  return {
    outlet: names[counts[at] as number] ?? '',
    pushed: counts[at + 1] as number,
    filtered: counts[at + 2] as number,
    added: counts[at + 3] as number,
    dropped: counts[at + 4] as number,
    batches: counts[at + 5] as number,
    buffered: counts[at + 6] as number,
  }
}
