import { WorkerPlanner, type Link, type PlannedLink } from 'databay'
import { Piscina } from 'piscina'
import type { Bench, Measurement, Settings } from './bench.js'
import { DueAtOnce } from './due-at-once.js'
import { KEPT, KEPT_LINKS, kept } from './kept.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from './measure.js'
import { sum } from './statistics.js'
import { plural } from './text.js'

const UNITS = { ...COST_UNITS, rate: 'transfers/s' }

/** Number of transfers in process between two looks at the clock. */
const IN_PROCESS = 100

export const dispatch: Bench = {
  name: 'dispatch',
  question: 'How many transfers that do nothing can be made in a second?',
  async run(settings) {
    const measurements: Measurement[] = []
    const one = settings.threads.includes(2) ? 2 : settings.threads[0]
    for (const threads of settings.threads) {
      const counts = settings.smoke ? [20] : threads === one ? [1, 100, 1000, 10_000] : [1000]
      for (const links of counts) measurements.push(...(await dueAtOnce(links, threads, settings)))
      measurements.push(...(await onePerMessage(threads, settings)))
    }
    return measurements
  },
}

function dueAtOnce(links: number, threads: number, settings: Settings): Promise<Measurement[]> {
  const isKept = links === KEPT_LINKS || settings.smoke
  const subjects: Subject[] = [
    scheduled(links, threads, isKept ? [KEPT] : []),
    forced(links, threads),
    piscina(threads, threads, 'Piscina, closed loop per thread'),
    ...(links > threads ? [piscina(threads, links, 'Piscina, all at once')] : []),
    inProcess(links),
    ...(isKept ? [kept(UNITS)] : []),
  ]
  return compare(dueAtOnceCase(links, threads), subjects, { ...settings, seconds: settings.seconds / 2 })
}

export function dueAtOnceCase(links: number, threads: number): string {
  return `${plural(links, 'link')} due at once, ${plural(threads, 'thread')}`
}

function onePerMessage(threads: number, settings: Settings): Promise<Measurement[]> {
  const peer = piscina(threads, threads, 'Piscina, closed loop per thread')
  return compare(onePerMessageCase(threads), [single(threads), peer, kept(UNITS)], {
    ...settings,
    seconds: settings.seconds / 2,
  })
}

export function onePerMessageCase(threads: number): string {
  return `one link per message, one message in flight per thread, ${plural(threads, 'thread')}`
}

/**
 * URL of a module with links that do nothing.
 *
 * @param interval - in seconds; by default so long that no link is due by itself
 */
function noopLinks(links: number, interval = 86_400): URL {
  return new URL(`./links/noop.js?links=${links}&interval=${interval}`, import.meta.url)
}

/** Subject: links that are due by the planner's own schedule. */
function scheduled(links: number, threads: number, more: readonly string[]): Subject {
  return {
    name: 'databay',
    units: UNITS,
    peers: ['Piscina, closed loop per thread', 'Piscina, all at once', 'in process', ...more].filter(
      (peer) => links > threads || peer !== 'Piscina, all at once',
    ),
    async open() {
      const loop = await DueAtOnce.start(noopLinks(links, 1), threads)
      return {
        async sample(seconds) {
          const figures = await withCost(() => repeat(seconds, () => loop.round()))
          loop.check()
          return figures
        },
        close: () => loop.close(),
      }
    },
  }
}

/** Subject: links that transfer on a call of `forceTransfer()`. */
function forced(links: number, threads: number): Subject {
  return {
    name: 'databay, forceTransfer()',
    units: UNITS,
    peers: ['Piscina, closed loop per thread'],
    async open() {
      const planner = new WorkerPlanner(noopLinks(links), { threads, immediateTransfer: false })
      await planner.start()
      return {
        async sample(seconds) {
          const round = async () => {
            const reports = await planner.forceTransfer()
            check('reports', reports.length, links)
            return links
          }
          const figures = await withCost(() => repeat(seconds, round))
          checkCounts(planner)
          return figures
        },
        close: () => planner.shutdown(),
      }
    },
  }
}

/** Subject: one link for each thread, called to transfer again as soon as it has. So a message holds one transfer only. */
function single(threads: number): Subject {
  return {
    name: 'databay',
    units: UNITS,
    peers: ['Piscina, closed loop per thread', KEPT],
    async open() {
      const planner = new WorkerPlanner(noopLinks(threads), { threads, immediateTransfer: false })
      await planner.start()
      return {
        async sample(seconds) {
          const one = async (link: PlannedLink) =>
            (await planner.forceTransfer(link)).filter(({ failed }) => !failed).length
          const figures = await withCost(async () =>
            sum(await Promise.all(planner.links.map((link) => repeat(seconds, () => one(link))))),
          )
          checkCounts(planner)
          return figures
        },
        close: () => planner.shutdown(),
      }
    },
  }
}

function checkCounts({ counts }: WorkerPlanner): void {
  check('failed transfers', counts.failed, 0)
  check('skipped transfers', counts.skipped, 0)
}

/** Subject: Piscina as it comes, with one task for each transfer, and `inFlight` tasks at once. */
function piscina(threads: number, inFlight: number, name: string): Subject {
  return {
    name,
    units: UNITS,
    async open() {
      const filename = new URL('./workers/noop.js', import.meta.url).href
      const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads, idleTimeout: Infinity })
      await Promise.all(Array.from({ length: threads }, () => pool.run(undefined)))
      return {
        async sample(seconds) {
          const before = pool.completed
          let done = 0
          const one = async () => {
            if (!((await pool.run(undefined)) > 0)) throw new Error('a task did nothing')
            return 1
          }
          const figures = await withCost(async () => {
            done = sum(await Promise.all(Array.from({ length: inFlight }, () => repeat(seconds, one))))
            return done
          })
          check('tasks', pool.completed - before, done)
          return figures
        },
        close: () => pool.destroy(),
      }
    },
  }
}

/** Subject: the same links without a planner, one transfer after the other on the main thread. */
function inProcess(count: number): Subject {
  return {
    name: 'in process',
    units: UNITS,
    async open() {
      const { links } = (await import(noopLinks(count).href)) as { links: Link[] }
      return {
        async sample(seconds) {
          const rounds = Math.max(1, Math.floor(IN_PROCESS / count))
          const some = async () => {
            let failed = 0
            for (let round = 0; round < rounds; round++) {
              for (const link of links) if ((await link.transfer()).errors.length > 0) failed++
            }
            check('failed transfers', failed, 0)
            return rounds * links.length
          }
          return withCost(() => repeat(seconds, some))
        },
      }
    },
  }
}
