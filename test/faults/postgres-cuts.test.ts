/** Connections that break at each message of PostgreSQL's protocol, before it and after it. */
import t from 'tap'
import { captureLogs } from '../helpers/logs.js'
import { CUT_CASES, sweep } from '../helpers/postgres-cuts.js'
import { postgresServer } from '../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

for (const one of CUT_CASES) {
  t.test(`${one.name} loses no row and stores none twice, wherever connections break`, { skip }, async (t) => {
    captureLogs(t, 'silent')
    for (const kind of ['cut', 'lose', 'hang'] as const) {
      // of the many messages of batches with bad rows, every fifth
      const step = one.isLong ? (kind === 'hang' ? 23 : 5) : 1
      t.same((await sweep(t, postgres, one, kind, { step })).wrong, [], kind)
    }
  })
}
