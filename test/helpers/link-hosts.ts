import { restoreError } from '../../src/base/plain-error.js'
import { LinkHost } from '../../src/threads/worker/link-host.js'
import type { QueuedRun } from '../../src/threads/worker/run-queue.js'
import { RunPacker, type PackedRuns } from '../../src/threads/protocol/runs.js'
import { unpackReports, type PackedReports, type RunReport } from '../../src/threads/protocol/reports.js'
import type { Call, CallName, Calls, Channel, ThreadEvent, ThreadSetup } from '../../src/threads/protocol/messages.js'
import type { LinkDescription } from '../../src/threads/protocol/link-description.js'
import { unpackDescriptions } from '../../src/threads/protocol/packed-descriptions.js'
import { packOpens } from '../../src/threads/protocol/packed-opens.js'

/** An event of a host; reports come one by one, unpacked. */
export type Told =
  Exclude<ThreadEvent, PackedReports> | { readonly event: 'report'; readonly run: number; readonly report: RunReport }

/** Run without the message that it comes with. */
type AskedRun = Omit<QueuedRun, 'message'>

const SETUP: ThreadSetup = {
  thread: 1,
  logLevels: [],
  transfersPerThread: 1000,
  startTimeout: Infinity,
  shutdownTimeout: Infinity,
  streamGrace: 1000,
}

/** A link host on this thread, and all events of it. */
export class RecordedHost implements Channel {
  readonly told: Told[] = []
  readonly host: LinkHost
  /** Number of messages with reports. */
  reportMessages = 0
  #tasks = 0
  #runs = 0

  constructor(setup: Partial<ThreadSetup> = {}) {
    this.host = new LinkHost(this, { ...SETUP, ...setup })
  }

  postMessage(message: ThreadEvent): void {
    // as a real channel does
    const event = structuredClone(message)
    if ('event' in event && event.event !== 'reports') {
      this.told.push(event)
      return
    }
    this.reportMessages++
    const identify = (run: number) => ({ run, link: '', update: '', transferNumber: 0, thread: 0, scheduledAt: 0 })
    unpackReports(event, identify, ({ run }, report) => this.told.push({ event: 'report', run, report }))
  }

  /** Makes a call. Rejects with the error that the host answers. */
  async call<K extends Exclude<CallName, 'hello'>>(call: K, request: Calls[K]['request']): Promise<Calls[K]['answer']> {
    const task = this.#tasks++
    await this.host.handle({ call, task, ...request } as unknown as Exclude<Call, { call: 'hello' }>)
    const answer = this.told.find((event) => 'task' in event && event.task === task)
    if (answer?.event === 'answer') return answer.answer as Calls[K]['answer']
    throw answer?.event === 'error' ? restoreError(answer.error) : new Error('the host did not answer')
  }

  /** Gives the links of a module. */
  async describe(module: string): Promise<LinkDescription[]> {
    return unpackDescriptions(await this.call('describe', { module }))
  }

  /** Opens all links of a module, under ids from `first` on. */
  async open(module: URL, first = 0): Promise<Calls['open']['answer']> {
    const links = await this.describe(module.href)
    return this.call('open', {
      links: packOpens(
        links.map(({ exportName, index }, at) => ({ module: module.href, exportName, index, id: first + at })),
      ),
    })
  }

  /** Makes transfers of the links with these ids, all in one message. Gives their reports. */
  async transfer(...links: number[]): Promise<RunReport[]> {
    const runs = links.map((link) => this.run(link))
    await this.host.handle(packed(runs))
    return runs.map(({ run }) => this.reports.get(run)!)
  }

  run(link: number, request: Partial<AskedRun> = {}): AskedRun {
    const run = this.#runs++
    return { run, link, transferNumber: run, scheduledAt: 0, drain: false, retry: false, ...request }
  }

  /** Reports so far, by the numbers of their runs. */
  get reports(): Map<number, RunReport> {
    return new Map(this.told.flatMap((event) => (event.event === 'report' ? [[event.run, event.report]] : [])))
  }
}

/** Packs runs as they are sent: their numbers must follow each other. */
export function packed(runs: readonly AskedRun[]): PackedRuns {
  const packer = new RunPacker()
  for (const { run, link, transferNumber, scheduledAt, drain, retry } of runs) {
    packer.add(run, link, transferNumber, scheduledAt, drain, retry)
  }
  return packer.take()
}
