import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { WorkerPlanner } from 'databay'
import type { Bench, Measurement } from './bench.js'
import type { Scrape } from './children/scraper.js'
import { check, compare, type Subject, type Units } from './measure.js'
import { spreadOut } from './schedule.js'
import { percentile } from './statistics.js'
import { plural } from './text.js'

const THREADS = 2
const LINKS = 1000

/** Figures with scrapes, without, and by how much the first are more. */
const UNITS: Units = {
  CPU: '% of a core',
  'CPU without': '% of a core',
  'CPU more': '% of a core',
  'late p99': 'ms',
  'late p99 without': 'ms',
  'late p99 more': 'ms',
}

/** Name of the subject of this bench. */
export const SCRAPED = 'a scrape each second'

export const operate: Bench = {
  name: 'operate',
  question: 'What does it cost that metrics of links are scraped each second?',
  async run(settings) {
    const links = settings.smoke ? 20 : LINKS
    const measurements: Measurement[] = []
    for (const how of ['spread', 'aligned'] as const) {
      measurements.push(...(await compare(scrapedCase(how, links), [scraped(how, links, settings.smoke)], settings)))
    }
    return measurements
  },
}

export function scrapedCase(how: 'spread' | 'aligned', links = LINKS): string {
  const when = how === 'spread' ? 'spread over it' : 'in the same millisecond'
  return `${plural(links, 'link')} due every second, ${when}, ${THREADS} threads`
}

/** Subject: two planners with the same links, of which one is scraped. They take turns, and each waits for the other. */
function scraped(how: 'spread' | 'aligned', links: number, isShort: boolean): Subject {
  return {
    name: SCRAPED,
    units: UNITS,
    async open() {
      const scraper = await Scraper.start()
      const [served, plain] = [await Watched.start(how, links, true), await Watched.start(how, links, false)]
      let turn = 0
      return {
        async sample(seconds) {
          const length = isShort ? 1.5 : Math.max(4, 10 * seconds)
          const withScrapes = async () => {
            const scrapes = scraper.begin(`${served.url}/metrics`)
            const figures = await served.measure(length)
            scrapes.end(Math.floor(length) - 1, links * 500)
            return figures
          }
          const order = [withScrapes, () => plain.measure(length)]
          const isTurned = turn++ % 2 === 1
          const taken = []
          for (const phase of isTurned ? order.toReversed() : order) taken.push(await phase())
          const [of, without] = isTurned ? taken.toReversed() : taken
          if (of === undefined || without === undefined) throw new Error('nothing was measured')
          return {
            CPU: of.cpu,
            'CPU without': without.cpu,
            'CPU more': of.cpu - without.cpu,
            'late p99': of.late,
            'late p99 without': without.late,
            'late p99 more': of.late - without.late,
          }
        },
        async close() {
          scraper.stop()
          await Promise.all([served.close(), plain.close()])
        },
      }
    },
  }
}

/** A planner with links that do nothing, each second. */
class Watched {
  readonly #planner: WorkerPlanner
  readonly #links: number
  #late: number[] = []

  private constructor(planner: WorkerPlanner, links: number) {
    this.#planner = planner
    this.#links = links
    planner.on('transfer', ({ startedAt, scheduledAt }) => {
      this.#late.push(startedAt - scheduledAt)
    })
  }

  static async start(how: 'spread' | 'aligned', links: number, isServed: boolean): Promise<Watched> {
    const module = new URL(`./links/noop.js?links=${links}&interval=${how === 'aligned' ? 1 : 86_400}`, import.meta.url)
    const options = { threads: THREADS, immediateTransfer: false, ...(isServed && { http: 0 }) }
    const planner = new WorkerPlanner(module, options)
    const watched = new Watched(planner, links)
    await planner.start()
    if (how === 'spread') await spreadOut(planner.links)
    planner.pause()
    return watched
  }

  get url(): string {
    return this.#planner.http?.url ?? ''
  }

  /** Lets the links transfer for some seconds. */
  async measure(seconds: number): Promise<{ cpu: number; late: number }> {
    this.#planner.resume()
    await delay(500) // what came due while it was paused is over
    this.#late = []
    const [before, from] = [process.cpuUsage(), performance.now()]
    await delay(seconds * 1000)
    const { user, system } = process.cpuUsage(before)
    const took = performance.now() - from
    this.#planner.pause()
    const late = this.#late.toSorted((a, b) => a - b)
    const expected = this.#links * (took / 1000)
    check('failed transfers', this.#planner.counts.failed, 0)
    check('links that transferred each second', late.length > expected * 0.7 - this.#links, true)
    return { cpu: (user + system) / 10 / took, late: percentile(late, 0.99) }
  }

  close(): Promise<void> {
    return this.#planner.shutdown()
  }
}

/** A process that scrapes. */
class Scraper {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Scraper> {
    const child = fork(fileURLToPath(new URL('./children/scraper.js', import.meta.url)))
    await once(child, 'message')
    return new Scraper(child)
  }

  /** Scrapes an address each second, until that is ended: with so many scrapes and so many bytes in each, or an error. */
  begin(url: string) {
    const scrapes: Scrape[] = []
    const onScrape = (scrape: Scrape) => scrapes.push(scrape)
    this.#child.on('message', onScrape)
    this.#child.send(url)
    return {
      end: (least: number, bytes: number) => {
        this.#child.send('')
        this.#child.off('message', onScrape)
        check('scrapes', scrapes.length >= least, true)
        check('scrapes of all links', scrapes.filter((scrape) => !((scrape.bytes ?? 0) >= bytes)).length, 0)
      },
    }
  }

  stop(): void {
    this.#child.disconnect()
  }
}
