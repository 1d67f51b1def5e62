/** Thread of workerpool. */
import workerpool from 'workerpool'
import { primesBelow } from '../work/primes.js'

workerpool.worker({ primesBelow })
