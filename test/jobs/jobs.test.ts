/* The example jobs, killed a few times. `npm run test:jobs` does more of it. */
import t from 'tap'
import { isBuilt } from '../helpers/durable-programs.js'
import { postgresServer } from '../helpers/postgres.js'
import { s3Server } from '../helpers/s3.js'
import { anySeed } from '../faults/random.js'
import { table, tryJob } from './jobs.js'

const KILLS = 6

const [postgres, s3] = await Promise.all([postgresServer(t), s3Server(t)])

// they mostly wait, so they run at the same time
t.jobs = 3

for (const [example, title, skip] of [
  ['api-to-postgres', 'an API to PostgreSQL: the rows are those of the source, by key', postgres.skip],
  ['postgres-to-webhook', 'PostgreSQL to a webhook: each row comes, and once by its idempotency key', postgres.skip],
  ['csv-to-s3', 'CSV files to S3: all objects are whole, and hold all rows', s3.skip],
] as const) {
  t.test(
    `killed ${KILLS} times, ${title}`,
    { buffered: true, skip: skip || (!isBuilt && 'the package is not built') },
    async (t) => {
      const seed = anySeed()
      const outcome = await tryJob(t, { postgres, s3 }, example, KILLS, seed)
      t.comment(table([[example, seed, outcome]]))
      t.strictSame(outcome.wrong, [], `seed ${seed}`)
      t.match(outcome, { lost: 0, kills: KILLS })
      t.ok(outcome.amid > 0, 'kills struck in the middle')
      t.ok(outcome.records > 100)
    },
  )
}
