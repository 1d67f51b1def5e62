import { DatabayError, type Link, type PlannedLink } from 'databay'
import type { Fault, Place } from './faults.js'
import { EVERY, Run, SLACK, type LinkSpec } from './harness.js'
import { below, pick, seeded, type Random } from './random.js'
import { expect, expectNothingWrong, type Scenario } from './scenario.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

/** Links that are in the planner from the start to the end. */
const LASTING: readonly LinkSpec[] = [
  ...Array.from({ length: 6 }, (_, at): LinkSpec => ({ name: `plain${at}` })),
  ...Array.from({ length: 3 }, (_, at): LinkSpec => ({ name: `held${at}`, buffer: 20 })),
  { name: 'slow', pulls: 60 },
  { name: 'computes', computes: 20 },
  { name: 'anywhere', stateless: true },
]

const TIMEOUT = { milliseconds: 300 }
/** Time that an operation may take, in milliseconds: one that meets a fault waits for a time limit. */
const PATIENCE = 20_000

/** Faults that a link may come with, and their places. */
const FAULTS: readonly [kind: Fault, place: Place][] = [
  ['loop', 'process'],
  ['loopAfterWait', 'pull'],
  ['outOfMemory', 'process'],
  ['exit', 'pull'],
  ['exit', 'push'],
  ['throwNull', 'process'],
  ['lateThrow', 'push'],
  ['lateRejection', 'pull'],
  ['uncloneableResult', 'pull'],
  ['uncloneableError', 'push'],
  ['hang', 'pull'],
  ['hang', 'push'],
  ['hang', 'onStart'],
  ['throwNull', 'onStart'],
  ['hang', 'onShutdown'],
  ['loop', 'onShutdown'],
]

/** Operation on a running planner. */
interface Operation {
  /** Name of the operation, with all that chance chose. */
  readonly name: string
  /** Time after the operation before, in milliseconds. */
  readonly after: number
  run(run: Run): Promise<unknown>
}

/** Kinds of operations with their weights. Each draws all its random choices at once, so that they follow from the seed. */
const KINDS: readonly [weight: number, draw: (random: Random, number: number) => Omit<Operation, 'after'>][] = [
  [6, addFaulty],
  [2, add],
  [2, terminate],
  [2, force],
  [2, retune],
  [1, pause],
  [1, stall],
  [1, setThreads],
  [1, () => ({ name: 'rebalance', run: ({ planner }) => planner.rebalance() })],
  [1, () => ({ name: 'recycle', run: ({ planner }) => planner.recycle() })],
  [1, () => ({ name: 'reload', run: ({ planner }) => planner.reload(planner.modules[0] ?? '') })],
]

/** Draws the operations of a run: they follow from the seed. */
export function operations(seed: number, seconds: number): Operation[] {
  const random = seeded(seed)
  const kinds = KINDS.flatMap(([weight, draw]) => Array.from({ length: weight }, () => draw))
  const list: Operation[] = []
  for (let at = 0; at < seconds * 1000; at += list.at(-1)?.after ?? 0) {
    const after = (100 + below(random, 900)) * Math.min(SLACK, 2)
    const drawn = pick(random, kinds)?.(random, list.length)
    if (drawn !== undefined) list.push({ ...drawn, after })
  }
  return list
}

/** Scenario: faults arise by chance while links and threads are added, removed and changed; then everything is judged. */
export function mix(seed: number, seconds: number): Scenario {
  return {
    name: `random mix for ${seconds} s, seed ${seed}`,
    async run() {
      const options = { threads: 3, threadMemoryLimit: 64, hangTimeout: 3, startTimeout: 3, shutdownTimeout: 6 }
      const run = new Run(LASTING, options)
      const list = operations(seed, seconds)
      try {
        await run.planner.start()
        const wrong: string[] = []
        let refused = 0
        const under: Promise<void>[] = []
        for (const [number, operation] of list.entries()) {
          const { name, after } = operation
          await new Promise((resolve) => setTimeout(resolve, after))
          const what = `operation ${number} (${name})`
          under.push(
            within(PATIENCE * SLACK, what, operation.run(run)).catch((error: unknown) => {
              if (isToldByUs(error)) refused++
              else wrong.push(`${what} failed: ${String(error)}`)
            }),
          )
        }
        await Promise.all(under)
        expectNothingWrong(wrong)
        const recovery = await recover(run)
        await run.end()
        expectNothingWrong(run.judge())
        const failed = run.reports.filter(({ errors }) => errors.length > 0).length
        return {
          held: `${list.length} operations (${refused} refused), ${run.lost.length} threads lost, ${failed} of ${run.reports.length} transfers failed`,
          recovery,
        }
      } finally {
        await run.end()
        run.forget()
      }
    },
  }
}

/** Waits until every lasting link transfers again, after the last operation. Gives the time that it took. */
async function recover(run: Run): Promise<number> {
  for (const { name } of LASTING) linkOf(run, name).setInterval({ milliseconds: EVERY })
  // until late faults have ended the last threads
  await new Promise((resolve) => setTimeout(resolve, 4000))
  const since = Date.now()
  const flows = (link: string) =>
    run.reportsOf(link).find(({ startedAt, errors, pulled }) => startedAt >= since && errors.length === 0 && pulled > 0)
  const dry = () => LASTING.filter(({ name }) => flows(name) === undefined)
  await run.until(() => dry().length === 0).catch(() => undefined)
  expect(
    dry().length === 0,
    `fresh records flow again: not of ${dry()
      .map(({ name }) => name)
      .join(', ')}`,
  )
  const slowest = Math.max(...LASTING.map(({ name }) => (flows(name)?.endedAt ?? since) - since))
  const limit = 2 * EVERY + 500 * SLACK
  expect(slowest <= limit, `fresh records flow within two intervals: it took ${Math.round(slowest)} ms`)
  return slowest
}

/** Whether an error is a foreseen one: an error of this package, or one that a faulty node has thrown. */
function isToldByUs(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isToldByUs)
  if (error instanceof DatabayError) return true
  // errors of nodes come as they are, with the stage that they came from
  return error instanceof Error && 'stage' in error
}

async function within(limit: number, what: string, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} did not end within ${limit} ms`))
    }, limit)
  })
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer)
  })
}

function linkOf({ planner }: Run, name: string): Pick<Link, 'setInterval'> & PlannedLink {
  const link = planner.links.find((one) => one.name === name)
  if (link === undefined) throw new Error(`${name} is not in the planner any more`)
  return link as PlannedLink & Pick<Link, 'setInterval'>
}

/** Operation: adds a link that commits a fault, and removes it a while later. */
function addFaulty(random: Random, number: number) {
  const [kind, place] = pick(random, FAULTS) ?? ['exit', 'pull']
  const stay = 500 + below(random, 2500)
  const name = `faulty${number}`
  const fault = { kind, place, at: place === 'onStart' || place === 'onShutdown' ? 0 : 1 + below(random, 4) }
  const specs: LinkSpec[] = [
    { name, fault, timeout: TIMEOUT },
    { name: `beside${number}`, buffer: 5 },
  ]
  return { name: `${kind} in ${place} of a link for ${stay} ms`, run: (run: Run) => visit(run, specs, stay) }
}

function add(random: Random, number: number) {
  const stay = 500 + below(random, 2500)
  return {
    name: `a link for ${stay} ms`,
    run: (run: Run) => visit(run, [{ name: `visitor${number}`, buffer: 1000 }], stay),
  }
}

async function visit(run: Run, specs: readonly LinkSpec[], stay: number): Promise<void> {
  const module = await run.add(specs)
  await new Promise((resolve) => setTimeout(resolve, stay))
  await run.planner.removeLinks(module)
}

function terminate(random: Random) {
  const thread = below(random, 4)
  return {
    name: `thread ${thread} terminated`,
    run: async ({ planner }: Run) => threadPoolOf(planner).threads[thread % planner.threads]?.worker?.terminate(),
  }
}

function force(random: Random) {
  const { name } = pick(random, LASTING) ?? { name: '' }
  return { name: `force ${name}`, run: (run: Run) => run.planner.forceTransfer(linkOf(run, name)) }
}

function retune(random: Random) {
  const { name } = pick(random, LASTING) ?? { name: '' }
  const milliseconds = EVERY / 2 + below(random, EVERY)
  return {
    name: `${name} every ${milliseconds} ms`,
    run: async (run: Run) => {
      linkOf(run, name).setInterval({ milliseconds })
    },
  }
}

function pause(random: Random) {
  const time = 100 + below(random, 900)
  return {
    name: `pause for ${time} ms`,
    run: async ({ planner }: Run) => {
      planner.pause()
      await new Promise((resolve) => setTimeout(resolve, time))
      planner.resume()
    },
  }
}

function stall(random: Random) {
  const time = 100 + below(random, 1400)
  return {
    name: `stall of the main thread for ${time} ms`,
    run: async () => {
      for (const until = Date.now() + time; Date.now() < until;) Math.random()
    },
  }
}

function setThreads(random: Random) {
  const threads = 1 + below(random, 4)
  return { name: `${threads} threads`, run: ({ planner }: Run) => planner.setThreads(threads) }
}
