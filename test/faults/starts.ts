import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StartFailedEvent, WorkerPlannerOptions } from 'databay'
import { EVERY, Run, SLACK, type LinkSpec } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'

/** Time until links that have nothing to do with the fault have to transfer again, beyond an interval, in milliseconds. */
const RECOVERY = 500 * SLACK

/** Time after which a start is given up, in seconds. */
const START_TIMEOUT = 2 * Math.min(SLACK, 3)

const CRASHES: LinkSpec = { name: 'crashes', fault: { kind: 'exit', place: 'pull', at: 3 } }

/** Code of a module that exports the link `faulty`, with a fault. It goes by files of its folder. */
function moduleCode(links: URL, fault: string): string {
  return `
    import { existsSync, writeFileSync } from 'node:fs'
    import { setTimeout as wait } from 'node:timers/promises'
    import { links as all } from ${JSON.stringify(links.href)}
    const marker = new URL('loaded', import.meta.url)
    const isAgain = existsSync(marker)
    const isMended = () => existsSync(new URL('mended', import.meta.url))
    const beforeStart = (work) => {
      const [inlet] = all.find(({ name }) => name === 'faulty').inlets
      const start = inlet.onStart.bind(inlet)
      inlet.onStart = async () => { await work(); await start() }
    }
    writeFileSync(marker, '')
    ${fault}
    export const links = all`
}

interface Faulty {
  readonly run: Run
  /** Events of the planner that a link could not be started. */
  readonly failed: readonly StartFailedEvent[]
  /** Takes the fault away. */
  readonly mend: () => void
}

/** Scenario: a link or its module has a fault as it starts. */
function start(
  name: string,
  spec: Partial<LinkSpec>,
  fault: string,
  work: (faulty: Faulty) => Promise<Outcome>,
  options: WorkerPlannerOptions = {},
): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      let mended = ''
      const settings = { threads: 1, startTimeout: START_TIMEOUT, ...options }
      const run = new Run([{ name: 'faulty', ...spec }], settings, (folder, links) => {
        const file = path.join(folder, 'faulty.mjs')
        mended = path.join(folder, 'mended')
        writeFileSync(file, moduleCode(links, fault))
        return pathToFileURL(file)
      })
      const failed: StartFailedEvent[] = []
      run.planner.on('startFailed', (event) => failed.push(event))
      const mend = () => {
        writeFileSync(mended, '')
      }
      try {
        const outcome = await work({ run, failed, mend })
        await run.end()
        expectNothingWrong(run.judge())
        expect(existsSync(mended), 'the fault was taken away')
        return outcome
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Crashes the thread of a faulty link, and gives the time until its neighbours transfer again. */
async function crash(run: Run): Promise<number> {
  await run.planner.start()
  await run.add([{ name: 'other0' }, { name: 'other1' }, CRASHES])
  await run.fresh('faulty', 0)
  await run.until(() => run.lost.length > 0)
  const at = run.lost[0]?.at ?? 0
  const times = await Promise.all(['other0', 'other1'].map((link) => run.fresh(link, at)))
  const recovery = Math.max(...times)
  const limit = EVERY + RECOVERY
  expect(recovery <= limit, `the others transfer again within ${limit} ms: it took ${recovery} ms`)
  return recovery
}

export const starts: readonly Scenario[] = [
  start(
    'module that hangs after a crash',
    {},
    'while (isAgain && !isMended()) await wait(20)',
    async ({ run, failed, mend }) => {
      const recovery = await crash(run)
      await run.until(() => failed.length > 0)
      const [event] = failed
      expect(event?.link === 'faulty' && /faulty\.mjs/.test(event.module ?? ''), 'link and module are told')
      expect(/did not load within/.test(event?.error.message ?? ''), `with why: ${event?.error.message}`)
      await run.until(() => run.skipped.some(({ link, reason }) => link === 'faulty' && reason === 'starting'))
      const since = Date.now()
      mend()
      const late = await run.fresh('faulty', since)
      return { held: `the others did not wait; its link was told of, and back ${late} ms after it loaded`, recovery }
    },
  ),
  start(
    'slow start of a neighbour after a crash',
    {},
    'if (isAgain) beforeStart(async () => { while (!isMended()) await wait(20) })',
    async ({ run, failed, mend }) => {
      const recovery = await crash(run)
      mend()
      await run.fresh('faulty', run.lost[0]?.at ?? 0)
      expect(failed.length === 0, 'it started in time')
      return { held: 'the others did not wait for it', recovery }
    },
    { startTimeout: 20 * Math.min(SLACK, 3) },
  ),
  start(
    'start that is refused, with onStartFailure retry',
    { onStartFailure: 'retry' },
    `beforeStart(() => { if (!isMended()) throw new Error('refused') })`,
    async ({ run, failed, mend }) => {
      await run.planner.start()
      await run.add([{ name: 'other' }])
      await run.fresh('other', 0)
      await run.until(() => failed.length >= 2)
      expect(
        failed.every(({ link, error }) => link === 'faulty' && error.message === 'refused'),
        'each try is told',
      )
      const { startFailure } = run.planner.stats().links.find(({ link }) => link === 'faulty') ?? {}
      expect(startFailure?.message === 'refused', 'the stats say why it waits')
      expect(run.reportsOf('faulty').length === 0, 'it makes no transfers')
      const since = Date.now()
      mend()
      const recovery = await run.fresh('faulty', since)
      expect(recovery <= 4000 + RECOVERY, `it is back with the next try: it took ${recovery} ms`)
      return { held: `the planner ran without it for ${failed.length} tries`, recovery }
    },
    { ignoreExceptions: false },
  ),
]
