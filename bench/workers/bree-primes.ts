/** Job of Bree: each run is a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import { primesBelow } from '../work/primes.js'

const { limit } = (workerData as { readonly job: { readonly worker: { readonly workerData: { limit: number } } } }).job
  .worker.workerData
parentPort?.postMessage(primesBelow(limit))
