import { seeded } from '../faults/random.js'
import type { Owner } from '../helpers/postgres.js'
import { apiToPostgres } from './api-to-postgres.js'
import { csvToS3 } from './csv-to-s3.js'
import type { JobMaker, Servers } from './job.js'
import { postgresToWebhook } from './postgres-to-webhook.js'
import { Trial, type Outcome } from './trial.js'

/** Example jobs, by the names of their files. */
export const JOBS: { readonly [example: string]: JobMaker } = {
  'api-to-postgres': apiToPostgres,
  'postgres-to-webhook': postgresToWebhook,
  'csv-to-s3': csvToS3,
}

/** Kills the process of an example, and judges what came of its records. */
export function tryJob(owner: Owner, servers: Servers, example: string, kills: number, seed: number): Promise<Outcome> {
  const make = JOBS[example]
  if (make === undefined) throw new Error(`${example}: expected one of ${Object.keys(JOBS).join(', ')}`)
  const random = seeded(seed)
  return new Trial(example, random).run(owner, servers, make, kills)
}

const COLUMNS = ['records', 'kills', 'amid', 'lost', 'again'] as const

/** What came of the jobs, a line for each. */
export function table(outcomes: readonly (readonly [example: string, seed: number, outcome: Outcome])[]): string {
  const rows = [
    ['job', 'seed', ...COLUMNS],
    ...outcomes.map(([example, seed, outcome]) => [example, seed, ...COLUMNS.map((column) => outcome[column])]),
  ]
  return rows
    .map(([job, ...cells]) => String(job).padEnd(22) + cells.map((cell) => String(cell).padStart(9)).join(''))
    .join('\n')
}
