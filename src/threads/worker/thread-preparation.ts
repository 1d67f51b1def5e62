import { LinkModuleError, toError } from '../../base/errors.js'
import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import { SETUP_SHUTDOWN, type ThreadSetup } from '../protocol/messages.js'
import { loadModule } from './link-module.js'
import type { TimeLimits } from './time-limits.js'

const importTracer = () => import('../../telemetry/tracer.js')

type SetupOfThread = Pick<ThreadSetup, 'threadSetup' | 'startTimeout' | 'telemetry'>

/** What the module of `threadSetup` is, in errors. */
const AS = 'threadSetup: '

/**
 * Sets a thread up before it loads link modules: loads the module that the planner's option `threadSetup` names, and has
 * transfers traced with `telemetry`.
 */
export class ThreadPreparation {
  readonly #limits: Pick<TimeLimits, 'within'>
  readonly #setup: SetupOfThread
  #failure: Error | undefined
  #shutdown: (() => unknown) | undefined

  constructor(limits: Pick<TimeLimits, 'within'>, setup: SetupOfThread) {
    this.#limits = limits
    this.#setup = setup
  }

  /** Loads what the thread needs. Does not reject: {@link ThreadPreparation.check} throws what went wrong. */
  async load(): Promise<void> {
    try {
      await this.#loadModule()
      if (this.#setup.telemetry === true) await (await importLater(importTracer)).traceTransfers()
    } catch (thrown) {
      this.#failure = toError(thrown)
    }
  }

  async #loadModule(): Promise<void> {
    const { threadSetup: url, startTimeout } = this.#setup
    if (url === undefined) return
    const late = () => new LinkModuleError(url, `${AS}it did not load within ${startTimeout} ms`)
    const { shutdown } = await this.#limits.within(startTimeout, late, () => loadModule(url, AS))
    if (shutdown !== undefined && typeof shutdown !== 'function') {
      throw new LinkModuleError(url, `${AS}its export shutdown is no function`)
    }
    this.#shutdown = shutdown as (() => unknown) | undefined
  }

  /** @throws what went wrong, mostly a {@link LinkModuleError} */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Calls what the module exports as `shutdown`, as the thread ends. Never rejects: what fails is logged. */
  async end(): Promise<void> {
    const shutdown = this.#shutdown
    this.#shutdown = undefined
    if (shutdown === undefined) return
    try {
      const late = () => new Error(`it did not end within ${SETUP_SHUTDOWN} ms`)
      await this.#limits.within(SETUP_SHUTDOWN, late, async () => {
        await shutdown()
      })
    } catch (thrown) {
      const err = toError(thrown)
      getLogger('databay.LinkHost').error({ err }, `${this.#setup.threadSetup}: shutdown() failed: ${err.message}`)
    }
  }
}
