import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { TransferReport } from '../../core/report.js'
import { unpackRuns, type PackedRuns } from '../protocol/runs.js'
import type { Outbox } from './outbox.js'

/** Time from which on a transfer that holds the event loop makes the others wait noticeably, in milliseconds. */
const LONG = 5

/** Number of runs that have begun after which they leave the queue: under a steady load, its end is never reached. */
const QUEUE_CHUNK = 1024

/** A transfer to be made by a link that is open in the thread. */
export interface QueuedRun {
  /** Number of the run within its thread. */
  readonly run: number
  /** Id under which the link is open. */
  readonly link: number
  readonly transferNumber: number
  readonly scheduledAt: number
  readonly drain: boolean
  /** Whether a blocked link is only to try again what it has in hand. */
  readonly retry: boolean
  /** The message that it came with. */
  readonly message: RunMessage
}

/** A message with runs. */
interface RunMessage {
  /** Number of its runs that have not ended. */
  left: number
  /** Called when all have ended. */
  done: () => void
}

/** Makes the transfers of a queue. */
export interface RunMaker {
  /** Time that the last transfer of a link held the event loop, in milliseconds; 0 when there was none. */
  busyOf(link: number): number
  /**
   * Makes the transfer of a run. Neither throws nor rejects.
   *
   * @param alone - whether no other transfer runs in this thread
   */
  make(run: QueuedRun, alone: boolean): MaybePromise<TransferReport>
}

/**
 * Has the runs of a thread made in the order in which they were sent, no more at once than it may, and their reports
 * sent. Long transfers let the event loop turn before them, so that the reports of others do not wait for them.
 */
export class RunQueue {
  readonly #most: number
  readonly #maker: RunMaker
  readonly #outbox: Pick<Outbox, 'add' | 'flush' | 'flushSoon'>
  /** Runs that have not begun. */
  readonly #queue: QueuedRun[] = []
  /** Number of runs that have begun and not ended. */
  #running = 0
  #pumping = false
  /** When transfers started to begin without a turn of the event loop between them. */
  #stretch = 0
  /** Called when a run has ended. */
  #onEnd: () => void = () => undefined

  /** @param most - number of transfers that may run at once */
  constructor(most: number, maker: RunMaker, outbox: Pick<Outbox, 'add' | 'flush' | 'flushSoon'>) {
    this.#most = most
    this.#maker = maker
    this.#outbox = outbox
  }

  /** Takes the runs of a message. Ends when all of them have ended and their reports are sent. */
  add(packed: PackedRuns): MaybePromise<void> {
    const message: RunMessage = { left: 0, done: () => undefined }
    unpackRuns(packed, (run, link, transferNumber, scheduledAt, drain, retry) => {
      message.left++
      this.#queue.push({ run, link, transferNumber, scheduledAt, drain, retry, message })
    })
    if (!this.#pumping) void this.#pump()
    if (message.left === 0) {
      this.#outbox.flush()
      return
    }
    const ended = new Promise<void>((resolve) => (message.done = resolve))
    return ended.then(() => {
      this.#outbox.flush()
    })
  }

  /** Begins what waits, one after the other. */
  async #pump(): Promise<void> {
    this.#pumping = true
    this.#stretch = performance.now()
    for (let at = 0; at < this.#queue.length; at++) {
      const run = this.#queue[at] as QueuedRun
      // the others' reports, and whatever else is due in this thread, do not wait for a long one
      if (this.#maker.busyOf(run.link) > LONG || (at > 0 && performance.now() - this.#stretch > LONG)) {
        await nextTurn()
        this.#outbox.flush()
        this.#stretch = performance.now()
      }
      while (this.#running >= this.#most) {
        await new Promise<void>((resolve) => {
          this.#onEnd = resolve
        })
      }
      this.#begin(run)
      if (at === QUEUE_CHUNK) {
        this.#queue.splice(0, at + 1)
        at = -1
      }
    }
    this.#queue.length = 0
    this.#pumping = false
  }

  #begin(run: QueuedRun): void {
    this.#running++
    const report = this.#maker.make(run, this.#running === 1)
    if (report instanceof Promise) {
      void report.then((ended) => {
        this.#ended(run, ended)
      })
    } else {
      this.#ended(run, report)
    }
  }

  #ended({ run, message }: QueuedRun, report: TransferReport): void {
    this.#running--
    this.#onEnd()
    this.#outbox.add(run, report)
    message.left--
    // the end of a message sends the reports
    if (message.left === 0) message.done()
    else this.#outbox.flushSoon()
  }
}
