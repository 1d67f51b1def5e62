import { fileURLToPath } from 'node:url'
import workerpool from 'workerpool'
import { check, repeat, withCost, type Subject } from '../measure.js'
import { primesBelow } from '../work/primes.js'
import { RUNS, type Job } from './job.js'
import { DUE } from './names.js'

/** Subject: workerpool, with a pool of threads, and at each tick all jobs that are due. */
export function workerPool({ limit, threads }: Job): Subject {
  return {
    name: 'workerpool',
    units: RUNS,
    open() {
      const script = fileURLToPath(new URL('../workers/workerpool-primes.js', import.meta.url))
      const pool = workerpool.pool(script, { workerType: 'thread', minWorkers: threads, maxWorkers: threads })
      const expected = primesBelow(limit)
      return {
        sample(seconds) {
          const some = async () => {
            const runs = Array.from({ length: DUE }, () => pool.exec('primesBelow', [limit]) as PromiseLike<unknown>)
            for (const found of await Promise.all(runs)) check('primes', found, expected)
            return DUE
          }
          return withCost(() => repeat(seconds, some))
        },
        close: async () => {
          await pool.terminate()
        },
      }
    },
  }
}
