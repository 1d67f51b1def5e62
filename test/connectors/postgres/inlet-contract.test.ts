/** The inlet for PostgreSQL keeps the contract of all inlets. */
import { createServer } from 'node:net'
import t from 'tap'
import { PostgresInlet, type PostgresInletOptions } from '../../../src/index.js'
import { InletTester } from '../../../src/testing/index.js'
import { postgresServer } from '../../helpers/postgres.js'
import { listen } from '../../helpers/servers.js'

const postgres = await postgresServer(t)
const { skip } = postgres

t.test('the contract of inlets', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE numbers (n int PRIMARY KEY, m int, at timestamptz, big numeric)')
  await client.query("INSERT INTO numbers SELECT n, n / 4, now() - interval '1 day', n FROM generate_series(1, 30) n")
  const { url: through, proxy } = await postgres.proxied(t, url)
  proxy.judge = (piece) => (/DECLARE|FETCH/.test(piece.toString('latin1')) ? 'hang' : 'pass')
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  const nowhere = { url: `postgres://127.0.0.1:${port}/none`, connectTimeout: { milliseconds: 100 } }
  const table = { table: 'numbers' }
  const inlet = (options: PostgresInletOptions) => new PostgresInlet({ url, ...table, ...options })
  const inlets = {
    failing: (options: PostgresInletOptions) => new PostgresInlet({ ...table, ...nowhere, ...options }),
    hanging: (options: PostgresInletOptions) => inlet({ ...options, url: through }),
    repeatable: true,
    cloneable: true,
  }
  const query = { table: undefined, query: 'SELECT * FROM numbers WHERE n <= $1', parameters: [25] } as never
  const made = (more: PostgresInletOptions) => ({
    ...inlets,
    create: (options: PostgresInletOptions) => inlet({ ...more, ...options }),
  })
  await new InletTester({
    'PostgresInlet, all': { ...made({ limit: 3 }), expected: 3 },
    'PostgresInlet, list by list': { ...made({ batchSize: 7 }), expected: 30 },
    'PostgresInlet, a query': { ...made(query), expected: 25 },
    'PostgresInlet, new ones': { ...made({ cursorColumn: 'n', limit: 3 }), expected: 3 },
    'PostgresInlet, new ones, list by list': {
      ...made({ cursorColumn: 'm', limit: Infinity, batchSize: 7 }),
      expected: 30,
    },
    'PostgresInlet, new ones by time': { ...made({ cursorColumn: 'at', limit: 10 }), expected: 10 },
  }).run(t)
})
