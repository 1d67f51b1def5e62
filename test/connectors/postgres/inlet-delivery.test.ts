/** PostgresInlet in a link with `delivery: 'cursor'`, whose process is killed and started again. */
import t from 'tap'
import pg from 'pg'
import { DurableProgram, isBuilt } from '../../helpers/durable-programs.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const skip = postgres.skip || (!isBuilt && 'not built')

t.test('killed again and again, while rows are committed in any order, it brings each row', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE orders (id int PRIMARY KEY, n bigserial)')
  const writers = await Promise.all(
    [0, 1].map(async () => {
      const writer = new pg.Client({ connectionString: url })
      await writer.connect()
      t.teardown(() => writer.end())
      return writer
    }),
  )
  let id = 0
  const write = async (count: number) => {
    for (const writer of writers) {
      await writer.query('BEGIN')
      id += count
      await writer.query('INSERT INTO orders (id) SELECT $1::int - i FROM generate_series(0, $2::int - 1) i', [
        id,
        count,
      ])
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const writer of writers.toReversed()) await writer.query('COMMIT')
  }
  const folder = t.testdir()
  const program = new DurableProgram(
    folder,
    `export const orders = new databay.Link({
      delivery: 'cursor',
      inlets: new databay.PostgresInlet({ url: '${url}', table: 'orders', cursorColumn: 'n', limit: 70, batchSize: 20 }),
      outlets: new databay.FileOutlet('orders.jsonl', { format: 'json' }),
      interval: 0.05,
    })`,
  )
  const values = () => program.lines('orders.jsonl').map((line) => (JSON.parse(line) as { n: number }).n)
  for (let kills = 0; kills < 3; kills++) {
    const running = await program.start()
    const before = new Set(values()).size
    await write(60)
    while (new Set(values()).size < before + 30 * kills) await new Promise((resolve) => setTimeout(resolve, 5))
    await running.kill()
  }
  const running = await program.start()
  await write(10)
  const { rows } = await client.query<{ n: number }>('SELECT n::int AS n FROM orders ORDER BY n')
  const all = rows.map(({ n }) => n)
  while (new Set(values()).size < all.length) await new Promise((resolve) => setTimeout(resolve, 10))
  await running.do('shutdown')
  const found = values()
  t.same([...new Set(found)], all, 'all of them, and first in their order')
  t.ok(found.length - all.length <= 3 * 70, `${found.length - all.length} twice`)
})
