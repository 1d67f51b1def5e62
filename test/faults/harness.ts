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
 * Factor for all time limits: on a machine with other work, threads start late. Everything else is as strict as without.
 */
export const SLACK = process.argv.includes('--slack') ? 10 : 1

/** Interval of the harness's links, in milliseconds. */
export const EVERY = 200 * Math.min(SLACK, 3)

export type LinkSpec = Omit<Spec, 'journal' | 'every'> & { readonly every?: number }

/** A planner whose links are judged, with all its reports and events. */
export class Run {
  readonly planner: WorkerPlanner
  readonly reports: TransferReport[] = []
  readonly lost: (ThreadLostEvent & { readonly at: number })[] = []
  readonly skipped: SkippedEvent[] = []
  readonly specs: Spec[]
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'faults-'))

  /** @param wrap - makes the module to run, from a folder and the module with the links. Default: that module */
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

  /** Adds links in a module of their own, and gives the module. They are judged even when they do not start. */
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

  /** Journal of a link; empty when the planner never ran. */
  journalOf(link: string) {
    const spec = this.specs.find(({ name }) => name === link)
    return spec === undefined ? [] : readJournal(spec.journal)
  }

  reportsOf(link: string): TransferReport[] {
    return this.reports.filter((report) => report.link === link)
  }

  /** Waits until a condition holds; throws after a time. */
  async until(what: () => boolean, limit = 20_000): Promise<void> {
    const end = Date.now() + limit
    while (!what()) {
      if (Date.now() > end) throw new Error(`it did not come to pass within ${limit} ms: ${String(what)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Waits until a link has pushed a batch after a time. Gives the milliseconds from that time to the end of the push. */
  async fresh(link: string, since: number, limit = 20_000): Promise<number> {
    const found = () => this.journalOf(link).find(({ step, at }) => step === 'ends' && at > since)
    await this.until(() => found() !== undefined, limit)
    return (found()?.at ?? since) - since
  }

  /**
   * Judges all that was pushed and reported. Gives what is wrong, in sentences.
   *
   * @param lost - number of records that buffers have lost, as the planner told. Default: with threads
   */
  judge(lost = this.lost.reduce((sum, { buffered }) => sum + buffered, 0)): string[] {
    return judge(this.specs, { reports: this.reports, bufferedLost: lost })
  }

  /** Ends the run; gives the length of the shutdown in milliseconds. */
  async end(): Promise<number> {
    const started = Date.now()
    await this.planner.shutdown().catch(() => undefined)
    return Date.now() - started
  }

  forget(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** URL of the module with links of these specs. */
export function moduleOf(specs: readonly Spec[]): URL {
  const module = new URL('links.js', import.meta.url)
  module.searchParams.set('links', JSON.stringify(specs))
  return module
}
