import { setEnvironmentData } from 'node:worker_threads'
import { setLogLevel, WorkerPlanner, type ThreadLostEvent, type TransferReport } from 'databay'
import { Board } from './board.js'
import { Histogram } from './histogram.js'
import { Ledger } from './ledger.js'
import { bag, below, pick, seeded } from './random.js'
import { COLLECT, nameOf, ORDERS, SOAK, waits, type Killing, type Soak } from './soak-orders.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

/** Time within which a thread that is killed must be lost, in milliseconds. */
const PATIENCE = 15_000

export interface SoakSetting {
  readonly links: number
  /** Interval of the links, in seconds. */
  readonly interval: number
  readonly threads: number
  readonly seed: number
}

/** Thread that is to be killed, by one of its links or by the main thread. */
export interface Victim {
  readonly killing: Killing
  readonly link: string | undefined
  /** Whether the culprit must be known at once. */
  readonly known: boolean
}

/** A planner whose threads are killed, and measurements of it; nothing of it grows with time. */
export class SoakRun {
  readonly planner: WorkerPlanner
  readonly ledger: Ledger
  /** Times that links of lost threads took until they had transferred again. */
  readonly recoveries = new Histogram()
  /** Number of lost threads, by the way they were killed. */
  readonly kills: { [name: string]: number } = {}
  /** Number of failures of transfers, by the code of their error. */
  readonly failures: { [code: string]: number } = {}
  readonly #board: Board
  readonly #setting: SoakSetting
  readonly #random
  readonly #nextKilling
  /** Times at which threads were lost, by their links that have not transferred since. */
  readonly #down = new Map<string, number>()
  /** Number of the thread in which each link was last. */
  readonly #threadOf = new Map<string, number>()
  #lateness: { readonly link: string; readonly late: number }[] = []
  /** Links whose thread was lost since lateness was last taken. */
  readonly #disturbed = new Set<string>()
  #slowest = 0
  #victim: Victim | undefined
  /** Time by which the thread of the victim must be lost, by `performance.now()`. */
  #overdue = 0

  constructor(setting: SoakSetting) {
    setLogLevel('silent')
    const { links, interval, threads, seed } = setting
    this.#setting = setting
    this.#random = seeded(seed)
    this.#nextKilling = bag(this.#random, ORDERS)
    this.#board = new Board(links)
    this.ledger = new Ledger(
      this.#board,
      Array.from({ length: links }, (_, link) => nameOf(link)),
    )
    const soak: Soak = { memory: this.#board.memory, links, interval, timeout: Math.max(3, 3 * interval) }
    setEnvironmentData(SOAK, soak)
    this.planner = new WorkerPlanner(new URL('soak-links.js', import.meta.url), {
      threads,
      ignoreExceptions: true,
      immediateTransfer: false,
      timeoutGrace: 0.3,
      threadMemoryLimit: 64,
    })
    this.planner.finished.catch(() => undefined)
    this.planner.on('transfer', (report) => {
      this.#onReport(report)
    })
    this.planner.on('threadLost', (event) => {
      this.#onLost(event)
    })
  }

  /** Has a random thread killed; none while the latest victim still has time. */
  kill(): Victim | undefined {
    if (this.#victim !== undefined) {
      if (performance.now() < this.#overdue) return undefined
      this.settle()
    }
    this.#overdue = performance.now() + PATIENCE
    const killing = this.#nextKilling()
    const { links } = this.#setting
    if (killing.kind === 'terminate') {
      this.#victim = { killing, link: undefined, known: false }
      void pick(this.#random, threadPoolOf(this.planner).threads)?.worker?.terminate()
    } else {
      // a link with a buffer does not push every time
      let link = below(this.#random, links)
      while (killing.place === 'push' && link % 4 === 1) link = (link + 1) % links
      // code that goes on after a wait is attributed only in a thread that is traced
      const hidden = killing.place === 'pull' && waits(link) > 0
      this.#victim = { killing, link: nameOf(link), known: killing.blamed && !hidden }
      this.#board.give(link, ORDERS.indexOf(killing) + 1)
    }
    return this.#victim
  }

  /** Blames the planner when the victim's thread was not lost. */
  settle(): void {
    if (this.#victim === undefined) return
    this.ledger.blame(`${this.#victim.killing.name} in ${this.#victim.link ?? 'a thread'} has ended no thread`)
    this.#victim = undefined
  }

  /** Orders one link of each thread to collect the garbage there in its next transfer. */
  collect(): void {
    const told = new Set<number>()
    for (let link = 0; link < this.#setting.links; link++) {
      const thread = this.#threadOf.get(nameOf(link))
      if (thread === undefined || told.has(thread)) continue
      told.add(thread)
      this.#board.give(link, COLLECT)
    }
  }

  /** Lateness of transfers since the last call, in milliseconds: of all links, and of those whose thread was not lost. */
  takeLateness(): { all: number[]; undisturbed: number[] } {
    const taken = this.#lateness
    const undisturbed = taken.filter(({ link }) => !this.#disturbed.has(link))
    this.#lateness = []
    this.#disturbed.clear()
    return { all: taken.map(({ late }) => late), undisturbed: undisturbed.map(({ late }) => late) }
  }

  /** Longest time that a link took to recover since the last call, in milliseconds. */
  takeSlowest(): number {
    const taken = this.#slowest
    this.#slowest = 0
    return taken
  }

  /** Ends the run; nothing may be held any more. */
  async end(): Promise<void> {
    await this.planner.shutdown().catch((error: unknown) => {
      this.ledger.blame(String(error))
    })
    this.ledger.end()
  }

  #onReport(report: TransferReport): void {
    this.ledger.report(report)
    const { link, startedAt, scheduledAt, endedAt, errors, pulled, thread } = report
    if (errors.length > 0) {
      for (const { code = 'another error' } of errors) this.failures[code] = (this.failures[code] ?? 0) + 1
      return
    }
    if (pulled === 0) return
    this.#lateness.push({ link, late: startedAt - scheduledAt })
    this.#threadOf.set(link, thread)
    const down = this.#down.get(link)
    if (down === undefined || startedAt < down) return
    this.#down.delete(link)
    this.recoveries.add(endedAt - down)
    this.#slowest = Math.max(this.#slowest, endedAt - down)
  }

  #onLost(event: ThreadLostEvent): void {
    this.ledger.lost(event)
    const { culprit, links, quarantinedUntil, error } = event
    const now = Date.now()
    for (const link of links) {
      this.#down.set(link, now)
      this.#disturbed.add(link)
    }
    // a link in quarantine comes back later than the others
    if (culprit !== undefined && quarantinedUntil !== undefined) this.#down.delete(culprit)
    const victim = this.#victim
    this.#victim = undefined
    if (victim === undefined) {
      this.ledger.blame(`a thread was lost that nobody killed: ${error.message}`)
      return
    }
    const { killing, link, known } = victim
    this.kills[killing.name] = (this.kills[killing.name] ?? 0) + 1
    if (known && culprit !== link) {
      this.ledger.blame(`${killing.name} in ${String(link)} was blamed on ${culprit ?? 'nobody'}`)
    }
  }
}
