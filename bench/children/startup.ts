/**
 * Takes one sample that needs a process which has done nothing yet, and prints the figures as JSON.
 *
 *   node --expose-gc dist/bench/children/startup.js KIND SUBJECT COUNT
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { WorkerPlanner } from 'databay'
import { scheduleJob } from 'node-schedule'
import { Piscina } from 'piscina'
import { check } from '../measure.js'

const [kind = '', subject = '', text = ''] = process.argv.slice(2)
const count = Number(text)
const MIB = 2 ** 20

const KINDS: { readonly [name: string]: () => Promise<object> } = {
  'first databay': firstOfPlanner,
  'first Piscina': firstOfPiscina,
  'memory empty': () => memoryOfPlanner('noop'),
  'memory loaded': () => memoryOfPlanner('loaded'),
  'memory Worker': memoryOfWorkers,
  'links databay': linksOfPlanner,
  'links node-schedule': jobsOfNodeSchedule,
}

const measure = KINDS[`${kind} ${subject}`]
if (measure === undefined) throw new Error(`there is nothing to measure called '${kind} ${subject}'`)
process.stdout.write(JSON.stringify(await measure()), () => process.exit())

function linkModule(name: string, links: number): URL {
  return new URL(`../links/${name}.js?links=${links}&interval=86400`, import.meta.url)
}

/** Measures the first transfer of a planner that is started for it, and of one that runs already. */
async function firstOfPlanner() {
  const from = performance.now()
  const cold = new WorkerPlanner(linkModule('noop', 1), { threads: count })
  const first = new Promise((resolve) => cold.once('transfer', resolve))
  await cold.start()
  await first
  const coldTime = performance.now() - from
  await cold.shutdown()
  const planner = new WorkerPlanner(linkModule('noop', 2), { threads: count, immediateTransfer: false })
  await planner.start()
  const [link] = planner.links
  if (link === undefined) throw new Error('there is no link')
  const warm = performance.now()
  const reports = await planner.forceTransfer(link)
  const warmTime = performance.now() - warm
  check('transfers', reports.filter(({ failed }) => !failed).length, 1)
  return { cold: coldTime, warm: warmTime }
}

async function firstOfPiscina() {
  const filename = new URL('../workers/noop.js', import.meta.url).href
  const start = () => new Piscina({ filename, minThreads: count, maxThreads: count, idleTimeout: Infinity })
  const from = performance.now()
  const pool = start()
  check('tasks', await pool.run(undefined), 1)
  const cold = performance.now() - from
  // Node 20 ends the process when a thread is ended that loads by `require()`, as the others of the pool may still do
  await delay(500)
  await pool.destroy()
  const other = start()
  // the threads run before they have loaded their module
  await delay(500)
  const warm = performance.now()
  check('tasks', await other.run(undefined), 1)
  return { cold, warm: performance.now() - warm }
}

/** Measures the memory that the process takes for each further thread beside a first one. */
async function memoryOfPlanner(module: string) {
  const rss = async (threads: number) => {
    const planner = new WorkerPlanner(linkModule(module, threads), { threads, immediateTransfer: false })
    await planner.start()
    check('transfers', (await planner.forceTransfer()).length, threads)
    return memory()
  }
  const before = await rss(1)
  return { memory: ((await rss(count)) - before) / count / MIB }
}

async function memoryOfWorkers() {
  const worker = async () => {
    const started = new Worker('setInterval(() => undefined, 1e6)', { eval: true })
    await new Promise((resolve) => started.once('online', resolve))
  }
  await worker()
  const before = await memory()
  await Promise.all(Array.from({ length: count }, worker))
  return { memory: ((await memory()) - before) / count / MIB }
}

/** Memory of the whole process in bytes, when it has come to rest. */
async function memory(): Promise<number> {
  collect()
  await delay(300)
  return process.memoryUsage.rss()
}

async function linksOfPlanner() {
  const planner = new WorkerPlanner([], { threads: 2, immediateTransfer: false })
  await planner.start()
  // what the first link needs does not count
  await planner.addLinks(linkModule('noop', 1))
  const before = heap()
  const from = performance.now()
  await planner.addLinks(linkModule('noop', count))
  const adding = performance.now() - from
  const perLink = (heap() - before) / count
  check('links', planner.links.length, count + 1)
  return { adding, heap: perLink }
}

async function jobsOfNodeSchedule() {
  const job = () => scheduleJob({ hour: 0, minute: 0 }, () => undefined)
  const jobs = [job()]
  const before = heap()
  const from = performance.now()
  for (let index = 0; index < count; index++) jobs.push(job())
  const adding = performance.now() - from
  await Promise.resolve()
  const perLink = (heap() - before) / count
  check('jobs', jobs.filter((one) => one.nextInvocation() !== null).length, count + 1)
  return { adding, heap: perLink }
}

/** Size of the main thread's live objects, in bytes. */
function heap(): number {
  collect()
  return process.memoryUsage().heapUsed
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('run it with --expose-gc')
  globalThis.gc()
  globalThis.gc()
}
