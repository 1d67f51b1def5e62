import { WorkerPlanner, type PlannedLink, type TransferReport, type WorkerPlannerOptions } from 'databay'
import { check } from './measure.js'

/** A planner whose links transfer in a closed loop: each again as soon as its last transfer has ended. */
export class ClosedLoop {
  readonly planner: WorkerPlanner

  private constructor(modules: URL | URL[], options: WorkerPlannerOptions) {
    this.planner = new WorkerPlanner(modules, { ...options, immediateTransfer: false })
  }

  /**
   * Starts a planner.
   *
   * @param modules - link modules whose links are not due by themselves
   */
  static async start(modules: URL | URL[], options: WorkerPlannerOptions): Promise<ClosedLoop> {
    const loop = new ClosedLoop(modules, options)
    await loop.planner.start()
    return loop
  }

  /**
   * Has links transfer until it is time to stop.
   *
   * @param judge - throws when a transfer did not do its work
   * @returns number of transfers that were made
   */
  async run(
    until: () => boolean,
    judge: (report: TransferReport) => void,
    links: readonly PlannedLink[] = this.planner.links,
  ): Promise<number> {
    const { counts } = this.planner
    let made = 0
    const one = async (link: PlannedLink) => {
      do {
        const [report] = await this.planner.forceTransfer(link)
        if (report === undefined) throw new Error(`${link.name} was skipped`)
        check(`errors of ${report.update}`, report.errors.length, 0)
        judge(report)
        made++
      } while (!until())
    }
    await Promise.all(links.map(one))
    check('failed transfers', this.planner.counts.failed, counts.failed)
    return made
  }

  close(): Promise<void> {
    return this.planner.shutdown()
  }
}
