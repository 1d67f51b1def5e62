/**
 * Runs a planner with two busy threads and full buffers, until it is told to end: see stops.ts.
 *
 *   node ending.js patient|stuck
 */
import { Run } from './harness.js'

const stuck = process.argv[2] === 'stuck'
const busy = { computes: 150, buffer: 10_000, every: 300 }
const specs = [
  ...['a', 'b', 'c', 'd'].map((name) => ({ name, ...busy })),
  ...(stuck ? [{ name: 'stuck', fault: { kind: 'hang', place: 'onShutdown', at: 0 } as const }] : []),
]
const run = new Run(specs, { shutdownAtExit: true })
function tell(): void {
  const wrong = run.judge()
  const pushed = ['a', 'b', 'c', 'd'].every((name) => run.journalOf(name).length > 0)
  console.log(
    wrong.length === 0 && pushed ? 'right' : `wrong: ${[...wrong, pushed ? '' : 'buffers are lost'].join('; ')}`,
  )
  run.forget()
}
run.planner.finished.then(tell, tell)
await run.planner.start()
await run.until(() => run.reports.length >= 12)
console.log('busy')
