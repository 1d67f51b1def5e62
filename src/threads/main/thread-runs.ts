import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import type { SharedCounts } from '../protocol/progress.js'
import { unpackReports, type PackedReports } from '../protocol/reports.js'
import { RunPacker, type PackedRuns } from '../protocol/runs.js'
import type { Run } from './run.js'

/**
 * Number of transfers in one message at most: they are told of together, so a message should not be long on its way.
 */
const MAX_RUNS = 256

/** What is done when this resolves is done at the end of the tick: `queueMicrotask` takes longer, and makes more objects. */
const NOW = Promise.resolve()

/**
 * The transfers in a thread and on their way to it. Gathers those of one tick into messages, and gives each its report.
 * This is the one place on the main thread's side that knows what runs in a thread.
 */
export class ThreadRuns {
  readonly #send: (runs: PackedRuns) => Promise<unknown>
  readonly #whyNotSent: (thrown: unknown) => Error
  readonly #running = new Map<number, Run>()
  /** Numbers of runs by the ids of their links; kept only while somebody waits for a link to be idle. */
  #counts: Map<number, number> | undefined
  readonly #outbox = new RunPacker()
  /** Called when links have no transfers in the thread any more, by the ids of the links. */
  readonly #onIdle = new Map<number, () => void>()
  /** Number of the next run. */
  #next = 0
  /** Number of the first run of the present worker. */
  #first = 0
  /** One closure, not one a message. */
  readonly #flushSoon = () => {
    this.#flush()
  }

  /**
   * @param send - sends runs to the worker; rejects when they did not get there
   * @param whyNotSent - makes what it rejected with into the error that the runs fail with
   */
  constructor(send: (runs: PackedRuns) => Promise<unknown>, whyNotSent: (thrown: unknown) => Error = toError) {
    this.#send = send
    this.#whyNotSent = whyNotSent
  }

  /** Number of transfers in the thread and on their way to it. */
  get size(): number {
    return this.#running.size
  }

  /** Number of transfers that the present worker was given so far. */
  get given(): number {
    return this.#next - this.#first
  }

  /**
   * Number of transfers that the worker has not begun.
   *
   * @param begun - number of the first run that it has not begun, as its pulse shows
   */
  waiting(begun: number): number {
    return Math.max(0, this.#next - begun)
  }

  /** Number of transfers of a link. */
  countOf(link: number): number {
    if (this.#counts !== undefined) return this.#counts.get(link) ?? 0
    let count = 0
    for (const run of this.#running.values()) if (run.at.id === link) count++
    return count
  }

  /** Resolves when a link has no transfers in the thread and on their way to it. */
  async idleOf(link: number): Promise<void> {
    this.#counts ??= this.#countAll()
    if (this.countOf(link) === 0) {
      this.#stopCounting()
      return
    }
    await new Promise<void>((resolve) => {
      const before = this.#onIdle.get(link)
      this.#onIdle.set(link, () => {
        before?.()
        resolve()
      })
    })
  }

  /**
   * Gives the thread to a new worker: its runs are counted on from those of the worker before. Returns the first
   * number.
   */
  restart(): number {
    this.#first = this.#next
    return this.#first
  }

  /** Makes a transfer. Those of one tick go in one message. */
  add(run: Run): void {
    const number = this.#next++
    this.#running.set(number, run)
    if (this.#counts !== undefined) this.#counts.set(run.at.id, this.countOf(run.at.id) + 1)
    this.#outbox.add(number, run.at.id, run.transferNumber, run.scheduledAt, run.drain, run.retry)
    if (this.#outbox.size === 1) void NOW.then(this.#flushSoon)
    // a full message does not wait for the rest of the tick
    if (this.#outbox.size === MAX_RUNS) this.#flush()
  }

  /** Takes note that the transfer of a run streams. */
  noteStream(run: number, counts: SharedCounts): void {
    this.#running.get(run)?.noteStream(counts)
  }

  /** Takes reports: their runs have ended. */
  take(reports: PackedReports): void {
    unpackReports(
      reports,
      (number) => this.#settle(number),
      (run, report) => {
        tell(() => run.ended(report))
      },
    )
    this.#tellIdle()
  }

  /**
   * Fails all runs, as the worker is gone: in a turn of their own.
   *
   * @param begun - number of the first run that the worker has not begun
   * @returns ids of the links of the runs that had begun
   */
  lose(begun: number, lost: Error, notBegun: Error): number[] {
    const running = [...this.#running]
    this.#outbox.take()
    this.#running.clear()
    this.#counts?.clear()
    queueMicrotask(() => {
      for (const [number, run] of running) tell(() => run.failed(number < begun ? lost : notBegun))
      this.#tellIdle()
    })
    return running.flatMap(([number, run]) => (number < begun ? [run.at.id] : []))
  }

  #flush(): void {
    if (this.#outbox.size === 0) return
    const until = this.#next
    const from = until - this.#outbox.size
    // nothing is answered: the reports tell all, and a worker that is gone is lost with its runs
    this.#send(this.#outbox.take()).then(undefined, (thrown: unknown) => {
      const error = this.#whyNotSent(thrown)
      // runs that were lost meanwhile have failed already
      for (let number = from; number < until; number++) this.#settle(number)?.failed(error)
      this.#tellIdle()
    })
  }

  /** Tells which links have no transfers here any more. Mostly nothing waits for that. */
  #tellIdle(): void {
    if (this.#onIdle.size === 0) return
    for (const [link, resolve] of this.#onIdle) {
      if (this.countOf(link) > 0) continue
      this.#onIdle.delete(link)
      resolve()
    }
    this.#stopCounting()
  }

  #countAll(): Map<number, number> {
    const counts = new Map<number, number>()
    for (const { at } of this.#running.values()) counts.set(at.id, (counts.get(at.id) ?? 0) + 1)
    return counts
  }

  #stopCounting(): void {
    if (this.#onIdle.size === 0) this.#counts = undefined
  }

  #settle(number: number): Run | undefined {
    const run = this.#running.get(number)
    this.#running.delete(number)
    if (run !== undefined && this.#counts !== undefined) this.#counts.set(run.at.id, this.countOf(run.at.id) - 1)
    return run
  }
}

/** Tells a link how its transfer ended: should that throw, the next ones hear all the same. */
function tell(what: () => void): void {
  try {
    what()
  } catch (thrown) {
    getLogger('databay.WorkerPlanner').error({ err: toError(thrown) }, 'the end of a transfer was not taken note of')
  }
}
