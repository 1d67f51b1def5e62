/**
 * Loads TypeScript in the tests from a cache of compiled files. tap's own way is ts-node, which loads the compiler and
 * compiles each file again in each process and thread: that took half of the time of all tests.
 *
 * `.taprc` preloads it and, by `TAP_TYPE_STRIP_ONLY`, tells tap's preload of ts-node to do nothing.
 */
import { register, syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'
import processOnSpawn from 'process-on-spawn'

register('./hooks.js', import.meta.url)

// the preload has seen it; from Node 22 on, tap itself would set flags of Node by it
delete process.env.TAP_TYPE_STRIP_ONLY

/** Flags of a thread: those of its process, without preloads that only the main thread of a test needs, as they are slow. */
const execArgv = process.execArgv.filter((flag) => !/^--import=.*\/@tapjs\/(mock|typescript)\//.test(flag))

threads.Worker = class Worker extends threads.Worker {
  constructor(file, options) {
    super(file, { ...options, execArgv: options?.execArgv ?? execArgv })
  }
}
syncBuiltinESMExports()

// tap measures coverage in each program that a test starts, too, which takes twice the time: only where it is asked for
processOnSpawn.addListener((program) => {
  const { NODE_OPTIONS = '', ...env } = program.env
  if (env.MEASURE_COVERAGE === undefined)
    program.env = { ...env, NODE_OPTIONS: NODE_OPTIONS.replace(/"?--import=\S+\/@tapjs\/processinfo\/\S+/, '').trim() }
  return program
})
