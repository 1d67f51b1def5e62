import t from 'tap'
import { postgresServer } from '../helpers/postgres.js'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'

const postgres = await postgresServer(t)
const COMMAND = 'npx databay run dist/examples/api-to-postgres.js --once --threads 1'

t.test('orders of an API are rows of PostgreSQL, as the API shows them now', { skip: postgres.skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  const login = await postgres.login(t, url)
  const orders = [1, 2, 3].map((id) => ({
    id,
    customer: `customer ${id}`,
    total: id / 4,
    updated: '2026-11-29T04:00:00Z',
  }))
  const { url: api } = await serve(t, ({ url = '', headers }, response) => {
    if (headers.authorization !== 'Bearer your-key') return response.writeHead(401).end()
    const page = Number(new URL(url, 'http://localhost').searchParams.get('page') ?? 1)
    // what the API shows more than is wanted is left out
    const items = orders.slice(2 * page - 2, 2 * page).map((order) => ({ ...order, internal: 1 }))
    return response.end(JSON.stringify({ items, next: 2 * page < orders.length ? `/orders?page=${page + 1}` : null }))
  })
  const env = { ORDERS_URL: `${api}/orders`, ORDERS_API_KEY: 'your-key', DATABASE_URL: login.url }
  const rows = async () =>
    (await client.query<object>('select id::int, customer, total::float8 from orders order by id')).rows

  const without = await run(t, COMMAND, { env })
  t.equal(without.code, 1, 'the table is not there')
  t.match(without.stderr, /there is no table orders/)
  t.notMatch(without.stderr, login.password)

  await client.query(`create table orders (id bigint primary key, customer text, total numeric, updated timestamptz)`)
  await client.query(`grant all on orders to ${login.user}`)
  await runShown(t, 'An API to PostgreSQL', { env })
  t.strictSame(
    await rows(),
    orders.map(({ updated: _updated, ...order }) => order),
  )
  orders[1] = { id: 2, customer: 'another', total: 7, updated: '2026-11-29T05:00:00Z' }
  orders.push({ id: 4, customer: 'customer 4', total: 1, updated: '2026-11-29T05:00:00Z' })
  t.equal((await run(t, COMMAND, { env })).code, 0)
  t.strictSame(
    await rows(),
    orders.map(({ updated: _updated, ...order }) => order),
    'a changed order has changed its row',
  )

  const wrong = await run(t, COMMAND, { env: { ...env, DATABASE_URL: login.url.replace(login.password, 'wrong-one') } })
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, /password authentication failed/)
  t.notMatch(wrong.stdout + wrong.stderr, 'wrong-one')
  const missing = await run(t, COMMAND, { env: { ...env, ORDERS_API_KEY: undefined } })
  t.match(missing.stderr, /ORDERS_API_KEY is not set/)
})
