import { setTimeout as delay } from 'node:timers/promises'
import { Piscina } from 'piscina'
import type { PlannedLink } from 'databay'
import type { Bench, Measurement, Settings } from './bench.js'
import { ClosedLoop } from './closed-loop.js'
import { check, compare, type Subject } from './measure.js'
import { median } from './statistics.js'
import { plural } from './text.js'
import type { Work } from './work/computing.js'

/** Time that each transfer waits, in milliseconds. */
const WAIT = 100
const COMPUTING = 8
const KIND: Work = 'primes'

export const io: Bench = {
  name: 'io',
  question: 'How soon are many links done that wait, by themselves and beside links that compute?',
  async run(settings) {
    const measurements: Measurement[] = []
    const one = settings.threads.includes(2) ? 2 : settings.threads[0]
    for (const threads of settings.threads) {
      for (const links of settings.smoke ? [3] : threads === one ? [30, 300, 1000] : [1000]) {
        measurements.push(...(await compare(waitingCase(links, threads), waiting(links, threads), settings)))
      }
    }
    if (one !== undefined && one > 1) measurements.push(...(await beside(settings.smoke ? 3 : 30, one, settings)))
    return measurements
  },
}

export function waitingCase(links: number, threads: number): string {
  return `${plural(links, 'link')} that wait ${WAIT} ms, ${plural(threads, 'thread')}`
}

export function besideCase(links: number, threads: number): string {
  return `${plural(links, 'link')} that wait ${WAIT} ms beside ${COMPUTING} that compute, ${plural(threads, 'thread')}`
}

function waitingLinks(links: number, lane = 'auto'): URL {
  return new URL(`./links/waiting.js?links=${links}&lane=${lane}`, import.meta.url)
}

/** Median length of a round, in milliseconds, of as many rounds as there is time for. */
async function rounds(seconds: number, round: () => Promise<void>): Promise<number> {
  const times: number[] = []
  const from = performance.now()
  do {
    const start = performance.now()
    await round()
    times.push(performance.now() - start)
  } while (performance.now() - from < seconds * 1000)
  return median(times)
}

/** Makes one transfer of each link, all at once. Ends when the last one is done. */
async function waitOnce(loop: ClosedLoop, links: readonly PlannedLink[]): Promise<void> {
  const reports = await loop.planner.forceTransfer([...links])
  check('reports', reports.length, links.length)
  for (const report of reports) {
    check(`errors of ${report.update}`, report.errors.length, 0)
    check(`records of ${report.update}`, report.pulled, 1)
  }
}

function waiting(links: number, threads: number): Subject[] {
  const shared = `Piscina, ${Math.ceil(links / threads)} at once in a thread`
  const databay: Subject = {
    name: 'databay',
    units: { 'all done': 'ms' },
    peers: ['main thread', shared],
    async open() {
      const loop = await ClosedLoop.start(waitingLinks(links), { threads })
      return {
        sample: async (seconds) => ({
          'all done': await rounds(seconds, () => waitOnce(loop, loop.planner.links)),
        }),
        close: () => loop.close(),
      }
    },
  }
  return [databay, piscina(shared, links, threads), mainThread(links)]
}

function piscina(name: string, tasks: number, threads: number): Subject {
  return {
    name,
    units: { 'all done': 'ms' },
    open() {
      const pool = new Piscina({
        filename: new URL('./workers/waiting.js', import.meta.url).href,
        ...{ minThreads: threads, maxThreads: threads, idleTimeout: Infinity },
        concurrentTasksPerWorker: Math.ceil(tasks / threads),
      })
      return {
        sample: async (seconds) => ({
          'all done': await rounds(seconds, async () => {
            const waited = await Promise.all(Array.from({ length: tasks }, () => pool.run(WAIT)))
            for (const one of waited) check('result', one, WAIT)
          }),
        }),
        close: () => pool.destroy(),
      }
    },
  }
}

function mainThread(count: number): Subject {
  return {
    name: 'main thread',
    units: { 'all done': 'ms' },
    open: () => ({
      sample: async (seconds) => ({
        'all done': await rounds(seconds, async () => {
          await Promise.all(Array.from({ length: count }, () => delay(WAIT)))
        }),
      }),
    }),
  }
}

/** Measures links that wait while others compute all the time. */
function beside(links: number, threads: number, settings: Settings): Promise<Measurement[]> {
  const subjects = [
    mixed('databay, lanes given', links, threads, { waiting: 'io', computing: 'cpu' }),
    mixed('databay, lanes learned', links, threads, { waiting: 'auto', computing: 'auto' }),
    mixed('databay, no lanes', links, threads, { waiting: 'io', computing: 'io' }),
  ]
  return compare(besideCase(links, threads), subjects, { ...settings, seconds: settings.seconds * 2 })
}

function mixed(
  name: string,
  links: number,
  threads: number,
  lanes: { readonly waiting: string; readonly computing: string },
): Subject {
  return {
    name,
    units: { 'all done': 'ms', computed: 'transfers/s' },
    peers: name === 'databay, no lanes' ? [] : ['databay, no lanes'],
    async open() {
      const computing = new URL(
        `./links/computing.js?links=${COMPUTING}&work=${KIND}&lane=${lanes.computing}`,
        import.meta.url,
      )
      const loop = await ClosedLoop.start([waitingLinks(links, lanes.waiting), computing], { threads })
      const isWaiting = ({ name }: PlannedLink) => name.startsWith('waiting')
      const all = loop.planner.links
      check('links that wait', all.filter(isWaiting).length, links)
      return {
        async sample(seconds) {
          let over = false
          const from = performance.now()
          const others = loop.run(
            () => over,
            ({ outlets }) => check('results', outlets[0]?.pushed, 1),
            all.filter((link) => !isWaiting(link)),
          )
          const done = await rounds(seconds, () => waitOnce(loop, all.filter(isWaiting)))
          over = true
          return { 'all done': done, computed: (await others) / ((performance.now() - from) / 1000) }
        },
        close: () => loop.close(),
      }
    },
  }
}
