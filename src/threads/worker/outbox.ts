import type { Channel, ThreadEvent } from '../protocol/messages.js'
import { ReportPacker, type RunReport } from '../protocol/reports.js'

/**
 * Tells the main thread what happens, in order. Reports of transfers wait for others until the turn of the event loop
 * ends, as one message for all costs less than one for each.
 */
export class Outbox {
  readonly #channel: Channel
  readonly #reports = new ReportPacker()
  #flush: NodeJS.Immediate | undefined

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Tells an event, after all reports that came before it. */
  tell(event: ThreadEvent): void {
    this.flush()
    this.#channel.postMessage(event)
  }

  /** Takes the report of a run. To be followed by a flush, at once or soon. */
  add(run: number, report: RunReport): void {
    this.#reports.add(run, report)
  }

  /** Sends the reports that wait. */
  flush(): void {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    if (this.#reports.isEmpty) return
    this.#channel.postMessage(this.#reports.take())
  }

  /** Sends the reports that wait when this turn of the event loop ends. */
  flushSoon(): void {
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined
      this.flush()
    })
  }
}
