#!/usr/bin/env node
import { fstatSync } from 'node:fs'
import process from 'node:process'
import { isatty } from 'node:tty'
import { signalThisProcess } from '../base/stop-signals.js'
import { databay } from './databay.js'

// a reader that has gone away must not end the process half-way: the run listens to it too, and stops in order
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
// `2>&1 | head`: who has read both reads standard output no more either
process.stderr.on('error', (error) => {
  if (isSame(1, 2)) process.stdout.emit('error', error)
})

/** Standard streams that are a terminal, until that is closed. */
const terminals = [0, 1, 2].filter((fd) => isatty(fd))

const ending = await databay({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
})
// an orderly end lets what is still on its way to the standard streams arrive
process.exitCode = ending.code
const hungUp = terminals.some((fd) => !isatty(fd))
// process.exit() would wait for threads that are in a system call, such as reading from a disk that is gone. And Node aborts
// at its end, with a core dump, when the terminal that it began with is gone
const signal = ending.signal ?? (hungUp ? 'SIGHUP' : undefined)
if (signal !== undefined) {
  process.removeAllListeners(signal)
  signalThisProcess(signal)
}

/** Whether two open files are the same. */
function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)]
  return a.dev === b.dev && a.ino === b.ino
}
