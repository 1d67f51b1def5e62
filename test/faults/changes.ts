import { EVERY, Run, SLACK, type LinkSpec } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

const LINKS: readonly LinkSpec[] = [
  { name: 'plain' },
  { name: 'slow', pulls: 60 },
  { name: 'computes', computes: 20 },
  { name: 'held', buffer: 100_000 },
  { name: 'heldToo', buffer: 7 },
  { name: 'anywhere', stateless: true },
]

/** Scenario: threads change while links transfer, and no link notices. */
function change(name: string, threads: number, work: (run: Run) => Promise<string>): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      const run = new Run(LINKS, { threads, maxTransfersPerThread: name.includes('by themselves') ? 20 : Infinity })
      try {
        await run.planner.start()
        await run.until(() => run.reports.length >= 3 * LINKS.length)
        const started = Date.now()
        const what = await work(run)
        const took = Date.now() - started
        const since = Date.now()
        for (const { name: link } of LINKS) {
          await run.until(() => run.reportsOf(link).some(({ startedAt }) => startedAt > since))
        }
        await run.end()
        expect(run.lost.length === 0, 'no thread is lost')
        expect(
          run.reports.every(({ errors }) => errors.length === 0),
          'no transfer fails',
        )
        const { missed, skipped, late } = run.planner.counts
        expect(missed === 0, `no due time is missed: ${missed} are`)
        expect(SLACK > 1 || (skipped === 0 && late === 0), `no transfer is skipped or late: ${skipped} and ${late} are`)
        expectNothingWrong(run.judge())
        const held = run.journalOf('held').flatMap(({ records }) => records)
        expect(
          held.length === 3 * run.reportsOf('held').filter(({ pulled }) => pulled > 0).length,
          'buffers are handed over',
        )
        return { held: `${what} in ${took} ms; ${run.reports.length} transfers, every ${EVERY} ms each, none missed` }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

export const changes: readonly Scenario[] = [
  change('thread recycled under load', 2, async ({ planner }) => {
    const before = threadPoolOf(planner).threads.map(({ worker }) => worker)
    await planner.recycle()
    expect(
      threadPoolOf(planner).threads.every(({ worker }) => !before.includes(worker)),
      'all threads are new',
    )
    return 'two threads recycled'
  }),
  change('threads recycled by themselves after 20 transfers', 1, async (run) => {
    const [first] = threadPoolOf(run.planner).threads
    await run.until(() => threadPoolOf(run.planner).threads[0] !== first)
    return 'recycled'
  }),
  change('more threads under load', 1, async ({ planner }) => {
    await planner.setThreads(3)
    const hosting = threadPoolOf(planner).threads.filter(({ worker }) => worker !== undefined)
    expect(hosting.length === 3 && planner.threads === 3, 'there are three threads')
    return 'from one thread to three'
  }),
  change('fewer threads under load', 3, async ({ planner }) => {
    await planner.setThreads(1)
    expect(threadPoolOf(planner).threads.length === 1 && planner.threads === 1, 'there is one thread')
    return 'from three threads to one'
  }),
]
