#!/usr/bin/env node
import process from 'node:process'
import { databay } from './databay.js'

// a reader that has gone away must not end the process half-way: the run listens to it too, and stops in order
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const ending = await databay({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
})
// an orderly end lets what is still on its way to the standard streams arrive
process.exitCode = ending.code
if (ending.signal !== undefined) {
  // process.exit() would wait for threads that are in a system call, such as reading from a disk that is gone
  process.removeAllListeners(ending.signal)
  process.kill(process.pid, ending.signal)
}
