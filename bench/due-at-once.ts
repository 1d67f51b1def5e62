import { WorkerPlanner, type WorkerPlannerOptions } from 'databay'
import { withInternals } from '../src/planners/planner-internals.js'
import { LoopClock } from './loop-clock.js'
import { check } from './measure.js'

/** A planner whose links are all due at once, in rounds: the next round begins when the last transfer of a round has ended. */
export class DueAtOnce {
  readonly #planner: WorkerPlanner
  readonly #clock: LoopClock
  #links = 0
  #rounds = 0
  #left = 0
  #done: () => void = () => undefined
  #failed: (error: Error) => void = () => undefined

  private constructor(module: URL, threads: number, options: WorkerPlannerOptions) {
    this.#clock = new LoopClock()
    this.#planner = new WorkerPlanner(
      module,
      withInternals({ ...options, threads, immediateTransfer: false }, { clock: this.#clock }),
    )
    this.#planner.on('transfer', () => {
      if (--this.#left === 0) this.#done()
    })
    this.#planner.on('skipped', ({ link }) => this.#failed(new Error(`${link} was skipped`)))
  }

  static async start(module: URL, threads: number, options: WorkerPlannerOptions = {}): Promise<DueAtOnce> {
    const loop = new DueAtOnce(module, threads, options)
    await loop.#planner.start()
    loop.#links = loop.#planner.links.length
    loop.#planner.finished.catch((error: unknown) => loop.#failed(error as Error))
    return loop
  }

  /** Makes one transfer of every link. Resolves with the number of transfers. */
  round(): Promise<number> {
    this.#left = this.#links
    this.#rounds++
    return new Promise((resolve, reject) => {
      this.#done = () => {
        resolve(this.#links)
      }
      this.#failed = reject
      this.#clock.goOn()
    })
  }

  /** Checks that every link made one transfer in each round. */
  check(): void {
    const { transfers, failed, missed } = this.#planner.counts
    check('transfers', transfers, this.#links * this.#rounds)
    check('failed transfers', failed, 0)
    check('missed transfers', missed, 0)
  }

  close(): Promise<void> {
    return this.#planner.shutdown()
  }
}
