import type { Resolved } from '../base/options.js'
import { Calls } from './claims.js'
import type { SUITE_OPTIONS } from './configurations.js'
import { captureLog, type LogCapture } from './log-capture.js'
import type { Harness } from './runner.js'

/** {@link SuiteOptions}, resolved. The time limit of a call is in milliseconds. */
export type ResolvedSuiteOptions = Resolved<typeof SUITE_OPTIONS>

/** Harness of one check: calls of user code, the log, and what the check makes. */
export abstract class SuiteHarness<S extends ResolvedSuiteOptions> implements Harness {
  readonly setup: S
  readonly calls: Calls
  #log: LogCapture | undefined

  constructor(setup: S) {
    this.setup = setup
    this.calls = new Calls(setup.timeout)
  }

  /** Lines that were logged since the check began. */
  get log(): readonly string[] {
    return this.#log?.lines ?? []
  }

  async open(): Promise<void> {
    this.#log = captureLog()
    await this.setup.before?.()
  }

  async close(): Promise<void> {
    await this.closeMade()
    try {
      await this.setup.after?.()
    } finally {
      this.#log?.restore()
    }
  }

  /** Stops everything that the check has made. Never rejects. */
  protected abstract closeMade(): Promise<void>
}
