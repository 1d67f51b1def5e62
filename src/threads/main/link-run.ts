import type { TransferReport } from '../../core/report.js'
import { updateText } from '../../core/update.js'
import type { Host } from './link-places.js'
import { type HostedRun } from './run.js'

/** The link of a run: told what has become of it. */
interface RunOwner {
  readonly name: string
  readonly tags: readonly string[]
  ended(run: Run, report: TransferReport): void
  failed(run: Run, error: Error): void
}

/** A transfer of a link, whichever thread makes it. All that is kept for a transfer under way: thousands may be. */
export class Run implements HostedRun {
  readonly #link: RunOwner
  readonly transferNumber: number
  readonly scheduledAt: number
  readonly drain: boolean
  readonly resolve: (report: TransferReport) => void
  /** Where it is made. */
  at: Host

  constructor(
    link: RunOwner,
    at: Host,
    what: Pick<HostedRun, 'transferNumber' | 'scheduledAt' | 'drain'>,
    resolve: (report: TransferReport) => void,
  ) {
    this.#link = link
    this.at = at
    this.transferNumber = what.transferNumber
    this.scheduledAt = what.scheduledAt
    this.drain = what.drain
    this.resolve = resolve
  }

  get host(): number {
    return this.at.id
  }

  get link(): string {
    return this.#link.name
  }

  get update(): string {
    return updateText(this.#link.tags, this.transferNumber)
  }

  get thread(): number {
    return this.at.thread.number
  }

  ended(report: TransferReport): void {
    this.#link.ended(this, report)
  }

  failed(error: Error): void {
    this.#link.failed(this, error)
  }
}
