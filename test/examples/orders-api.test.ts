import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { mongoServer } from '../helpers/mongo.js'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'

const mongo = await mongoServer(t)
const COMMAND = 'npx databay run dist/examples/orders-api.js --link toCsv --once --threads 1'
const KEY = 'your-key'
const order = (id: number) => ({ id, customer: `customer ${id}`, total: id / 4 })

/** Starts an API that shows orders, two a page, and answers as it is told for a while. */
async function api(t: Test, count: number) {
  const orders = Array.from({ length: count }, (_, at) => order(at + 1))
  const faults: { readonly page: number; readonly status: number; readonly headers?: { [name: string]: string } }[] = []
  const { url } = await serve(t, ({ url = '', headers }, response) => {
    const page = Number(new URL(url, 'http://localhost').searchParams.get('page') ?? 1)
    const [fault] = faults
    if (headers.authorization !== `Bearer ${KEY}`) response.writeHead(401).end()
    else if (fault?.page === page) {
      faults.shift()
      response.writeHead(fault.status, fault.headers).end()
    } else {
      const items = orders.slice(2 * page - 2, 2 * page)
      const next = 2 * page < orders.length ? `/orders?page=${page + 1}` : null
      // what the API tells more than is wanted is left out
      response.end(JSON.stringify({ items: items.map((item) => ({ ...item, internal: 1 })), next }))
    }
  })
  const folder = t.testdir({})
  const rows = () => readFileSync(`${folder}/orders.csv`, 'utf8').trimEnd().split('\n').slice(1)
  const ids = () => rows().map((row) => Number(row.split(',')[0]))
  const env = { ORDERS_URL: `${url}/orders`, ORDERS_API_KEY: KEY }
  return { orders, faults, ids, rows, env, at: { cwd: folder, env } }
}

t.test('all pages are in the file and in MongoDB, each order once, run after run', { skip: mongo.skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const { orders, ids, rows, env, at } = await api(t, 5)
  const all = { ...at, env: { ...env, MONGODB_URL: new URL(database, url).href } }
  await runShown(t, 'Orders of an API', all)
  t.same(ids(), [1, 2, 3, 4, 5])
  t.equal(rows()[0], '1,customer 1,0.25')
  // pages shift when orders come in between: one is shown twice
  orders.splice(2, 0, order(2))
  orders.push(order(6))
  await run(t, 'npx databay run dist/examples/orders-api.js --once --threads 1', all)
  t.same(ids(), [1, 2, 3, 4, 5, 6], 'a new process writes only what is new')
  const found = await db.collection('orders').find().sort({ id: 1 }).toArray()
  t.same(
    found.map(({ id }) => id as number),
    [1, 2, 3, 4, 5, 6],
  )
})

t.test('a page that fails loses nothing and doubles nothing', async (t) => {
  const { faults, ids, at, env } = await api(t, 5)
  faults.push({ page: 2, status: 429, headers: { 'retry-after': '0' } })
  t.equal((await run(t, COMMAND, at)).code, 0, 'too many requests: it waits')
  t.same(ids(), [1, 2, 3, 4, 5])

  const failing = await api(t, 5)
  failing.faults.push({ page: 3, status: 404 })
  const { code, stderr } = await run(t, COMMAND, failing.at)
  t.equal(code, 1)
  t.match(stderr, /404/)
  t.same(failing.ids(), [1, 2, 3, 4], 'the pages before it are there')
  t.equal((await run(t, COMMAND, failing.at)).code, 0)
  t.same(failing.ids(), [1, 2, 3, 4, 5])

  const secret = await run(t, COMMAND, { ...at, env: { ...env, ORDERS_API_KEY: 'the-secret' } })
  t.match(secret.stderr, /401/)
  t.notMatch(secret.stdout + secret.stderr, /the-secret/)
  t.match(
    (await run(t, COMMAND, { ...at, env: { ...env, ORDERS_API_KEY: undefined } })).stderr,
    /ORDERS_API_KEY is not set/,
  )
})

t.test('while MongoDB is down, the file gets its orders, each once', async (t) => {
  const { ids, at, env } = await api(t, 5)
  const command = 'npx databay run dist/examples/orders-api.js --once --threads 1'
  const down = { ...at, env: { ...env, MONGODB_URL: 'mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=300' } }
  for (let round = 0; round < 2; round++) {
    const { code, stderr } = await run(t, command, down)
    t.equal(code, 1, stderr)
    t.same(ids(), [1, 2, 3, 4, 5])
  }
})
