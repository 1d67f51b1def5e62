/**
 * Runs benches, each in a process of its own, so that no bench finds what another has left behind.
 *
 *   npm run bench -- [--only dispatch,records] [--threads 1,2,4] [--seconds 0.5] [--json] [--plot FOLDER]
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setLogLevel } from 'databay'
import { parseArguments, type Arguments } from './arguments.js'
import type { Measurement, Settings } from './bench.js'
import { BENCHES } from './benches.js'
import { machine, type Machine } from './machine.js'
import { describe, describeTargets } from './table.js'
import { judge, type Judged } from './targets.js'

/** Result of one bench. */
export interface Result {
  readonly name: string
  readonly question: string
  /** Length of the whole bench, in seconds. */
  readonly seconds: number
  readonly measurements: readonly Measurement[]
  readonly targets: readonly Judged[]
}

/** Results of a run, as `--json` prints them. */
export interface Report {
  readonly machine: Machine
  readonly settings: Settings
  readonly benches: readonly Result[]
}

const asked = parseArguments(process.argv.slice(2), Object.keys(BENCHES))
const { settings } = asked
const before = machine()
const report: Report = { machine: before, settings, benches: await runAll(asked) }
if (asked.json) console.log(JSON.stringify(report, undefined, 2))
else printEnd()
if (asked.plot !== undefined) {
  // the library for it takes a while to load
  const { plot } = await import('./plot.js')
  for (const file of plot(asked.plot, report.benches)) console.error(`drawn: ${file}`)
}

async function runAll({ benches, json }: Arguments): Promise<Result[]> {
  const results: Result[] = []
  for (const name of benches) {
    const result = benches.length === 1 ? await runHere(name) : await runApart(name)
    if (!json) print(result)
    else if (benches.length > 1) console.error(`${name}: ${result.seconds.toFixed(0)} s`)
    results.push(result)
  }
  return results
}

async function runHere(name: string): Promise<Result> {
  setLogLevel('error') // late links are what is measured
  const bench = await BENCHES[name]?.()
  if (bench === undefined) throw new Error(`there is no bench '${name}'`)
  const from = performance.now()
  const measurements = await bench.run(settings)
  const took = (performance.now() - from) / 1000
  if (measurements.length === 0) console.error(`${name}: it has no case whose name contains '${settings.only}'`)
  return {
    name,
    question: bench.question,
    seconds: took,
    measurements,
    targets: judge(name, measurements, before.load),
  }
}

async function runApart(name: string): Promise<Result> {
  const { threads, seconds, samples, smoke, only, python, size } = settings
  const sizes = ['--threads', threads.join(','), '--seconds', `${seconds}`, '--samples', `${samples}`, '--case', only]
  const rest = ['--json', '--python', python, '--size', `${size}MB`, ...sizes, ...(smoke ? ['--smoke'] : [])]
  const args = [fileURLToPath(import.meta.url), '--only', name, ...rest]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 28 })
  process.stderr.write(stderr) // what was left out
  const { benches } = JSON.parse(stdout) as Report
  const [result] = benches
  if (result === undefined) throw new Error(`bench ${name} told nothing`)
  // its own load is that of the benches before it
  return { ...result, targets: judge(name, result.measurements, before.load) }
}

function print({ name, question, seconds, measurements }: Result): void {
  console.log(`${name}: ${question} (${seconds.toFixed(0)} s)\n\n${describe(measurements)}\n`)
}

function printEnd(): void {
  const { cpu, cores, memoryGiB, load, node, commit } = report.machine
  const judged = report.benches.flatMap(({ targets }) => targets)
  if (judged.length > 0) console.log(`targets\n\n${describeTargets(judged)}\n`)
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, load ${load.toFixed(1)}, node ${node}, commit ${commit}`)
}
