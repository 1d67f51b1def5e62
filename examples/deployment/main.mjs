import { WorkerPlanner } from 'databay'

const planner = new WorkerPlanner(new URL('./links.mjs', import.meta.url), {
  threads: 2,
  threadMemoryLimit: 256, // MiB
  ignoreExceptions: true, // a failed transfer is logged and counted
  shutdownAtExit: true, // SIGTERM ends it in order
  shutdownTimeout: 20,
})
await planner.start()
await planner.finished
