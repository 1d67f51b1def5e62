#!/usr/bin/env node
import process from 'node:process'
import { databay } from './databay.js'

// a reader that has gone away must not end the process half-way: the run hears of it, and stops in order
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const ending = await databay({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
})
// an orderly end lets what is still on its way to the standard streams arrive
if (ending.atOnce) process.exit(ending.code)
process.exitCode = ending.code
