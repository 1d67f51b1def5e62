import { ThreadLostError } from '../base/errors.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import { Hosting } from '../threads/main/hosting.js'
import type { LostThread, ThreadPoolOptions } from '../threads/main/thread-pool-options.js'
import { ThreadPool } from '../threads/main/thread-pool.js'
import { readThreads, ThreadMeter, type ThreadReading, type ThreadStats } from '../threads/main/thread-stats.js'
import type { ThreadLostEvent } from '../operate/planner-events.js'
import { threadLoss } from './thread-loss.js'
import { ThreadMaintenance } from './thread-maintenance.js'

/** Calls of a planner's threads to their planner. */
export interface ThreadsHooks {
  /** Whether the planner runs. */
  isRunning(): boolean
  /** Called with the report of buffers that were drained when their link left its thread. */
  drained(report: TransferReport): void
  /** Called with the number of records that were lost with the buffers of a link. */
  recordsLost(records: number): void
  /** Called when a link could not be opened again. */
  openFailed(link: PlannedLink, error: Error): void
  /** Called when a link was opened again, and is open in all its threads. */
  opened(link: PlannedLink): void
  /** Called when a link that is not started is in another thread now. */
  moved(link: PlannedLink): void
  /** Called when a thread was lost, and the reports that it had sent before have been taken in. */
  threadLost(event: ThreadLostEvent): void
  /** Called when the threads have ended for good while the planner was running. */
  ended(error: Error): void
}

/** Threads of a planner: the pool, the links that it hosts, and their upkeep. Loaded at a planner's first start. */
export class PlannerThreads {
  readonly pool: ThreadPool
  readonly hosting: Hosting
  readonly #hooks: ThreadsHooks
  readonly #meter = new ThreadMeter()

  constructor(options: ThreadPoolOptions, hooks: ThreadsHooks) {
    this.#hooks = hooks
    this.pool = new ThreadPool(options)
    this.hosting = new Hosting(this.pool, {
      drained: (report) => {
        hooks.drained(report)
      },
      lost: (records) => {
        hooks.recordsLost(records)
      },
      openFailed: (link, error) => {
        hooks.openFailed(link, error)
      },
      opened: (link) => {
        hooks.opened(link)
      },
      moved: (link) => {
        hooks.moved(link)
      },
    })
    const maintenance = new ThreadMaintenance({
      isRunning: () => hooks.isRunning(),
      threads: () => this.pool.threads,
      reconfiguration: this.hosting.reconfiguration,
    })
    this.pool.on('lost', (lost) => {
      this.#onLost(lost)
    })
    this.pool.on('ended', () => {
      if (hooks.isRunning()) hooks.ended(new ThreadLostError('the threads have ended while the planner was running'))
    })
    this.pool.on('dueForRecycling', (thread) => void maintenance.recycle(thread))
    this.pool.on('unbalanced', () => void maintenance.rebalance())
  }

  /** Stats of the threads; utilization counts since the last call. */
  stats(): readonly ThreadStats[] {
    return this.#meter.read(this.pool.threads)
  }

  /** Figures of the threads that no reading changes. */
  reading(): readonly ThreadReading[] {
    return readThreads(this.pool.threads)
  }

  #onLost(lost: LostThread): void {
    const loss = threadLoss(lost, this.hosting.lost(lost))
    // transfers that ended before are reported first
    setImmediate(() => {
      this.#hooks.threadLost(loss())
    })
  }
}
