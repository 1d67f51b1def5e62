import { setImmediate as nextTurn } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import {
  ImplementationError,
  LinkModuleError,
  ShutdownTimeoutError,
  StartTimeoutError,
  toError,
} from '../../base/errors.js'
import { LONGEST_TIMER } from '../../base/duration.js'
import { adoptLogLevels, getLogger } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { ProcessorFunction } from '../../core/processor.js'
import { isRecord } from '../../core/record.js'
import { failedReport, type TransferReport } from '../../core/report.js'
import { plainError, restoreError, type PlainError } from '../../base/plain-error.js'
import { Update } from '../../core/update.js'
import { Deadlines } from './deadlines.js'
import { loadLinks, loadModule, type ExportedLink } from './link-module.js'
import { reset, restore, stateOf, statefulProcessors, type LinkState } from './link-state.js'
import { packDescriptions, type PackedDescriptions } from '../protocol/descriptions.js'
import { pack, unpack } from '../protocol/records.js'
import { uncloneable } from '../protocol/uncloneable.js'
import { ReportPacker } from '../protocol/reports.js'
import { unpackRuns, type PackedRuns, type RunRequest } from '../protocol/runs.js'
import type { Calls, Channel, Note, OpenRequest, Task, ThreadSetup } from '../protocol/messages.js'
import { INSTANCES, type LinkDescription, nameOf } from '../protocol/link-description.js'
import { monotonic, Pulse } from '../protocol/pulse.js'
import { DryRun } from './dry-run.js'
import { Trace } from './trace.js'
import { LONG, BRIEF, QUEUE_CHUNK, type QueuedRun, type RunMessage, lengthOf, held, begin } from './run-queue.js'
import { type HostedLink, find, start } from './open-links.js'
import type { LinksByName } from './loaded-modules.js'

/** A task that is answered. */
type Question = Exclude<Task, { readonly call: 'hello' | 'transfer' }>

/**
 * The thread's side: opens links, makes their transfers, and closes them. Their instances live here between
 * transfers. Knows no worker thread, only a channel to tell the main thread what happens; never throws.
 */
export class LinkHost {
  readonly #channel: Channel
  readonly #setup: ThreadSetup
  readonly #links = new Map<number, HostedLink>()
  readonly #modules = new Map<string, MaybePromise<LinksByName>>()
  readonly #instances = new WeakMap<object, number>()
  #known = 0
  #running = 0
  /** How many transfers were begun so far. */
  #begun = 0
  /** Runs that have not begun. They begin in the order in which they were sent. */
  readonly #queue: QueuedRun[] = []
  #pumping = false
  /** When transfers began to begin without a turn of the event loop between them. */
  #stretch = 0
  /** Told when a run has ended. */
  #onEnd: () => void = () => undefined
  readonly #pulse: Pulse
  #trace: Trace | undefined
  readonly #dryRun: DryRun | undefined
  readonly #deadlines = new Deadlines()
  /** Identifies what is limited in time among the deadlines, beside the runs. */
  #limited = -1
  readonly #reports = new ReportPacker()
  #flush: NodeJS.Immediate | undefined

  constructor(channel: Channel, setup: ThreadSetup) {
    this.#channel = channel
    this.#setup = setup
    this.#pulse = new Pulse(setup.pulse)
    this.#trace = setup.trace === true ? new Trace(this.#pulse) : undefined
    this.#dryRun = setup.dryRun === true ? new DryRun() : undefined
  }

  /** A promise was rejected, and nobody handles that. */
  blame(promise: Promise<unknown>): void {
    this.#trace?.blame(promise)
  }

  /** Shows that the thread's event loop turns. To be called every {@link BEAT_INTERVAL}. */
  beat(): void {
    this.#pulse.beat()
  }

  /** Does what a task asks for, and tells its answer, or of transfers their reports. Ends when that is done. */
  handle(task: Exclude<Task, { readonly call: 'hello' }>): MaybePromise<void> {
    return task.call === 'transfer' ? this.#transfer(task.runs) : this.#answer(task)
  }

  async #answer(task: Question): Promise<void> {
    let answer: unknown
    try {
      answer = await this.#do(task)
    } catch (thrown) {
      this.flush()
      this.#channel.postMessage({ event: 'error', task: task.task, error: plainError(thrown) })
      return
    }
    this.flush()
    try {
      this.#channel.postMessage({ event: 'answer', task: task.task, answer })
    } catch (thrown) {
      // what cannot be cloned is only noticed here
      const error =
        task.call === 'process'
          ? uncloneable(unpack(answer as Calls['process']['answer'], task.records), thrown)
          : thrown
      this.#channel.postMessage({ event: 'error', task: task.task, error: plainError(error) })
    }
  }

  /** Takes what cannot wait behind tasks. */
  note(note: Note): void {
    switch (note.note) {
      case 'logLevels':
        adoptLogLevels(note.levels)
        break
      case 'cancel':
        this.#cancel(this.#links.get(note.link), note.upTo, restoreError(note.reason))
        break
      case 'endTrace':
        this.#trace?.end()
        this.#trace = undefined
        break
    }
  }

  /** Tells a log line, after all that happened before it. */
  log(line: string): void {
    this.flush()
    this.#channel.postMessage({ event: 'log', line })
  }

  /** Sends the reports that are held back to go together. */
  flush(): void {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    if (this.#reports.isEmpty) return
    this.#channel.postMessage({ event: 'reports', reports: this.#reports.take() })
  }

  #cancel(hosted: HostedLink | undefined, upTo: number, reason: Error): void {
    if (hosted === undefined) return
    hosted.stopped = { upTo, reason }
    hosted.link.cancel(reason)
  }

  #do(task: Question): Promise<unknown> {
    switch (task.call) {
      case 'load':
        return this.#loadInTime(task.module).then(({ size }) => size)
      case 'describe':
        return this.#describe(task.module)
      case 'open':
        return this.#openAll(task.links)
      case 'close':
        return Promise.all(task.links.map((id) => errorOf(this.#close(id))))
      case 'handOff':
        return this.#handOff(task.links)
      case 'process':
        return this.#process(task)
      case 'rest':
        return Promise.all([process.stdout, process.stderr].map(printed)).then(() => null)
    }
  }

  async #describe(module: string): Promise<PackedDescriptions> {
    const loaded = await this.#loadInTime(module)
    const links = [...loaded.values()].map((one) => this.#describeLink(module, one))
    return packDescriptions(module, links)
  }

  #describeLink(module: string, { exportName, index, link }: ExportedLink): LinkDescription {
    const processors = statefulProcessors(link)
    const parts = [...link.nodes(), ...processors]
    const name =
      link.tags.length > 0 ? link.name : `${module.slice(module.lastIndexOf('/') + 1)}#${nameOf(exportName, index)}`
    const buffer = processors.find((processor) => processor.size !== undefined)
    if (link.settings.stateless && buffer !== undefined) {
      const holder = buffer.constructor.name
      throw new LinkModuleError(module, `${name} is stateless, but its ${holder} holds records between transfers`)
    }
    return {
      module,
      exportName,
      index,
      name,
      tags: link.tags,
      schedule: link.schedule,
      immediateTransfer: link.immediateTransfer,
      ignoreExceptions: link.ignoreExceptions,
      maxInstances: link.maxInstances,
      stateless: link.settings.stateless,
      lane: link.settings.lane,
      text: link.toString(),
      buffers: buffer !== undefined,
      parts: parts.map((part) => part.constructor.name),
      movable: parts.every((part) => part.saveState !== undefined),
      identity: this.#idOf(link),
      instances: parts.map((part) => this.#idOf(part)),
    }
  }

  async #loadInTime(module: string): Promise<LinksByName> {
    const late = () => new StartTimeoutError(`it did not load within ${this.#setup.startTimeout} ms`)
    return this.#within(this.#setup.startTimeout, late, () => this.#load(module))
  }

  /** The links of a module by name; loaded once, however many of them are opened. */
  #load(module: string): MaybePromise<LinksByName> {
    const known = this.#modules.get(module)
    if (known !== undefined) return known
    const loading = this.#loadLinks(module)
    this.#modules.set(module, loading)
    loading.then(
      (links) => this.#modules.set(module, links),
      // it may be mended by the time it is asked for again
      () => this.#modules.delete(module),
    )
    return loading
  }

  async #loadLinks(module: string): Promise<LinksByName> {
    const links = await loadLinks(module)
    if (this.#dryRun !== undefined) for (const { link } of links) await this.#dryRun.prepare(link)
    return new Map(links.map((one) => [nameOf(one.exportName, one.index), one]))
  }

  #idOf(instance: object): number {
    let id = this.#instances.get(instance)
    if (id === undefined) {
      // thread ids are never used again, so neither are these
      id = threadId * INSTANCES + this.#known++
      this.#instances.set(instance, id)
    }
    return id
  }

  /**
   * Opens links, all at once. There may be thousands: nothing is waited for that is there at once.
   *
   * @returns the error of each that failed, at its place
   */
  async #openAll(requests: readonly OpenRequest[]): Promise<(PlainError | null)[]> {
    const errors = new Array<PlainError | null>(requests.length).fill(null)
    const places = new Map<string, number[]>()
    let last: { readonly module: string; readonly places: number[] } | undefined
    for (const [at, { module }] of requests.entries()) {
      // those of one module mostly follow each other
      if (module !== last?.module) {
        last = { module, places: places.get(module) ?? [] }
        places.set(module, last.places)
      }
      last.places.push(at)
    }
    await Promise.all([...places].map(([module, some]) => this.#openOf(module, some, requests, errors)))
    return errors
  }

  /** Opens the links of one module: those at some `places` of the `requests`. */
  async #openOf(
    module: string,
    places: readonly number[],
    requests: readonly OpenRequest[],
    errors: (PlainError | null)[],
  ): Promise<void> {
    const later: Promise<void>[] = []
    const links = await Promise.resolve(this.#load(module)).catch(toError)
    for (const at of places) {
      const fail = (thrown: unknown) => {
        errors[at] = plainError(thrown)
      }
      try {
        if (links instanceof Error) throw links
        const opening = this.#open(links, requests[at] as OpenRequest)
        if (opening instanceof Promise) later.push(opening.catch(fail))
      } catch (thrown) {
        fail(thrown)
      }
    }
    await Promise.all(later)
  }

  #open(links: LinksByName, request: OpenRequest): MaybePromise<void> {
    const { id, state } = request
    const link = find(links, request)
    const inside = (yes: boolean) => {
      this.#pulse.inside = yes ? id : this.#trace?.current
    }
    const late = () => new StartTimeoutError(`${link.name} did not start within ${this.#setup.startTimeout} ms`)
    const begin = () => {
      if (state !== undefined) restore(link, state as LinkState)
      return start(link)
    }
    const starting = this.#within(this.#setup.startTimeout, late, () => this.#enter(id, inside, begin))
    return then(starting, () => {
      this.#links.set(id, { link, inside, busy: 0, stopped: undefined })
    })
  }

  /**
   * Does work, and waits for it, but only for a time; the main thread sees when it holds the thread up for longer than
   * that.
   */
  #within<T>(limit: number, late: () => Error, work: () => MaybePromise<T>): MaybePromise<T> {
    if (limit === Infinity) return work()
    const deadline = monotonic() + limit
    let working: MaybePromise<T>
    this.#pulse.deadline = Math.min(this.#deadlines.earliest, deadline)
    try {
      working = work()
    } finally {
      this.#pulse.deadline = this.#deadlines.earliest
    }
    return working instanceof Promise ? this.#waitWithin(limit, deadline, late, working) : working
  }

  async #waitWithin<T>(limit: number, deadline: number, late: () => Error, working: Promise<T>): Promise<T> {
    const key = this.#limited--
    this.#watch(key, deadline)
    let timer: NodeJS.Timeout | undefined
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), Math.min(limit, LONGEST_TIMER))
    })
    try {
      return await Promise.race([working, expired])
    } finally {
      clearTimeout(timer)
      this.#unwatch(key)
    }
  }

  /** Does the work of a link, and shows that it is inside as long as it goes on at a stretch. */
  #enter<T>(id: number, inside: (inside: boolean) => void, work: () => T): T {
    inside(true)
    try {
      return this.#trace === undefined ? work() : this.#trace.run(id, work)
    } finally {
      inside(false)
    }
  }

  async #close(id: number): Promise<void> {
    const hosted = this.#links.get(id)
    this.#links.delete(id)
    if (hosted === undefined) return
    const { link, inside } = hosted
    const { shutdownTimeout } = this.#setup
    const late = () => new ShutdownTimeoutError(`${link.name} did not shut down within ${shutdownTimeout} ms`)
    await this.#within(shutdownTimeout, late, () => this.#enter(id, inside, () => link.onShutdown()))
  }

  async #handOff(ids: readonly number[]): Promise<Calls['handOff']['answer']> {
    const hosted = ids.map((id) => {
      const one = this.#links.get(id)
      if (one === undefined) throw new ImplementationError(`link ${id} is not open in this thread`)
      return one
    })
    // what cannot be handed over must not be closed; and what is told may be what a processor goes on to use
    const states = structuredClone(await this.#save(ids, hosted))
    // it is here no more, neither when its link shuts down, nor should the link come back to this thread
    for (const { link } of hosted) reset(link)
    for (const [at, id] of ids.entries()) {
      try {
        await this.#close(id)
      } catch (thrown) {
        // it is closed as far as it can be, and its state must get to where it goes on
        const name = hosted[at]?.link.name ?? ''
        getLogger('databay.LinkHost').error({ err: toError(thrown) }, `${name} failed to shut down to be moved`)
      }
    }
    return { states }
  }

  /** What links hand over. A part that several share is in the state of the first. */
  #save(ids: readonly number[], hosted: readonly HostedLink[]): MaybePromise<LinkState[]> {
    const { shutdownTimeout } = this.#setup
    const late = () => new ShutdownTimeoutError(`links did not tell what they keep within ${shutdownTimeout} ms`)
    const saved = new Set<object>()
    return this.#within(shutdownTimeout, late, () =>
      hosted.map(({ link, inside }, at) => this.#enter(ids[at] ?? 0, inside, () => stateOf(link, saved))),
    )
  }

  /** Ends when all have, and their reports are told. */
  #transfer(packed: PackedRuns): MaybePromise<void> {
    const runs = unpackRuns(packed)
    const message: RunMessage = { left: runs.length, done: () => undefined }
    for (const run of runs) this.#queue.push({ run, message })
    if (!this.#pumping) void this.#pump()
    if (message.left === 0) {
      this.flush()
      return
    }
    const ended = new Promise<void>((resolve) => (message.done = resolve))
    return ended.then(() => {
      this.flush()
    })
  }

  /** Begins what waits, one after the other. */
  async #pump(): Promise<void> {
    this.#pumping = true
    this.#stretch = performance.now()
    for (let at = 0; at < this.#queue.length; at++) {
      const { run, message } = this.#queue[at] as QueuedRun
      // the others' reports, and whatever else is due in this thread, do not wait for a long one
      const hosted = this.#links.get(run.link)
      if ((hosted !== undefined && hosted.busy > LONG) || performance.now() - this.#stretch > LONG) {
        await nextTurn()
        this.flush()
        this.#stretch = performance.now()
      }
      while (this.#running >= this.#setup.transfersPerThread) {
        await new Promise<void>((resolve) => {
          this.#onEnd = resolve
        })
      }
      this.#run(run, message)
      // under a steady load it never gets to the end
      if (at === QUEUE_CHUNK) {
        this.#queue.splice(0, at + 1)
        at = -1
      }
    }
    this.#queue.length = 0
    this.#pumping = false
  }

  #run(request: RunRequest, message: RunMessage): void {
    // looked up only now: it may have been closed while others ended
    const hosted = this.#links.get(request.link)
    this.#running++
    this.#pulse.begun = request.run + 1
    const timeout = hosted?.link.settings.timeout
    if (timeout !== undefined) this.#watch(request.run, monotonic() + timeout)
    let report: MaybePromise<TransferReport>
    try {
      if (hosted === undefined) throw new ImplementationError(`link ${request.link} is not open in this thread`)
      report = this.#transferOne(hosted, request)
    } catch (thrown) {
      // a link of another kind, or another version, than ours may throw and reject
      report = this.#failed(request, thrown)
    }
    if (report instanceof Promise) {
      void report
        .catch((thrown: unknown) => this.#failed(request, thrown))
        .then((ended) => {
          this.#ended(request, message, ended)
        })
    } else {
      this.#ended(request, message, report)
    }
  }

  #ended({ run }: RunRequest, message: RunMessage, report: TransferReport): void {
    this.#running--
    this.#unwatch(run)
    this.#onEnd()
    this.#reports.add(run, report)
    message.left--
    if (message.left === 0) {
      message.done() // which sends the reports
      return
    }
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined
      this.flush()
    })
  }

  /**
   * Shows until when a run, or whatever else is limited in time, should have ended.
   *
   * @param key - the number of the run, or one below 0
   */
  #watch(key: number, deadline: number): void {
    this.#deadlines.add(key, deadline)
    this.#pulse.deadline = this.#deadlines.earliest
  }

  #unwatch(key: number): void {
    if (this.#deadlines.size === 0) return
    this.#deadlines.delete(key)
    this.#pulse.deadline = this.#deadlines.earliest
  }

  #transferOne(
    hosted: HostedLink,
    { link: id, scheduledAt, transferNumber, drain }: RunRequest,
  ): MaybePromise<TransferReport> {
    const { stopped, inside } = hosted
    const cancelled = stopped !== undefined && transferNumber <= stopped.upTo ? stopped.reason : undefined
    const begun = ++this.#begun
    const request = { scheduledAt, transferNumber, drain, thread: this.#setup.thread, cancelled, inside }
    const since = performance.now()
    const transferring =
      this.#trace === undefined ? begin(hosted.link, request) : this.#trace.run(id, () => begin(hosted.link, request))
    // what keeps nobody waiting has held the event loop all the time
    if (!(transferring instanceof Promise)) return held(hosted, transferring, lengthOf(transferring))
    // by itself in the thread, all that the event loop does is its doing, also what comes after a wait
    const alone = this.#running === 1 ? performance.eventLoopUtilization() : undefined
    const before = performance.now() - since
    return transferring.then((report) => {
      const hasBeenAlone = alone !== undefined && begun === this.#begun && lengthOf(report) >= BRIEF
      return held(hosted, report, hasBeenAlone ? before + performance.eventLoopUtilization(alone).active : 0)
    })
  }

  #failed({ link, scheduledAt, transferNumber }: RunRequest, thrown: unknown): TransferReport {
    const ignored = this.#links.get(link)?.link.ignoreExceptions ?? false
    const identity = { link: '', update: '', transferNumber, thread: this.#setup.thread, scheduledAt }
    return failedReport(identity, thrown, ignored)
  }

  async #process(task: Calls['process']['request']): Promise<Calls['process']['answer']> {
    const { module, exportName } = task
    const processor = (await loadModule(module))[exportName]
    if (typeof processor !== 'function') {
      throw new LinkModuleError(module, `exports no function ${exportName} to process records with`)
    }
    const update = new Update(task.tags, task.transferNumber)
    const processed: unknown = await (processor as ProcessorFunction)(unpack(task.records), update)
    if (!Array.isArray(processed) || !processed.every(isRecord)) {
      throw new ImplementationError(`processor ${exportName} of ${module} must return a list of records`)
    }
    return pack(processed, task.records)
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

async function errorOf(work: Promise<void>): Promise<PlainError | null> {
  try {
    await work
    return null
  } catch (thrown) {
    return plainError(thrown)
  }
}
