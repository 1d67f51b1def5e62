import { setEnvironmentData } from 'node:worker_threads'
import { setLogLevel, WorkerPlanner, type ThreadLostEvent, type TransferReport } from 'databay'
import { Board } from './board.js'
import { Histogram } from './histogram.js'
import { Ledger } from './ledger.js'
import { bag, below, pick, seeded } from './random.js'
import { COLLECT, nameOf, ORDERS, SOAK, waits, type Killing, type Soak } from './soak-orders.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

/** How long it may take until a thread is lost that is to be, in milliseconds. */
const PATIENCE = 15_000

export interface SoakSetting {
  readonly links: number
  /** In seconds. */
  readonly interval: number
  readonly threads: number
  readonly seed: number
}

/** A thread that is killed, by one of its links or by the main thread. */
export interface Victim {
  readonly killing: Killing
  readonly link: string | undefined
  /** Whether it must be known at once which link did it. */
  readonly known: boolean
}

/** A planner whose threads are killed, and what is seen of it; nothing of it grows with time. */
export class SoakRun {
  readonly planner: WorkerPlanner
  readonly ledger: Ledger
  /** How long links of lost threads took until they had transferred again. */
  readonly recoveries = new Histogram()
  /** How often a thread was lost, by what. */
  readonly kills: { [name: string]: number } = {}
  /** How often transfers failed, by the code of their error. */
  readonly failures: { [code: string]: number } = {}
  readonly #board: Board
  readonly #setting: SoakSetting
  readonly #random
  readonly #nextKilling
  /** When the thread of a link was lost that has not transferred since. */
  readonly #down = new Map<string, number>()
  /** In which thread a link was last. */
  readonly #threadOf = new Map<string, number>()
  #lateness: { readonly link: string; readonly late: number }[] = []
  /** Links whose thread was lost since lateness was last asked for. */
  readonly #disturbed = new Set<string>()
  #slowest = 0
  #victim: Victim | undefined
  /** When the thread of the victim should be lost. */
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

  /** Has a thread killed, as chance wills; none while the latest one takes its time. */
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
      // whose code it is that goes on after a wait is seen only in a thread that was lost without anybody to blame
      const hidden = killing.place === 'pull' && waits(link) > 0
      this.#victim = { killing, link: nameOf(link), known: killing.blamed && !hidden }
      this.#board.give(link, ORDERS.indexOf(killing) + 1)
    }
    return this.#victim
  }

  /** Notes when a thread was not lost that should have been. */
  settle(): void {
    if (this.#victim === undefined) return
    this.ledger.blame(`${this.#victim.killing.name} in ${this.#victim.link ?? 'a thread'} has ended no thread`)
    this.#victim = undefined
  }

  /** Tells one link of each thread to collect the garbage there in its next transfer. */
  collect(): void {
    const told = new Set<number>()
    for (let link = 0; link < this.#setting.links; link++) {
      const thread = this.#threadOf.get(nameOf(link))
      if (thread === undefined || told.has(thread)) continue
      told.add(thread)
      this.#board.give(link, COLLECT)
    }
  }

  /** How late transfers started since this was last asked, in milliseconds: of all links, and of those whose thread was not lost. */
  takeLateness(): { all: number[]; undisturbed: number[] } {
    const taken = this.#lateness
    const undisturbed = taken.filter(({ link }) => !this.#disturbed.has(link))
    this.#lateness = []
    this.#disturbed.clear()
    return { all: taken.map(({ late }) => late), undisturbed: undisturbed.map(({ late }) => late) }
  }

  /** The longest time that a link took to recover since this was last asked, in milliseconds. */
  takeSlowest(): number {
    const taken = this.#slowest
    this.#slowest = 0
    return taken
  }

  /** Ends the run; all must have come out. */
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
    // one that is kept away comes back later than the others
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
