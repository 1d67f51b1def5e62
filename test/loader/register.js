/**
 * Loads TypeScript in the tests, from a cache of compiled files. tap would do it by ts-node, which loads the compiler and
 * compiles each file again in each process and each thread: that was more than half of the time of all tests.
 *
 * `.taprc` preloads it and, by `TAP_TYPE_STRIP_ONLY`, tells tap's preload of ts-node to do nothing.
 */
import { register, syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

register('./hooks.js', import.meta.url)

// the preload has seen it; from Node 22 on, tap itself would set flags of Node by it
delete process.env.TAP_TYPE_STRIP_ONLY

/** Flags of a thread: what its process has, without what only the main thread of a test needs. Each preload starts slowly. */
const execArgv = process.execArgv.filter((flag) => !/^--import=.*\/@tapjs\/(mock|typescript)\//.test(flag))

threads.Worker = class Worker extends threads.Worker {
  constructor(file, options) {
    super(file, { ...options, execArgv: options?.execArgv ?? execArgv })
  }
}
syncBuiltinESMExports()
