import { fileURLToPath } from 'node:url'
import { repeat, withCost, type Subject } from '../measure.js'
import { primesBelow } from '../work/primes.js'
import { RUNS, type Job } from './job.js'
import { DUE } from './names.js'
import type { Redis } from './redis.js'

interface Connection {
  readonly [option: string]: unknown
}

interface Queue {
  addBulk(jobs: readonly object[]): Promise<unknown>
  waitUntilReady(): Promise<unknown>
  obliterate(options: { readonly force: boolean }): Promise<void>
  close(): Promise<void>
}

interface Worker {
  on(event: 'completed', listener: (job: unknown, result: unknown) => void): unknown
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

/** The module `bullmq`, as far as it is used here. */
export interface BullMq {
  readonly Queue: new (name: string, options: { readonly connection: Connection }) => Queue
  readonly Worker: new (name: string, script: string, options: object) => Worker
}

/**
 * Loads BullMQ, where somebody has installed it. It is no dependency of this project, as it pulls in compiled code that a
 * lock file cannot hold for machines of all kinds.
 *
 * @returns `undefined` when it is not installed
 */
export async function loadBullmq(): Promise<BullMq | undefined> {
  const name: string = 'bullmq' // not known to the compiler
  try {
    return (await import(name)) as BullMq
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Subject: a queue in Redis, workers that run its jobs in threads, and at each tick all jobs that are due. */
export function bullmq({ limit, threads }: Job, { Queue, Worker }: BullMq, redis: Redis): Subject {
  return {
    name: 'BullMQ, sandboxed',
    units: RUNS,
    async open() {
      const name = `databay-bench-${process.pid}-${limit}`
      const { hostname: host, port, username, password } = new URL(redis.url)
      const connection = { host, port: Number(port || 6379), username, password, maxRetriesPerRequest: null }
      const queue = new Queue(name, { connection })
      const script = fileURLToPath(new URL('../workers/bullmq-primes.js', import.meta.url))
      const options = { connection, concurrency: threads, useWorkerThreads: true }
      const worker = new Worker(name, script, options)
      const expected = primesBelow(limit)
      let left = 0
      let done: () => void = () => undefined
      let fail: (error: Error) => void = () => undefined
      worker.on('completed', (_job, result: unknown) => {
        if (result !== expected) fail(new Error(`primes: expected ${expected}, got ${String(result)}`))
        else if (--left === 0) done()
      })
      worker.on('failed', (_job, error) => {
        fail(error)
      })
      await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
      const job = { name: 'primes', data: { limit }, opts: { removeOnComplete: true, removeOnFail: true } }
      return {
        sample(seconds) {
          const some = async () => {
            left = DUE
            const round = new Promise<void>((resolve, reject) => {
              done = resolve
              fail = reject
            })
            await queue.addBulk(Array.from({ length: DUE }, () => job))
            await round
            return DUE
          }
          return withCost(() => repeat(seconds, some))
        },
        async close() {
          await worker.close()
          await queue.obliterate({ force: true })
          await queue.close()
        },
      }
    },
  }
}
