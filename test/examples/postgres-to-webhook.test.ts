import { text } from 'node:stream/consumers'
import t from 'tap'
import { postgresServer } from '../helpers/postgres.js'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'

const postgres = await postgresServer(t)
const COMMAND = 'npx databay run dist/examples/postgres-to-webhook.js --store orders-store --once --threads 1'

t.test('rows of PostgreSQL come to a webhook once, run after run', { skip: postgres.skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('create table orders (id bigserial primary key, customer text, total numeric)')
  const insert = (customer: string, total: string) =>
    client.query('insert into orders (customer, total) values ($1, $2)', [customer, total])
  await insert('Ann', '9.50')
  await insert('Bob', '12345678901234567890.25')
  /** Bodies by their keys. */
  const taken = new Map<string, unknown>()
  const statuses: number[] = []
  const { url: webhook } = await serve(t, (request, response) => {
    if (request.headers.authorization !== 'Bearer your-token') return response.writeHead(401).end()
    return void text(request).then((body) => {
      const status = statuses.shift() ?? 204
      if (status === 204) taken.set(String(request.headers['idempotency-key']), JSON.parse(body))
      response.writeHead(status, status === 503 ? { 'retry-after': '0' } : {}).end()
    })
  })
  const env = { DATABASE_URL: url, WEBHOOK_URL: webhook, WEBHOOK_TOKEN: 'your-token' }
  const at = { cwd: t.testdir({}), env }

  await runShown(t, 'PostgreSQL to a webhook', at)
  t.strictSame(Object.fromEntries(taken), {
    'order-1': { id: 1, customer: 'Ann', total: '9.50' },
    'order-2': { id: 2, customer: 'Bob', total: '12345678901234567890.25' },
  })
  taken.clear()
  await insert('Cid', '1')
  statuses.push(503) // it is busy for a moment
  t.equal((await run(t, COMMAND, at)).code, 0)
  t.strictSame([...taken.keys()], ['order-3'], 'a new process goes on behind the last row')

  await insert('Dan', '2')
  const refused = await run(t, COMMAND, { ...at, env: { ...env, WEBHOOK_TOKEN: 'the-wrong-one' } })
  t.equal(refused.code, 1)
  t.match(refused.stderr, /401/)
  t.notMatch(refused.stdout + refused.stderr, 'the-wrong-one')
  t.equal((await run(t, COMMAND, at)).code, 0)
  t.strictSame([...taken.keys()], ['order-3', 'order-4'], 'what the webhook did not take comes to it later')
})
