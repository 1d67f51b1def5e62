/** Links of the oracle, in the threads of the child. */
import { join } from 'node:path'
import { Buffer, FileInlet, Link } from 'databay'
import { dieOnOrder } from './thread-kills.js'
import { ordersOfThisProcess } from './orders.js'
import { Gone, Journal, JournalFile, Moody, Numbers, Streamed } from './parts.js'
import { killAtOperation } from './store-kills.js'
import { BUFFERED, LINES } from './sizes.js'

killAtOperation('thread')
dieOnOrder()

const { folder } = ordersOfThisProcess()
const every = { interval: { milliseconds: 10 } } as const
const retry = { minDelay: { milliseconds: 20 }, maxDelay: { milliseconds: 200 } }
const durable = { ...every, delivery: 'cursor', retry } as const
const buffer = () => new Buffer({ countThreshold: BUFFERED, timeThreshold: 0.1 })

export const gone = new Link({ ...every, inlets: new Gone(), processors: buffer(), outlets: new Journal('gone') })

export const numbers = new Link({
  ...durable,
  inlets: new Numbers(),
  processors: buffer(),
  outlets: [new Journal('numbers'), new Moody('numbers-moody')],
})

export const files = new Link({
  ...durable,
  inlets: new FileInlet(join(folder, 'source.txt'), { linesPerTransfer: LINES }),
  outlets: new JournalFile('files'),
})

export const stream = new Link({
  ...durable,
  inlets: new Streamed(),
  outlets: new Moody('stream', { processors: buffer() }),
})
