import type { WorkerPlanner } from '../../dist/src/index.js'
import * as built from '../../dist/src/planners/worker-planner.js'
import type { ThreadPool } from '../../src/threads/main/thread-pool.js'

interface Internals {
  readonly threadPoolOf: (planner: WorkerPlanner) => ThreadPool
}

/** The threads of a planner of the built package, which its types do not show. */
export const { threadPoolOf } = built as unknown as Internals

/** Starts the threads of a file without hooks of Node's loader, which takes half of the time: they load the build alone. */
export function loadBuildOnly(): void {
  process.env['BUILT_THREADS'] = '1'
}
