import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, ThreadLostError, toError } from '../base/errors.js'
import { UndoStack } from '../base/undo-stack.js'
import { LinkOverrides, type LinkOverride } from '../core/link-overrides.js'
import type { ThreadLink } from '../threads/main/thread-link.js'
import type { Explanation, ExplainRequest } from '../threads/protocol/explanation.js'
import type { LinkAddress } from '../threads/protocol/link-description.js'
import type { LinkSelection } from '../core/link-selection.js'
import { PlannerThreads } from './planner-threads.js'
import { WORKER_PLANNER_OPTIONS, type WorkerPlannerOptions } from './worker-planner-options.js'

const importStore = () => import('../store/store.js')

/** Time that a module may take to load, and a link to start or stop, in milliseconds. */
const LIMIT = 60_000

/** What a configuration says of links and the threads in which they are looked at. */
export interface InspectionOptions {
  /** Settings of links. */
  readonly links: readonly LinkOverride[]
  readonly planner?: Pick<WorkerPlannerOptions, 'threadSetup'>
}

/** How links are explained. */
export interface ExplainOptions {
  /** Folder of the store, which is read; `undefined` when there is none. */
  readonly store: string | undefined
}

/** Trouble with a link module, or with the nodes of a link. */
export interface Trouble {
  /** Name of the link; `undefined` when it is about a module. */
  readonly link: string | undefined
  readonly error: Error
}

/**
 * Looks at the links of link modules without running them: loads the modules in a thread, so that their top-level code runs,
 * and starts nothing by itself.
 */
export class LinkInspection {
  readonly #threads: PlannerThreads
  /** Folder of a store that is there while links with `delivery` are started: a planner may have their own. */
  readonly #store = join(tmpdir(), `databay-check-${randomUUID()}`)
  readonly #overrides: LinkOverrides
  #exported: readonly ThreadLink[] = []
  #links: readonly ThreadLink[] = []

  /**
   * @param explains - for {@link LinkInspection.explain}; links cannot be connected then
   */
  constructor({ links: overrides, planner = {} }: InspectionOptions = { links: [] }, explains?: ExplainOptions) {
    this.#overrides = new LinkOverrides(overrides)
    const options = {
      threads: 1,
      transfersPerThread: 1,
      startTimeout: LIMIT,
      shutdownTimeout: LIMIT,
      hangTimeout: LIMIT,
    }
    this.#threads = new PlannerThreads(
      {
        ...options,
        printsToError: true,
        store: this.#store,
        overrides,
        threadSetup: WORKER_PLANNER_OPTIONS.threadSetup.read('threadSetup', planner.threadSetup),
        ...(explains && { ...explains, dryRun: true }),
      },
      {
        isRunning: () => false,
        drained: () => undefined,
        recordsLost: () => undefined,
        openFailed: () => undefined,
        opened: () => undefined,
        moved: () => undefined,
        threadLost: () => undefined,
        ended: () => undefined,
      },
    )
  }

  /** Links of the modules, in their order: all of them. */
  get exported(): readonly ThreadLink[] {
    return this.#exported
  }

  /** Links of the modules that were chosen, in their order, without those that the configuration turns off. */
  get links(): readonly ThreadLink[] {
    return this.#links
  }

  /**
   * Loads modules, one after the other.
   *
   * @returns the trouble with those that cannot be used
   * @throws {@link InvalidOptionError} when the selection has what no link has, and all modules could be used
   * @throws {@link ConfigError} when the configuration has what no link has, likewise, or a link cannot have its settings
   */
  async load(modules: readonly string[], selection: LinkSelection): Promise<Trouble[]> {
    await this.#threads.pool.start()
    const found: ThreadLink[] = []
    const troubles: Trouble[] = []
    for (const module of modules) {
      try {
        found.push(...(await this.#threads.hosting.host([module])))
      } catch (thrown) {
        // no module is to blame
        if (thrown instanceof ConfigError) throw thrown
        troubles.push({ link: undefined, error: toError(thrown) })
      }
    }
    this.#exported = found
    if (troubles.length === 0) {
      this.#overrides.check(found)
      selection.check(found)
    }
    this.#links = found.filter((link) => selection.has(link) && this.#overrides.disabling(link) === undefined)
    return troubles
  }

  /**
   * Starts the nodes of all links, and shuts them down again. Nothing is transferred. Links with `delivery` start as at the
   * very first time, whatever their store has.
   *
   * @returns the trouble with those that do not start or stop
   */
  async connect(): Promise<Trouble[]> {
    const undo = new UndoStack()
    try {
      if (this.#links.some(({ settings }) => settings.delivery !== 'memory')) {
        undo.push(() => rm(this.#store, { recursive: true, force: true }))
        const { release } = await (await importStore()).ownStore(this.#store)
        undo.push(release)
      }
      const started = await this.#all(this.#links, (link) => link.onStart())
      const failed = new Set(started.map(({ link }) => link))
      const open = this.#links.filter((link) => !failed.has(link))
      const stopped = await this.#all(open, (link) => link.onShutdown())
      return [...started, ...stopped].map(({ link, error }) => ({ link: link.name, error }))
    } catch (thrown) {
      return [{ link: undefined, error: toError(thrown) }]
    } finally {
      await undo.undo()
    }
  }

  /**
   * Makes one transfer of a link whose outlets take nothing, and tells what each stage did.
   *
   * @throws the error of a node that cannot be started, or of a thread that hangs
   */
  explain({ description }: ThreadLink, request: Omit<ExplainRequest, keyof LinkAddress>): Promise<Explanation> {
    const { module, exportName, index } = description
    const [thread] = this.#threads.pool.threads
    if (thread === undefined) return Promise.reject(new ThreadLostError('the thread has ended'))
    return thread.call('explain', { module, exportName, index, ...request })
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#threads.hosting.clear()
    await this.#threads.pool.destroy(false)
  }

  async #all(links: readonly ThreadLink[], act: (link: ThreadLink) => Promise<void>) {
    const results = await Promise.allSettled(links.map(act))
    return links.flatMap((link, at) => {
      const result = results[at]
      return result?.status === 'rejected' ? [{ link, error: toError(result.reason) }] : []
    })
  }
}
