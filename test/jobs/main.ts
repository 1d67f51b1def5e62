/**
 * Kills the processes of the example jobs again and again, in the middle of their transfers, and judges what came of their
 * records.
 *
 *   npm run test:jobs -- [--kills 50] [--seed 1] [--job api-to-postgres]
 *
 * A kill strikes at a request or a piece of data that a server sees, or while the process starts. The seed draws which; what
 * the process has done until then differs from run to run all the same.
 */
import { parseArgs } from 'node:util'
import { anySeed } from '../faults/random.js'
import { postgresServer } from '../helpers/postgres.js'
import { s3Server } from '../helpers/s3.js'
import { JOBS, table, tryJob } from './jobs.js'
import { Teardowns } from './owner.js'
import type { Outcome } from './trial.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(anySeed()) },
    job: { type: 'string', multiple: true, default: Object.keys(JOBS) },
  },
})
const kills = Number(values.kills)
const seed = Number(values.seed)
if (!Number.isInteger(kills) || !Number.isInteger(seed)) throw new Error('--kills and --seed are whole numbers')

const owner = new Teardowns()
const outcomes: (readonly [string, number, Outcome])[] = []
try {
  const servers = { postgres: await postgresServer(owner), s3: await s3Server(owner) }
  for (const { skip } of Object.values(servers)) if (skip !== false) throw new Error(skip)
  for (const job of values.job) {
    console.error(`${job}: killed ${kills} times, which takes a minute or more; seed ${seed}`)
    outcomes.push([job, seed, await tryJob(owner, servers, job, kills, seed)])
  }
} finally {
  await owner.end()
}
console.log(table(outcomes))
for (const [job, , { wrong }] of outcomes) for (const what of wrong) console.log(`NOT OK: ${job}: ${what}`)
process.exitCode = outcomes.every(([, , { wrong }]) => wrong.length === 0) ? 0 : 1
