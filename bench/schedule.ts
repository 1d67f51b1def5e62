import { setTimeout as delay } from 'node:timers/promises'
import { Cron } from 'croner'
import nodeSchedule from 'node-schedule'
import type { PlannedLink } from 'databay'
import type { Bench, Measurement } from './bench.js'
import { compare, check, type OpenSubject, type Subject, type Units } from './measure.js'
import { summary } from './statistics.js'
import { plural } from './text.js'
import { TICK_UNITS, Ticks } from './ticks.js'
import { WatchedPlanner } from './watched-planner.js'

const UNITS: Units = {
  'dispatched p50': 'ms',
  'dispatched p99': 'ms',
  'dispatched max': 'ms',
  scheduling: '% CPU',
  ...TICK_UNITS,
}

/** Cron expression for every second, for node-schedule and croner. */
const EVERY_SECOND = '* * * * * *'
const THREADS = 2
/** Number of due times until the code is compiled. */
const WARM_UP = 4

export const schedule: Bench = {
  name: 'schedule',
  question: 'How late are links that are due every second, and what does it cost to find out what is due?',
  async run(settings) {
    const counts = settings.smoke ? [20] : [100, 1000, 10_000]
    const measurements: Measurement[] = []
    for (const links of counts) {
      const peers = [perJob('node-schedule', links, withNodeSchedule), perJob('croner', links, withCroner)]
      measurements.push(...(await compare(alignedCase(links), [databay(links, 'aligned', peers), ...peers], settings)))
    }
    for (const links of settings.smoke ? [] : counts) {
      const timers = perJob('setInterval', links, withSetInterval)
      measurements.push(...(await compare(spreadCase(links), [databay(links, 'spread', [timers]), timers], settings)))
    }
    const most = counts.at(-1) ?? 0
    measurements.push(...(await compare(saturatedCase(most), [databay(most, 'saturated', [])], settings)))
    return measurements
  },
}

export function alignedCase(links: number): string {
  return `${plural(links, 'link')} due in the same millisecond of every second, ${THREADS} threads`
}

export function spreadCase(links: number): string {
  return `${plural(links, 'link')} due every second, spread over it, ${THREADS} threads`
}

export function saturatedCase(links: number): string {
  return `${plural(links, 'link')} due every second, spread over it, both of ${THREADS} threads saturated`
}

/** Number of due times of each job in a sample: at least 2, as a busy machine may be late by most of a second. */
function ticksOf(seconds: number): number {
  return Math.max(2, Math.round(seconds * 2))
}

function databay(links: number, how: 'aligned' | 'spread' | 'saturated', peers: readonly Subject[]): Subject {
  return {
    name: 'databay',
    units: UNITS,
    peers: peers.map(({ name }) => name),
    async open() {
      const noop = new URL(`./links/noop.js?links=${links}&interval=${how === 'aligned' ? 1 : 86_400}`, import.meta.url)
      // in the lane of links that wait, so that both threads get some
      const computing = new URL(`./links/computing.js?links=4&work=primes&lane=io`, import.meta.url)
      const modules = how === 'saturated' ? [noop, computing] : [noop]
      const planner = new WatchedPlanner(modules, { threads: THREADS, immediateTransfer: false })
      const ticks = new Ticks(links)
      const indices = new Map<string, number>()
      planner.on('transfer', ({ link, startedAt, scheduledAt }) => {
        const job = indices.get(link)
        if (job !== undefined) ticks.note(job, startedAt - scheduledAt)
      })
      await planner.start()
      const due = planner.links.filter(({ name }) => name.startsWith('noop'))
      due.forEach(({ name }, index) => indices.set(name, index))
      check('links', indices.size, links)
      if (how !== 'aligned') await spreadOut(due)
      planner.pause()
      let warm = false
      return {
        async sample(seconds) {
          const count = warm ? ticksOf(seconds) : Math.max(ticksOf(seconds), seconds < 0.5 ? 0 : WARM_UP)
          warm = true
          planner.resume()
          const stop = how === 'saturated' ? saturate(planner) : () => Promise.resolve()
          const { missed } = planner.counts
          const busy = planner.scheduling
          planner.dispatched = []
          await ticks.pass(count)
          planner.pause()
          const { p50, p99, max } = summary(planner.dispatched)
          const scheduling = (planner.scheduling - busy) / Math.max(count, planner.dispatched.length / links) / 10
          await stop()
          await ended(planner)
          const figures = ticks.sum(count)
          check('failed transfers', planner.counts.failed, 0)
          const more = planner.counts.missed - missed
          return {
            ...figures,
            'dispatched p50': p50,
            'dispatched p99': p99,
            'dispatched max': max,
            scheduling,
            missed: Math.max(figures.missed ?? 0, more),
          }
        },
        close: () => planner.shutdown(),
      }
    },
  }
}

/** Spreads the due times of links over a second: some begin at each millisecond. */
export async function spreadOut(links: readonly PlannedLink[]): Promise<void> {
  const from = performance.now()
  let at = 0
  while (at < links.length) {
    const until = Math.min(links.length, ((performance.now() - from) / 1000) * links.length)
    for (; at < until; at++) links[at]?.setInterval?.(1)
    await delay(1)
  }
}

/** Waits until the dispatched transfers have ended. */
async function ended(planner: WatchedPlanner): Promise<void> {
  let before: number
  do {
    before = planner.counts.transfers
    await delay(100)
  } while (planner.counts.transfers > before)
}

/** Keeps both threads computing until the returned function is called. */
function saturate(planner: WatchedPlanner): () => Promise<void> {
  let over = false
  const computing = planner.links.filter(({ name }) => name.startsWith('computing'))
  const loops = computing.map(async (link) => {
    while (!over) await planner.forceTransfer(link)
  })
  return async () => {
    over = true
    await Promise.all(loops)
  }
}

type StartJobs = (jobs: number, ticks: Ticks) => Promise<() => void> | (() => void)

/** Subject: a scheduler with one job for each link, which does nothing, on the main thread. */
function perJob(name: string, jobs: number, start: StartJobs): Subject {
  return {
    name,
    units: TICK_UNITS,
    open(): OpenSubject {
      const ticks = new Ticks(jobs)
      return {
        async sample(seconds) {
          const count = ticksOf(seconds)
          const stop = await start(jobs, ticks)
          await ticks.pass(count)
          const figures = ticks.sum(count)
          stop()
          await delay(10)
          return figures
        },
      }
    },
  }
}

function withNodeSchedule(jobs: number, ticks: Ticks): () => void {
  const all = Array.from({ length: jobs }, (_, job) =>
    nodeSchedule.scheduleJob(EVERY_SECOND, (fireDate) => {
      ticks.note(job, Date.now() - fireDate.getTime())
    }),
  )
  return () => {
    for (const job of all) job.cancel()
  }
}

function withCroner(jobs: number, ticks: Ticks): () => void {
  const all = Array.from({ length: jobs }, (_, job) => {
    return new Cron(EVERY_SECOND, () => {
      ticks.note(job, Date.now() % 1000) // croner does not tell when a job was due
    })
  })
  return () => {
    for (const job of all) job.stop()
  }
}

/** Starts one timer for each job, one after the other within a second. */
async function withSetInterval(jobs: number, ticks: Ticks): Promise<() => void> {
  const timers: NodeJS.Timeout[] = []
  const from = performance.now()
  while (timers.length < jobs) {
    const until = Math.min(jobs, ((performance.now() - from) / 1000) * jobs)
    while (timers.length < until) {
      const job = timers.length
      const begun = performance.now()
      let runs = 0
      const run = () => ticks.note(job, performance.now() - begun - ++runs * 1000)
      timers.push(setInterval(run, 1000))
    }
    await delay(1)
  }
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
