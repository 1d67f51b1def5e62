import { fileURLToPath } from 'node:url'
import Bree from 'bree'
import { check, withCost, type Subject } from '../measure.js'
import { primesBelow } from '../work/primes.js'
import { lanes, RUNS, type Job } from './job.js'
import { BREE } from './names.js'

/** Subject: Bree, which starts a thread for each run. As many runs at once as others have threads. */
export function bree({ limit, threads }: Job): Subject {
  return {
    name: BREE,
    units: RUNS,
    open() {
      const expected = primesBelow(limit)
      const path = fileURLToPath(new URL('../workers/bree-primes.js', import.meta.url))
      const jobs = Array.from({ length: threads }, (_, lane) => ({
        name: `primes${lane}`,
        ...{ path, timeout: 0, worker: { workerData: { limit } } },
      }))
      const planner = new Bree({ root: false, logger: false, doRootCheck: false, jobs })
      const run = (lane: number) =>
        new Promise<void>((resolve, reject) => {
          const name = `primes${lane}`
          const ended = (job: string) => {
            if (job !== name) return
            planner.off('worker deleted', ended)
            resolve()
          }
          planner.on('worker deleted', ended)
          planner.run(name).then(() => {
            const worker = planner.workers.get(name)
            if (worker === undefined) throw new Error('it did not start a thread')
            let result: unknown
            worker.on('message', (message: unknown) => (result = message))
            worker.on('error', reject)
            worker.on('exit', () => {
              if (result !== expected) reject(new Error(`primes: expected ${expected}, got ${String(result)}`))
            })
          }, reject)
        })
      return {
        async sample(seconds) {
          const figures = await withCost(() => lanes(seconds, threads, run))
          check('threads left', planner.workers.size, 0)
          return figures
        },
        close: () => planner.stop(),
      }
    },
  }
}
