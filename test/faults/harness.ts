import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  setLogLevel,
  WorkerPlanner,
  type SkippedEvent,
  type ThreadLostEvent,
  type TransferReport,
  type WorkerPlannerOptions,
} from 'databay'
import { readJournal } from './journal.js'
import { judge } from './judge.js'
import type { Spec } from './links.js'

/**
 * By how much more time everything may take: on a machine that does much else, a thread starts late. What must hold
 * otherwise is as strict as ever.
 */
export const SLACK = process.argv.includes('--slack') ? 10 : 1

/** How often a link of the harness is due, in milliseconds. */
export const EVERY = 200 * Math.min(SLACK, 3)

export type LinkSpec = Omit<Spec, 'journal' | 'every'> & { readonly every?: number }

/** A planner whose links are judged, and all that it told. */
export class Run {
  readonly planner: WorkerPlanner
  readonly reports: TransferReport[] = []
  readonly lost: (ThreadLostEvent & { readonly at: number })[] = []
  readonly skipped: SkippedEvent[] = []
  readonly specs: Spec[]
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'faults-'))

  /** @param wrap - gives the module to run, of a folder of its own and the module with the links. Default: that itself */
  constructor(
    specs: readonly LinkSpec[],
    options: WorkerPlannerOptions = {},
    wrap: (folder: string, links: URL) => URL = (_, links) => links,
  ) {
    setLogLevel('silent')
    this.specs = specs.map((spec) => this.#complete(spec))
    const settings = { threads: 2, ignoreExceptions: true, immediateTransfer: false, timeoutGrace: 0.3, ...options }
    this.planner = new WorkerPlanner(wrap(this.#folder, moduleOf(this.specs)), settings)
    this.planner.finished.catch(() => undefined)
    this.planner.on('transfer', (report) => this.reports.push(report))
    this.planner.on('threadLost', (event) => this.lost.push({ ...event, at: Date.now() }))
    this.planner.on('skipped', (event) => this.skipped.push(event))
  }

  /** Adds links in a module of their own, and gives that. They are judged, even when they do not start. */
  async add(specs: readonly LinkSpec[]): Promise<URL> {
    const added = specs.map((spec) => this.#complete(spec))
    this.specs.push(...added)
    const module = moduleOf(added)
    await this.planner.addLinks(module)
    return module
  }

  #complete(spec: LinkSpec): Spec {
    return { every: EVERY, ...spec, journal: path.join(this.#folder, `${spec.name}.jsonl`) }
  }

  /** Journals are there even when the planner never ran. */
  journalOf(link: string) {
    const spec = this.specs.find(({ name }) => name === link)
    return spec === undefined ? [] : readJournal(spec.journal)
  }

  reportsOf(link: string): TransferReport[] {
    return this.reports.filter((report) => report.link === link)
  }

  /** Waits until something is so, for as long as it may take. */
  async until(what: () => boolean, limit = 20_000): Promise<void> {
    const end = Date.now() + limit
    while (!what()) {
      if (Date.now() > end) throw new Error(`it did not come to pass within ${limit} ms: ${String(what)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Waits until a link has pushed a batch that it pulled after a time. Gives how long after that time it was pushed. */
  async fresh(link: string, since: number, limit = 20_000): Promise<number> {
    const found = () => this.journalOf(link).find(({ step, at }) => step === 'ends' && at > since)
    await this.until(() => found() !== undefined, limit)
    return (found()?.at ?? since) - since
  }

  /** What is wrong with what came out, in sentences. */
  judge(): string[] {
    const bufferedLost = this.lost.reduce((sum, { buffered }) => sum + buffered, 0)
    return judge(this.specs, { reports: this.reports, bufferedLost })
  }

  /** Ends the run; gives how long the shutdown took. */
  async end(): Promise<number> {
    const started = Date.now()
    await this.planner.shutdown().catch(() => undefined)
    return Date.now() - started
  }

  forget(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The module with links of these specs. */
export function moduleOf(specs: readonly Spec[]): URL {
  const module = new URL('links.js', import.meta.url)
  module.searchParams.set('links', JSON.stringify(specs))
  return module
}
