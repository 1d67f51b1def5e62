import { failedReport, type TransferReport } from '../src/core/report.js'
import { stageTimes, timedStagesOf } from '../src/core/transfer/stage-times.js'
import { LinkCounters } from '../src/planners/link-counters.js'
import { StageLists } from '../src/threads/protocol/stage-lists.js'
import { Link, PrintOutlet, RandomIntInlet } from 'databay'
import { check, repeat, withCost, type Subject, type COST_UNITS } from './measure.js'
import { sum } from './statistics.js'

/** Name of the subject that only keeps what `stats()` tells, without the transfers. */
export const KEPT = 'what stats() keeps'

/** Number of links for which that is measured. */
export const KEPT_LINKS = 1000

/**
 * Subject: what is kept of each transfer for `stats()` and for the times of stages in reports, without the transfers: counts
 * and distributions of its link on the main thread; the times of its stages in the thread, on their way and on the main thread.
 */
export function kept(units: typeof COST_UNITS & { readonly rate: string }): Subject {
  return {
    name: KEPT,
    units,
    open() {
      const counters = Array.from({ length: KEPT_LINKS }, () => new LinkCounters())
      const reports = Array.from({ length: 97 }, (_, at) => ({
        ...failedReport({ link: '', update: '', transferNumber: at, thread: 1, scheduledAt: 0 }, undefined, true),
        ...{ errors: [], startedAt: at / 10, endedAt: at / 10 + 2 ** (at % 8) / 100 },
      }))
      const stages = timedStagesOf(new Link({ inlets: new RandomIntInlet(), outlets: new PrintOutlet(), interval: 1 }))
      const lists = new StageLists()
      const times = new Float64Array(stages.all.length)
      let made = 0
      return {
        async sample(seconds) {
          const some = () => {
            for (const one of counters) {
              const report = reports[made++ % reports.length] as TransferReport
              const durations = stages.none.slice()
              for (let at = 0; at < durations.length; at++) durations[at] = (durations[at] ?? 0) + report.endedAt
              const inThread = stageTimes(stages, durations)
              lists.placeOf(inThread)
              inThread.forEach(({ duration }, at) => (times[at] = duration))
              one.add({ ...report, stages: stageTimes(stages, durations) })
            }
            return counters.length
          }
          const figures = await withCost(() => repeat(seconds, some))
          check('transfers', sum(counters.map((one) => one.read().durations.count)), made)
          return figures
        },
      }
    },
  }
}
