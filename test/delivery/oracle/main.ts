/**
 * Kills a process with durable links again and again, and judges what came of their records.
 *
 *   node dist/test/delivery/oracle/main.js [--kills 20] [--operations 40] [--thread-kills 10] [--seed 1] [--lanes 2]
 *     [--steady] [--json]
 *
 * Kills come at random times; at each of the first operations of the store, and, where there is strace, at some of its writes
 * and syncs; and in threads. Outlets fail at random and refuse records, but with `--steady`. The seed draws what is drawn
 * here; where a kill strikes differs from run to run all the same.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { anySeed } from '../../faults/random.js'
import { campaign } from './campaign.js'
import { table } from './table.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    operations: { type: 'string', default: '40' },
    'thread-kills': { type: 'string', default: '10' },
    seed: { type: 'string', default: String(anySeed()) },
    lanes: { type: 'string', default: '2' },
    steady: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

function numberIn(name: 'kills' | 'operations' | 'thread-kills' | 'seed' | 'lanes'): number {
  const number = Number(values[name])
  if (Number.isInteger(number) && number >= 0) return number
  throw new Error(`--${name}: expected a whole number of at least 0, got ${values[name]}`)
}

const folder = mkdtempSync(join(tmpdir(), 'databay-oracle-'))
const seed = numberIn('seed')
if (!values.json) console.log(`seed ${seed}, in ${folder}`)
const { rows, wrong } = await campaign({
  folder,
  seed,
  kills: numberIn('kills'),
  operations: numberIn('operations'),
  threadKills: numberIn('thread-kills'),
  lanes: Math.max(1, numberIn('lanes')),
  fails: !values.steady,
  ...(values.json ? {} : { onProgress: progress() }),
})
console.log(values.json ? JSON.stringify({ seed, rows, wrong }) : table(rows))
for (const what of wrong) console.log(`NOT OK: ${what}`)
if (wrong.length > 0) console.log(`its files are in ${folder}; --seed ${seed} draws the same`)
else rmSync(folder, { recursive: true, force: true })
process.exitCode = wrong.length > 0 ? 1 : 0

/** Prints how far it has come: each second on a terminal, else every ten. */
function progress(): (done: number, of: number) => void {
  const every = process.stdout.isTTY ? 1000 : 10_000
  const started = Date.now()
  let shown = started
  return (done, of) => {
    if (Date.now() < shown + every) return
    shown = Date.now()
    const left = ((shown - started) / done) * (of - done)
    console.log(`${done} of ${of} kills, about ${Math.ceil(left / 1000)} s left`)
  }
}
