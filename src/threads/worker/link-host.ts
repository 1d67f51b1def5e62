import { importLater } from '../../base/libraries.js'
import { adoptLogLevels } from '../../base/log.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { plainError, restoreError } from '../../base/plain-error.js'
import type { Link } from '../../core/link.js'
import type { Call, Calls, Channel, Note, ThreadSetup } from '../protocol/messages.js'
import { Pulse } from '../protocol/pulse.js'
import { packDescriptions } from '../protocol/packed-descriptions.js'
import { unpackOpens } from '../protocol/packed-opens.js'
import { unpack } from '../protocol/records.js'
import type { PackedRuns } from '../protocol/runs.js'
import { uncloneable } from '../protocol/uncloneable.js'
import { Attribution } from './attribution.js'
import { DryRun } from './dry-run.js'
import { LinkDescriber } from './link-describer.js'
import { findLink, LoadedModules } from './loaded-modules.js'
import { OpenLinks } from './open-links.js'
import { Outbox } from './outbox.js'
import type { TellPart } from './part-answers.js'
import { processRecords } from './process-records.js'
import { RunQueue } from './run-queue.js'
import { ThreadPreparation } from './thread-preparation.js'
import { TimeLimits } from './time-limits.js'
import { TransferMaker } from './transfer-maker.js'

const importExplain = () => import('./explain.js')

/** A task that is answered. */
type Question = Exclude<Call, { readonly call: 'hello' }>

/**
 * The thread's side: opens links, makes their transfers, and closes them. The links' instances live here between
 * transfers. A host knows no worker thread, only a channel to tell the main thread what happens; it never throws.
 *
 * ```
 *   tasks, notes ---> LinkHost ---> LoadedModules, LinkDescriber, OpenLinks     load, describe, open, close, hand off
 *                        |   '----> RunQueue ---> TransferMaker                 transfer
 *                        v             v
 *                      Outbox -----------------> answers, reports, log lines
 * ```
 */
export class LinkHost {
  readonly #pulse: Pulse
  readonly #attribution: Attribution
  readonly #setup: ThreadPreparation
  readonly #limits: TimeLimits
  readonly #timeouts: ThreadSetup
  readonly #modules: LoadedModules
  readonly #describer = new LinkDescriber()
  readonly #links: OpenLinks
  readonly #runs: RunQueue
  readonly #outbox: Outbox

  constructor(channel: Channel, setup: ThreadSetup) {
    const dryRun = setup.dryRun === true ? new DryRun() : undefined
    this.#pulse = new Pulse(setup.pulse)
    this.#attribution = new Attribution(this.#pulse, setup.trace === true)
    this.#outbox = new Outbox(channel)
    const limits = new TimeLimits(this.#pulse)
    this.#limits = limits
    this.#timeouts = setup
    this.#setup = new ThreadPreparation(limits, setup)
    const prepare = dryRun && ((link: Link) => dryRun.prepare(link))
    this.#modules = new LoadedModules(limits, setup.startTimeout, prepare, setup.overrides)
    this.#links = new OpenLinks(this.#modules, limits, this.#attribution, setup)
    const maker = new TransferMaker(
      setup.thread,
      this.#links,
      limits,
      this.#attribution,
      this.#pulse,
      (run, counts) => {
        this.#outbox.tell({ event: 'streams', run, counts })
      },
    )
    this.#runs = new RunQueue(setup.transfersPerThread, maker, this.#outbox)
  }

  /** Prepares the thread for its links; tasks have to wait for it. Does not reject. */
  prepare(): Promise<void> {
    return this.#setup.load()
  }

  /** Shows whose promise was rejected without a handler. */
  blame(promise: Promise<unknown>): void {
    this.#attribution.blame(promise)
  }

  /** Shows that the thread's event loop turns. To be called every {@link BEAT_INTERVAL}. */
  beat(): void {
    this.#pulse.beat()
  }

  /** Does what a task asks for, and tells its answer, or the reports of its transfers. Ends when that is done. */
  handle(task: Question | PackedRuns): MaybePromise<void> {
    return 'call' in task ? this.#answer(task) : this.#runs.add(task)
  }

  /** Takes a note: it does not wait behind tasks. */
  note(note: Note): void {
    switch (note.note) {
      case 'logLevels':
        adoptLogLevels(note.levels)
        break
      case 'cancel':
        this.#links.cancel(note.link, note.upTo, restoreError(note.reason))
        break
      case 'endStreams':
        this.#links.endStreams(note.link, note.upTo)
        break
      case 'endTrace':
        this.#attribution.endTrace()
        break
    }
  }

  /** Tells a log line, after all that happened before it. */
  log(line: string): void {
    this.#outbox.tell({ event: 'log', line })
  }

  async #answer(task: Question): Promise<void> {
    let answer: unknown
    try {
      answer = await this.#do(task)
    } catch (thrown) {
      this.#outbox.tell({ event: 'error', task: task.task, error: plainError(thrown) })
      return
    }
    try {
      this.#outbox.tell({ event: 'answer', task: task.task, answer })
    } catch (thrown) {
      // what cannot be cloned is only noticed here
      const error =
        task.call === 'process'
          ? uncloneable(unpack(answer as Calls['process']['answer'], task.records), thrown)
          : thrown
      this.#outbox.tell({ event: 'error', task: task.task, error: plainError(error) })
    }
  }

  async #explain(request: Calls['explain']['request']): Promise<Calls['explain']['answer']> {
    const link = findLink(await this.#modules.loadInTime(request.module), request)
    const { explain } = await importLater(importExplain)
    return explain(link, request, this.#timeouts, (...args) => this.#limits.within(...args))
  }

  #tellPart({ task }: Question): TellPart {
    return (at, answers) => {
      this.#outbox.tell({ event: 'part', task, at, answers })
    }
  }

  async #do(task: Question): Promise<unknown> {
    if (task.call !== 'rest') this.#setup.check()
    switch (task.call) {
      case 'load':
        return (await this.#modules.loadInTime(task.module)).size
      case 'describe':
        return packDescriptions(
          this.#describer.describe(task.module, (await this.#modules.loadInTime(task.module)).values()),
        )
      case 'open':
        return this.#links.open(unpackOpens(task.links), this.#tellPart(task))
      case 'close':
        return this.#links.close(task.links, this.#tellPart(task))
      case 'handOff':
        return this.#links.handOff(task.links)
      case 'explain':
        return this.#explain(task)
      case 'process':
        return processRecords(task)
      case 'rest':
        await this.#links.end()
        await this.#setup.end()
        await Promise.all([process.stdout, process.stderr].map(printed))
        return null
    }
  }
}

/** Resolves when what was written to a stream before is written. */
function printed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve()
    })
  })
}
