import { Update, WorkerPlanner, type Record } from 'databay'
import type { Bench, Measurement, Settings } from './bench.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from './measure.js'
import { plainRecords } from './plain-records.js'
import { hashOf } from './processors/hash.js'
import { median, spread } from './statistics.js'

const UNITS = { ...COST_UNITS, rate: 'records/s', main: 'us of the main thread per record' }

/** Amounts of work for each record, in microseconds. */
const WORKS = [0, 1, 2, 4, 8, 20]

export const HEAVY = 20

/** Default number of records that the processor gives a thread at a time. */
const CHUNK = 1000

const IN_PLACE = 'in place'

export const BREAK_EVEN_CASE = 'break-even'

export const offload: Bench = {
  name: 'offload',
  question: 'From how much work per record on is it faster to ship records of the main thread to threads?',
  async run(settings) {
    const input = plainRecords(settings.smoke ? 200 : 100_000)
    const perMicrosecond = settings.smoke ? 1 : roundsPerMicrosecond()
    const measurements: Measurement[] = []
    const works = settings.smoke ? [0, HEAVY] : WORKS
    for (const work of works) {
      const module = hashModule(Math.round(work * perMicrosecond))
      const offloaded = settings.threads.map((threads) => inThreads(input, module, threads, CHUNK))
      measurements.push(...(await compare(workCase(work), [inPlace(input, module), ...offloaded], settings)))
    }
    const chunked = hashModule(Math.round(4 * perMicrosecond))
    const threads = settings.threads.includes(2) ? 2 : (settings.threads[0] ?? 1)
    const chunks = settings.smoke ? [50] : [100, 1000, 10_000, 50_000]
    const subjects = chunks.map((chunk) => inThreads(input, chunked, threads, chunk))
    measurements.push(
      ...(await compare('chunks, 4 us of work per record', [inPlace(input, chunked), ...subjects], settings)),
    )
    // one case alone does not show where it breaks even
    if (settings.only !== '') return measurements
    for (const threads of settings.threads) measurements.push(breakEven(measurements, works, threads, settings))
    return measurements
  },
}

export function workCase(work: number): string {
  return `${work} us of work per record`
}

/** Name of the subject that computes in threads. */
export function threadsSubject(threads: number, chunk = CHUNK): string {
  return `${threads} ${threads === 1 ? 'thread' : 'threads'}, chunks of ${chunk.toLocaleString('en')}`
}

function hashModule(rounds: number): URL {
  return new URL(`./processors/hash.js?rounds=${rounds}`, import.meta.url)
}

/** Rounds of work that the main thread does in a microsecond: so the work is the same number of microseconds everywhere. */
function roundsPerMicrosecond(): number {
  const rounds = 2000
  let sum = 0
  const speeds = Array.from({ length: 50 }, () => {
    const from = performance.now()
    for (let id = 0; id < 500; id++) sum += hashOf(id, rounds)
    return (500 * rounds) / ((performance.now() - from) * 1000)
  })
  if (!Number.isFinite(sum)) throw new Error('no work was done')
  return median(speeds.slice(10))
}

/** A processor as this bench calls it. */
type Process = (records: Record<never>[], update: Update) => readonly Record[] | Promise<readonly Record[]>

function inPlace(input: readonly Record[], module: URL): Subject {
  return {
    name: IN_PLACE,
    units: UNITS,
    async open() {
      const { hash } = (await import(module.href)) as { hash: Process }
      return { sample: (seconds) => sample(seconds, input, module, hash) }
    },
  }
}

function inThreads(input: readonly Record[], module: URL, threads: number, chunk: number): Subject {
  return {
    name: threadsSubject(threads, chunk),
    units: UNITS,
    peers: [IN_PLACE],
    async open() {
      const planner = new WorkerPlanner([], { threads })
      await planner.start()
      const process = planner.pool.processor(module, { export: 'hash', chunk }) as Process
      return { sample: (seconds) => sample(seconds, input, module, process), close: () => planner.shutdown() }
    },
  }
}

async function sample(seconds: number, input: readonly Record[], module: URL, process: Process) {
  const before = performance.eventLoopUtilization()
  let done = 0
  let last: readonly Record[] = []
  const some = async () => {
    last = await process(input as Record<never>[], new Update(['offload'], done++))
    return last.length
  }
  const { rate = Number.NaN, cpu = Number.NaN } = await withCost(() => repeat(seconds, some))
  const { active, idle } = performance.eventLoopUtilization(before)
  // work without a pause does not count as active yet when the utilization is read
  const busy = idle === 0 ? (done * input.length * 1000) / rate : active
  checkWork(input, last, Number(module.searchParams.get('rounds')))
  return { rate, cpu, main: (busy * 1000) / (done * input.length) }
}

function checkWork(input: readonly Record[], output: readonly Record[], rounds: number): void {
  check('records', output.length, input.length)
  for (const at of [0, input.length >> 1, input.length - 1]) {
    const { id } = input[at]?.payload as { id: number }
    check('work on a record', (output[at]?.payload as { hash: number }).hash, hashOf(id, rounds))
  }
}

/**
 * Finds the time for a record in place at which threads take just as long: on a straight line between the two amounts of
 * work where threads begin to be faster.
 */
function breakEven(
  measurements: readonly Measurement[],
  works: readonly number[],
  threads: number,
  settings: Settings,
): Measurement {
  const rates = (work: number, subject: string) =>
    measurements.find((one) => one.case === workCase(work) && one.subject === subject && one.figure === 'rate')
      ?.samples ?? []
  const samples = Array.from({ length: settings.samples }, (_, round) => {
    const points = works.map((work) => {
      const here = 1e6 / (rates(work, IN_PLACE)[round] ?? Number.NaN)
      return { here, lost: 1e6 / (rates(work, threadsSubject(threads))[round] ?? Number.NaN) - here }
    })
    const after = points.findIndex(({ lost }) => lost <= 0)
    const [low, high] = [points[after - 1], points[after]]
    if (high === undefined) return points.at(-1)?.here ?? Number.NaN // more than any work that was tried
    if (low === undefined) return high.here
    return low.here + ((high.here - low.here) * low.lost) / (low.lost - high.lost)
  })
  const figures = { figure: 'work', unit: 'us per record', samples, median: median(samples), spread: spread(samples) }
  return { case: BREAK_EVEN_CASE, subject: threadsSubject(threads), ...figures, ratios: [] }
}
