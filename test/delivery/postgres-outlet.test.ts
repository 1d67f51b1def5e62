/** A PostgresOutlet on a durable link: what is refused becomes a dead letter, and what is unavailable blocks. */
import t from 'tap'
import { PostgresOutlet } from '../../src/connectors/postgres/postgres-outlet.js'
import { Lists, setUp } from '../helpers/durable-links.js'
import { postgresServer } from '../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

for (const mode of ['insert', 'copy'] as const) {
  t.test(`refused rows become dead letters, and a lost reply doubles none: ${mode}`, { skip }, async (t) => {
    const { url: direct, client } = await postgres.database(t)
    await client.query('create table t (n int check (n < 100))')
    const { url, proxy } = await postgres.proxied(t, direct)
    const { letters, open } = await setUp(t)
    const retry = { retries: 0 }
    const outlet = new PostgresOutlet({ url, table: 't', mode, retry, socketTimeout: { milliseconds: 400 } })
    const numbers = async () => (await client.query<{ n: number }>('select n from t order by n')).rows.map(({ n }) => n)
    const list = (...numbers: unknown[]) => numbers.map((n) => ({ n }))
    const link = await open(new Lists(list(1, 100, 2), list(3, 101), list(4), list(5)), outlet, {
      retry: { minDelay: 0.001 },
    })

    await link.transfer()
    t.same(await numbers(), [1, 2])
    t.match(letters.list(), [
      { code: 'DATABAY_DATABASE', stage: 'push', hasRecord: true, error: { fields: { serverCode: '23514' } } },
    ])

    // the connection is lost at the COMMIT of good rows, and nobody can ask what became of it
    let isDown = false
    proxy.judge = (piece) => {
      if (isDown) return 'cut'
      if (!piece.includes('commit\0')) return 'pass'
      isDown = true
      return 'swallow reply'
    }
    const report = await link.transfer()
    t.ok(report.errors.length > 0)
    t.same(await numbers(), [1, 2, 3], 'they are stored')
    t.equal(letters.list().length, 1)
    isDown = false
    proxy.judge = () => 'pass'
    for (let tries = 0; letters.list().length < 2 && tries < 5; tries++) await link.transfer()
    t.same(await numbers(), [1, 2, 3, 4], 'once')
    t.equal(letters.list().length, 2)

    // what is of the outlet makes no dead letter
    await client.query('alter table t rename to gone')
    await link.transfer()
    t.equal(letters.list().length, 2)
    await client.query('alter table gone rename to t')
    for (let tries = 0; (await numbers()).length < 5 && tries < 5; tries++) await link.transfer()
    t.same(await numbers(), [1, 2, 3, 4, 5])
    await link.onShutdown()
  })
}
