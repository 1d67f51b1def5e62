/** The process that is killed: a planner with two threads. It takes orders as lines of its standard input. */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { WorkerPlanner } from 'databay'
import { ordersOfThisProcess, type ThreadKill } from './orders.js'
import { killAtOperation } from './store-kills.js'
import { deathChannel, type DeathMessage } from './thread-kills.js'

killAtOperation('main')

const workers = new Set<Worker>()
process.on('worker', (worker) => {
  workers.add(worker)
  // one that threw takes no order any more, though it has not ended yet
  for (const event of ['error', 'exit']) worker.once(event, () => workers.delete(worker))
})
/** Threads that have loaded the links. */
const listening = new Set<number>()
const channel = deathChannel((message) => {
  if ('listens' in message) listening.add(message.listens)
})

const planner = new WorkerPlanner(new URL('links.js', import.meta.url), {
  store: join(ordersOfThisProcess().folder, 'store'),
  threads: 2,
  threadMemoryLimit: 48,
  ignoreExceptions: true,
})
planner.on('threadLost', () => {
  console.log('lost')
})
await planner.start()
console.log('started')

/** Any thread that has loaded the links. Right after others were lost, there may be none for a while. */
async function someThread(): Promise<Worker> {
  for (;;) {
    const all = [...workers].filter(({ threadId }) => listening.has(threadId))
    const worker = all[Math.floor(Math.random() * all.length)]
    if (worker !== undefined) return worker
    await wait(5)
  }
}

for await (const line of createInterface(process.stdin)) {
  if (line === 'shutdown') break
  const worker = await someThread()
  if (line === 'terminate') void worker.terminate()
  else channel.postMessage({ thread: worker.threadId, how: line as ThreadKill } satisfies DeathMessage)
}
await planner.shutdown()
process.exit()
