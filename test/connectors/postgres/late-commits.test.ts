import t, { type Test } from 'tap'
import pg from 'pg'
import { PostgresInlet, Update, type PostgresInletOptions } from '../../../src/index.js'
import { Settling } from '../../../src/connectors/postgres/inlet/settling.js'
import fc, { runsOf } from '../../helpers/fast-check.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

let number = 0

async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** Rows of a pull. */
async function pulled(inlet: PostgresInlet, delivered = true): Promise<{ id: number; n: number; version: number }[]> {
  const update = new Update(['late'], number++)
  const given = await inlet.pull(update)
  const rows: unknown[] = []
  if (Array.isArray(given)) rows.push(...(given as unknown[]))
  else for await (const list of given as AsyncIterable<unknown[]>) rows.push(...list)
  inlet.onTransferEnd(update, delivered)
  return rows as { id: number; n: number; version: number }[]
}

async function started(t: Test, url: string, options: PostgresInletOptions): Promise<PostgresInlet> {
  const inlet = new PostgresInlet({ url, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return inlet
}

for (const { name, options } of [
  { name: 'a table', options: { table: 'things' } },
  { name: 'a view', options: { table: 'shown', keys: ['id'] } },
  { name: 'a query', options: { query: 'SELECT t.* FROM things t JOIN kinds USING (kind)', keys: ['id'] } },
  { name: 'a partitioned table', options: { table: 'parts' } },
]) {
  t.test(`a row that is committed late is read: of ${name}`, { skip }, async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query('CREATE TABLE kinds (kind int PRIMARY KEY); INSERT INTO kinds VALUES (1)')
    const columns = 'id int, n bigserial, kind int DEFAULT 1'
    await client.query(`CREATE TABLE things (${columns}, PRIMARY KEY (id)); CREATE VIEW shown AS SELECT * FROM things`)
    await client.query(`CREATE TABLE parts (${columns}, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind)`)
    await client.query('CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1)')
    const table = name.includes('partitioned') ? 'parts' : 'things'
    const [early, late] = [await connect(t, url), await connect(t, url)]
    const inlet = await started(t, url, { cursorColumn: 'n', ...options })
    // it takes the smaller value, and is committed later
    await early.query('BEGIN')
    await early.query(
      `INSERT INTO ${name.includes('partitioned') ? 'part1' : table} (id, n) VALUES (1, nextval('${table}_n_seq'))`,
    )
    await late.query(`INSERT INTO ${table} (id) VALUES (2)`)
    t.same(await pulled(inlet), [])
    await late.query(`INSERT INTO ${table} (id) VALUES (3)`)
    t.same(await pulled(inlet), [])
    await early.query('COMMIT')
    const read = [...(await pulled(inlet)), ...(await pulled(inlet))]
    t.same(
      read.map(({ id }) => id),
      [1, 2, 3],
    )
  })
}

t.test('transactions that only read, or write elsewhere, hold up nothing', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE things (id int PRIMARY KEY, n bigserial); CREATE TABLE others (id int)')
  const other = await connect(t, url)
  await other.query('BEGIN; SELECT * FROM things; INSERT INTO others VALUES (1)')
  await client.query('INSERT INTO things (id) VALUES (1)')
  const inlet = await started(t, url, { table: 'things', cursorColumn: 'n' })
  t.match(await pulled(inlet), [{ id: 1 }])
})

t.test('a row of a transaction that began early, and wrote late, is read when it settles', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE things (id int PRIMARY KEY, at timestamptz DEFAULT now())')
  const early = await connect(t, url)
  const inlet = await started(t, url, { table: 'things', cursorColumn: 'at', settle: 0.5 })
  await early.query('BEGIN')
  await early.query('SELECT now()')
  await client.query('INSERT INTO things (id) VALUES (2)')
  t.same(await pulled(inlet), [], 'it is too young')
  await early.query('INSERT INTO things (id) VALUES (1)')
  await early.query('COMMIT')
  const found: number[] = []
  while (found.length < 2) found.push(...(await pulled(inlet)).map(({ id }) => id))
  t.same(found, [1, 2])
})

t.test('values of other types settle too, as the pull waits', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE SEQUENCE s; CREATE TABLE things (id int PRIMARY KEY, n bigint)')
  const inlet = await started(t, url, { table: 'things', cursorColumn: 'n', settle: 1 })
  // 1 was taken before, and is written later
  await client.query('INSERT INTO things VALUES (2, 2)')
  const pulling = pulled(inlet)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await client.query('INSERT INTO things VALUES (1, 1)')
  t.same(
    (await pulling).map(({ id }) => id),
    [1, 2],
  )
  const began = performance.now()
  t.same(await pulled(inlet), [])
  t.ok(performance.now() - began < 950, 'nothing is new, so it waits for nothing')
})

t.test('up to where rows may be read', (t) => {
  const settling = new Settling(100)
  settling.note('5', new Set(['a', 'b']), 0)
  t.equal(settling.bound, undefined)
  t.equal(settling.wait(30, undefined), 70)
  settling.note('7', new Set(['b', 'c']), 150)
  t.equal(settling.bound, undefined, 'b still writes')
  t.equal(settling.wait(150, undefined), undefined)
  t.equal(settling.writers, 2)
  settling.note('7', new Set(['c']), 160)
  t.equal(settling.bound, '5')
  t.equal(settling.since, 150)
  settling.note('9', new Set(), 260)
  t.equal(settling.bound, '7')
  for (let n = 0; n < 1000; n++) settling.note(String(n), new Set(['d']), 261)
  settling.note('x', new Set(), 1000)
  t.not(settling.bound, '7')
  t.end()
})

/** What happens in a property test. */
type Step =
  | { readonly kind: 'insert' | 'move' | 'commit' | 'rollback'; readonly writer: number; readonly row: number }
  | { readonly kind: 'pull'; readonly delivered: boolean }
  | { readonly kind: 'restart' }

const writers = 3
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom('insert', 'insert', 'move', 'commit', 'rollback'),
        writer: fc.nat(writers - 1),
        row: fc.nat(8),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pull' as const), delivered: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  ),
  { minLength: 10, maxLength: 50 },
)

for (const { name, table, value, options } of [
  { name: 'of a sequence', table: 'id int PRIMARY KEY', value: "nextval('s')", options: {} },
  { name: 'with ties', table: 'id int PRIMARY KEY', value: "nextval('s') / 3", options: { limit: 3 } },
  { name: 'with ties, without keys', table: 'id int', value: "nextval('s') / 3", options: { limit: 3 } },
]) {
  t.test(`each row is delivered once, whatever its transaction does: values ${name}`, { skip }, async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query('CREATE SEQUENCE s')
    const clients = await Promise.all(Array.from({ length: writers }, () => connect(t, url)))
    const settings = { url, table: 'things', cursorColumn: 'n', batchSize: 2, limit: 5, ...options }
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        await client.query(`DROP TABLE IF EXISTS things; CREATE TABLE things (${table}, n bigint, version int)`)
        await client.query('CREATE INDEX ON things (n, id)')
        let inlet = new PostgresInlet(settings)
        await inlet.onStart()
        const delivered = new Map<string, number>()
        let last = -1
        /** Rows that a writer has changed, as others would wait for it. */
        const owned = new Map<number, number>()
        const open = new Set<number>()
        let version = 0
        let id = 0
        const ids: number[] = []
        const take = async (isDelivered: boolean) => {
          const rows = await pulled(inlet, isDelivered)
          if (!isDelivered) return rows.length
          for (const { id, n, version } of rows) {
            if (n < last) throw new Error(`${n} came after ${last}`)
            last = n
            const key = `${id}.${version}`
            delivered.set(key, (delivered.get(key) ?? 0) + 1)
          }
          return rows.length
        }
        const end = async (writer: number, how: string) => {
          await clients[writer]?.query(how)
          open.delete(writer)
          for (const [row, owner] of owned) if (owner === writer) owned.delete(row)
        }
        try {
          for (const step of steps) {
            if (step.kind === 'pull') await take(step.delivered)
            else if (step.kind === 'restart') {
              const state = structuredClone(inlet.saveState())
              await inlet.onShutdown()
              inlet = new PostgresInlet(settings)
              inlet.restoreState(state)
              await inlet.onStart()
            } else if (step.kind === 'commit' || step.kind === 'rollback') await end(step.writer, step.kind)
            else {
              const one = clients[step.writer] as pg.Client
              if (!open.has(step.writer)) await one.query('BEGIN')
              open.add(step.writer)
              version++
              if (step.kind === 'insert') {
                // keys are in no order
                id = (id * 7 + 5) % 10_007
                owned.set(id, step.writer)
                await one.query(`INSERT INTO things SELECT $1, ${value}, $2`, [id, version])
                ids.push(id)
              } else {
                const row = ids[step.row % ids.length] ?? 0
                if ((owned.get(row) ?? step.writer) !== step.writer) continue
                owned.set(row, step.writer)
                await one.query(`UPDATE things SET n = ${value}, version = $2 WHERE id = $1`, [row, version])
              }
            }
          }
          for (let writer = 0; writer < writers; writer++) await end(writer, 'COMMIT')
          for (let empty = 0; empty < 2;) empty = (await take(true)) === 0 ? empty + 1 : 0
          const { rows } = await client.query<{ key: string }>("SELECT id || '.' || version AS key FROM things")
          for (const { key } of rows)
            if (delivered.get(key) !== 1) throw new Error(`${key}: ${delivered.get(key)} times`)
          for (const [key, times] of delivered) if (times !== 1) throw new Error(`${key}: ${times} times`)
        } finally {
          for (let writer = 0; writer < writers; writer++) await end(writer, 'ROLLBACK')
          await inlet.onShutdown()
        }
      }),
      { numRuns: runsOf(40), endOnFailure: true },
    )
  })
}
