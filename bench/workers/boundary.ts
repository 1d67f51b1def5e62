/** Thread that decodes records and sends them back, in the encoding whose number `workerData` is. */
import { parentPort, workerData } from 'node:worker_threads'
import { ENCODINGS } from '../boundary.js'

const encoding = ENCODINGS[workerData as number]
if (encoding === undefined || parentPort === null) throw new Error('expected a thread with the number of an encoding')
const port = parentPort
port.on('message', (message) => {
  const { data, transfer } = encoding.encode(encoding.decode(message as never))
  port.postMessage(data, transfer)
})
