/** Connections that break at some of the messages of PostgreSQL's protocol; test/faults has all of them. */
import t from 'tap'
import { captureLogs } from '../../helpers/logs.js'
import { CUT_CASES, sweep } from '../../helpers/postgres-cuts.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

/** Steps from one break to the next: those of batches with bad rows have many messages, all alike. */
const STEPS = { cut: 11, lose: 13, hang: 17 } as const

/** Number of sweeps at a time: the server has 60 connections. */
const AT_ONCE = 3

for (const kind of ['cut', 'lose', 'hang'] as const) {
  t.test(`rows are stored and read once when connections break: ${kind}`, { skip }, async (t) => {
    captureLogs(t, 'silent')
    const left = [...CUT_CASES.entries()]
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [n, one] = next
        const step = one.isLong ? 20 * STEPS[kind] : STEPS[kind]
        const { messages, wrong } = await sweep(t, postgres, one, kind, { step, offset: n % step })
        t.ok(messages > 10, `${one.name} has ${messages} messages`)
        t.same(wrong, [], one.name)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  })
}
