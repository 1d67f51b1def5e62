import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { WorkerPlanner } from 'databay'
import type { Bench, Measurement } from './bench.js'
import type { Scrape } from './children/scraper.js'
import { check, compare, type OpenSubject, type Subject, type Units } from './measure.js'
import { spreadOut } from './schedule.js'
import { percentile } from './statistics.js'
import { plural } from './text.js'

const THREADS = 2
const LINKS = 1000

const UNITS: Units = { CPU: '% of a core', 'late p99': 'ms' }

/** By how much the figures with scrapes are more than those without, of two samples that follow each other. */
const MORE: Units = { 'CPU more': '% of a core', 'late p99 more': 'ms' }

/** Names of the subjects. */
export const SCRAPED = 'databay, a scrape each second'
const PLAIN = 'databay, not scraped'

export const operate: Bench = {
  name: 'operate',
  question: 'What does it cost that metrics of links are scraped each second?',
  async run(settings) {
    const links = settings.smoke ? 20 : LINKS
    const measurements: Measurement[] = []
    const cases = settings.smoke ? (['spread'] as const) : (['spread', 'aligned'] as const)
    for (const how of cases) {
      const plain = new Plain(how, links, settings.smoke)
      const subjects = [scraped(how, links, settings.smoke, plain), plain]
      measurements.push(...(await compare(scrapedCase(how, links), subjects, settings)))
    }
    return measurements
  },
}

export function scrapedCase(how: How, links = LINKS): string {
  const when = how === 'spread' ? 'spread over it' : 'in the same millisecond'
  return `${plural(links, 'link')} due every second, ${when}, ${THREADS} threads`
}

type How = 'spread' | 'aligned'

interface Measured {
  readonly cpu: number
  readonly late: number
}

/** Length of a sample, in seconds. */
function lengthOf(seconds: number, isShort: boolean): number {
  return isShort ? 1.2 : Math.max(4, 10 * seconds)
}

/** Subject: links whose metrics are scraped each second. */
function scraped(how: How, links: number, isShort: boolean, plain: Plain): Subject {
  return {
    name: SCRAPED,
    units: { ...UNITS, ...MORE },
    peers: [PLAIN],
    async open() {
      const scraper = await Scraper.start()
      const served = await Watched.start(how, links, true)
      return {
        async sample(seconds) {
          const length = lengthOf(seconds, isShort)
          const without = await plain.last(seconds)
          const scrapes = scraper.begin(`${served.url}/metrics`)
          const { cpu, late } = await served.measure(length)
          scrapes.end(Math.max(1, Math.floor(length) - 1), links * 500)
          return { CPU: cpu, 'late p99': late, 'CPU more': cpu - without.cpu, 'late p99 more': late - without.late }
        },
        async close() {
          scraper.stop()
          await served.close()
        },
      }
    },
  }
}

/** Subject: the same links without the option `http`. They wait while those that are scraped transfer. */
class Plain implements Subject {
  readonly name = PLAIN
  readonly units = UNITS
  readonly #how: How
  readonly #links: number
  readonly #isShort: boolean
  #watched: Watched | undefined
  #last: Measured | undefined

  constructor(how: How, links: number, isShort: boolean) {
    this.#how = how
    this.#links = links
    this.#isShort = isShort
  }

  async open(): Promise<OpenSubject> {
    const watched = await Watched.start(this.#how, this.#links, false)
    this.#watched = watched
    return {
      sample: async (seconds) => {
        const { cpu, late } = await this.#measure(watched, seconds)
        return { CPU: cpu, 'late p99': late }
      },
      close: () => watched.close(),
    }
  }

  /** Figures of the last sample; takes one when there is none yet. */
  async last(seconds: number): Promise<Measured> {
    if (this.#watched === undefined) throw new Error(`${PLAIN} is not open`)
    return this.#last ?? this.#measure(this.#watched, seconds)
  }

  async #measure(watched: Watched, seconds: number): Promise<Measured> {
    this.#last = await watched.measure(lengthOf(seconds, this.#isShort))
    return this.#last
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

  static async start(how: How, links: number, isServed: boolean): Promise<Watched> {
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
  async measure(seconds: number): Promise<Measured> {
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
