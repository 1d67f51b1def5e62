import type { Bench, Measurement, Settings } from './bench.js'
import { ClosedLoop } from './closed-loop.js'
import { DueAtOnce } from './due-at-once.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject, type Units } from './measure.js'
import { bree } from './peers/bree.js'
import { bullmq, loadBullmq, type BullMq } from './peers/bullmq.js'
import { RUNS, type Job } from './peers/job.js'
import {
  BATCHED,
  DUE,
  HEAVY,
  IN_BATCHES,
  jobCase,
  NOOP_CASE,
  ONE_BY_ONE,
  ORIGINAL,
  RECORDS,
  recordsFromOriginalCase,
  SMALL,
  THREADS,
} from './peers/names.js'
import { Original, original } from './peers/original.js'
import { openRedis, type Redis } from './peers/redis.js'
import { workerPool } from './peers/workerpool.js'
import { plural } from './text.js'
import { primesBelow } from './work/primes.js'
import { expectedSum } from './work/rows.js'

const TRANSFERS = { ...COST_UNITS, rate: 'transfers/s' }

/** Default number of threads of a planner of databay 0.3.0. */
const ORIGINAL_THREADS = 30

export const peers: Bench = {
  name: 'peers',
  question: 'How does the same work fare with other schedulers and pools, and with the original?',
  async run(settings) {
    const bullMq = await loadBullmq()
    if (bullMq === undefined) console.error('peers: BullMQ is left out: `npm install --no-save bullmq ioredis` adds it')
    const redis = bullMq && (await openRedis())
    if (bullMq !== undefined && redis === undefined) {
      console.error('peers: BullMQ is left out: there is no REDIS_URL and no redis-server')
    }
    const python = await Original.open(settings.python)
    if (python === undefined) console.error(`peers: ${ORIGINAL} is left out: ${settings.python} does not have it`)
    const queue = bullMq && redis && { bullMq, redis }
    try {
      const measurements: Measurement[] = []
      for (const limit of settings.smoke ? [SMALL] : [SMALL, HEAVY]) {
        measurements.push(...(await jobs({ limit, threads: THREADS }, queue, python, settings)))
      }
      if (python !== undefined) {
        measurements.push(...(await noop(python, settings)))
        measurements.push(...(await records(python, settings.smoke ? 10 : RECORDS, settings)))
      }
      return measurements
    } finally {
      python?.close()
      await redis?.close()
    }
  },
}

function jobs(
  job: Job,
  queue: { bullMq: BullMq; redis: Redis } | undefined,
  python: Original | undefined,
  settings: Settings,
) {
  const others = [bree(job), workerPool(job)]
  if (queue !== undefined) others.push(bullmq(job, queue.bullMq, queue.redis))
  if (python !== undefined) {
    const asked = { kind: 'primes', size: job.limit, sum: primesBelow(job.limit) } as const
    others.push(original(python, `${ORIGINAL}, 30 threads`, RUNS, { ...asked, threads: ORIGINAL_THREADS }))
  }
  const links = new URL(`./links/primes.js?links=${DUE}&limit=${job.limit}`, import.meta.url)
  const names = others.map(({ name }) => name)
  return compare(jobCase(job.limit), [dueAtOnce('databay', links, RUNS, names), ...others], settings)
}

/** Measures transfers that do nothing. Those of databay 0.3.0 are fastest in one thread: its threads share an interpreter. */
function noop(python: Original, settings: Settings): Promise<Measurement[]> {
  const asked = { kind: 'noop', size: 0, sum: 0 } as const
  const subjects = [
    oneByOne(
      ONE_BY_ONE,
      new URL(`./links/noop.js?links=${THREADS}&interval=86400`, import.meta.url),
      TRANSFERS,
      1,
      THREADS,
    ),
    dueAtOnce(IN_BATCHES, noopLinks(BATCHED), TRANSFERS, [ORIGINAL]),
    original(python, ORIGINAL, TRANSFERS, { ...asked, threads: 1 }),
    original(python, `${ORIGINAL}, 30 threads`, TRANSFERS, { ...asked, threads: ORIGINAL_THREADS }),
  ]
  return compare(NOOP_CASE, subjects, settings)
}

function records(python: Original, count: number, settings: Settings): Promise<Measurement[]> {
  const units = { ...COST_UNITS, rate: 'records/s' }
  const links = (some: number) =>
    new URL(`./links/records.js?links=${some}&records=${count}&outlets=1&copy=true`, import.meta.url)
  const asked = { kind: 'records', size: count, threads: 1, sum: expectedSum(count) } as const
  const subjects = [
    oneByOne('databay', links(1), units, count, 1),
    oneByOne(`databay, ${plural(THREADS, 'thread')}`, links(THREADS), units, count, THREADS),
    original(python, ORIGINAL, units, asked, count),
  ]
  return compare(recordsFromOriginalCase(count), subjects, settings)
}

function noopLinks(count: number): URL {
  // the interval is one second of a clock that jumps on when all links are done
  return new URL(`./links/noop.js?links=${count}`, import.meta.url)
}

/** Subject: all links are due at each tick, and the next tick comes when all have transferred. */
function dueAtOnce(name: string, links: URL, units: Units, others: readonly string[]): Subject {
  return {
    name,
    units,
    peers: others,
    async open() {
      const loop = await DueAtOnce.start(links, THREADS)
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

/** Subject: one link in each thread, which transfers again as soon as it has. */
function oneByOne(name: string, links: URL, units: Units, times: number, threads: number): Subject {
  return {
    name,
    units,
    peers: [ORIGINAL],
    async open() {
      const loop = await ClosedLoop.start(links, { threads })
      return {
        sample(seconds) {
          const from = performance.now()
          const some = () =>
            loop.run(
              () => performance.now() - from >= seconds * 1000,
              ({ pulled }) => {
                check('records', pulled, units === TRANSFERS ? 0 : times)
              },
            )
          return withCost(async () => (await some()) * times)
        },
        close: () => loop.close(),
      }
    },
  }
}
