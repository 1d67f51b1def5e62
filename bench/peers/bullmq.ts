import { fileURLToPath } from 'node:url'
import { Queue, Worker } from 'bullmq'
import { rate, type Subject } from '../measure.js'
import { primesBelow } from '../work/primes.js'
import { RUNS, type Job } from './job.js'
import { DUE } from './names.js'
import type { Redis } from './redis.js'

/** A queue in Redis, a worker that works off its jobs in threads, and at each tick all that is due. */
export function bullmq({ limit, threads }: Job, redis: Redis): Subject {
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
        async sample(seconds) {
          const runs = await rate(seconds, async () => {
            left = DUE
            const round = new Promise<void>((resolve, reject) => {
              done = resolve
              fail = reject
            })
            await queue.addBulk(Array.from({ length: DUE }, () => job))
            await round
            return DUE
          })
          return { rate: runs }
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
