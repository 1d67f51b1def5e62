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

/** Options of Node without tap's measure of coverage, and without its flag of Node 22 that others refuse, as text. */
const unmeasured = (options) =>
  options
    .replace(/"?--import=\S+\/@tapjs\/processinfo\/\S+/, '')
    .replace('--experimental-strip-types', '')
    .trim()

/** Whether programs and threads are measured, too. It takes twice the time, so few tests ask for it. */
const isMeasured = (env) => env.MEASURE_COVERAGE !== undefined

// preloads that only the main thread of a test needs are slow, and each thread would load them
threads.Worker = class Worker extends threads.Worker {
  constructor(file, options = {}) {
    const needless = process.env.BUILT_THREADS
      ? /./
      : isMeasured(process.env)
        ? /\/@tapjs\/(mock|typescript)\//
        : /\/@tapjs\//
    const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--import=') || !needless.test(flag))
    const { NODE_OPTIONS = '', ...env } = process.env
    const own = isMeasured(env) ? process.env : { ...env, NODE_OPTIONS: unmeasured(NODE_OPTIONS) }
    super(file, { ...options, execArgv: options.execArgv ?? execArgv, env: options.env ?? own })
  }
}
syncBuiltinESMExports()

processOnSpawn.addListener((program) => {
  const { NODE_OPTIONS = '', ...env } = program.env
  if (!isMeasured(env)) program.env = { ...env, NODE_OPTIONS: unmeasured(NODE_OPTIONS) }
  return program
})
