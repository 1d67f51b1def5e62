import { text } from 'node:stream/consumers'
import pg from 'pg'
import { below } from '../faults/random.js'
import { serve } from '../helpers/servers.js'
import type { JobMaker } from './job.js'

const TOKEN = 'token of the webhook'

/** Rows of PostgreSQL, some of which are committed late, and the requests that a webhook takes, or answers with 503. */
export const postgresToWebhook: JobMaker = async ({ owner, postgres, random, onStep }) => {
  const { url, client } = await postgres.database(owner)
  await client.query('create table orders (id bigserial primary key, customer text, total numeric)')
  const late = new pg.Client({ connectionString: url })
  await late.connect()
  owner.teardown(() => late.end())
  const through = await postgres.proxied(owner, url)
  const step = () => {
    if (--open === 0) commit()
    onStep()
  }
  through.proxy.judge = () => {
    step()
    return 'pass'
  }
  /** Bodies that were taken, by their keys. */
  const taken = new Map<string, string>()
  const wrong: string[] = []
  let again = 0
  const webhook = await serve(owner, (request, response) => {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end()
    return void text(request).then(
      (body) => {
        step()
        if (random() < 0.01) return response.writeHead(503, { 'retry-after': '0' }).end()
        const key = String(request.headers['idempotency-key'])
        const before = taken.get(key)
        if (before !== undefined) again++
        if (before !== undefined && before !== body) wrong.push(`${key} came with ${before}, and with ${body}`)
        taken.set(key, body)
        return response.end()
      },
      () => undefined, // the process was killed in the middle of its request
    )
  })
  const insert = (client: pg.Client, count: number) =>
    client.query(
      `insert into orders (customer, total) select 'customer ' || n, n / 4.0 from generate_series(1, $1) n`,
      [count],
    )
  const ids = async (): Promise<string[]> =>
    (await client.query<{ id: string }>('select id from orders')).rows.map(({ id }) => id)
  const missing = async () => (await ids()).filter((id) => !taken.has(`order-${id}`))
  /** Number of steps until the rows of the transaction that is open are committed. */
  let open = Infinity
  let committed: Promise<unknown> = Promise.resolve()
  const commit = () => {
    open = Infinity
    committed = late.query('commit')
  }
  return {
    steps: 80,
    env: { DATABASE_URL: through.url, WEBHOOK_URL: webhook.url, WEBHOOK_TOKEN: TOKEN },
    async grow() {
      if (open < Infinity) commit()
      await committed
      // rows with lower ids are committed after others, while the job looks for what is new
      await late.query('begin')
      await insert(late, 5)
      await insert(client, 100)
      open = 1 + below(random, 60)
    },
    async isComplete() {
      const isComplete = (await missing()).length === 0
      if (!isComplete || open === Infinity) return isComplete
      commit()
      return false
    },
    async judge() {
      await committed
      const lost = await missing()
      if (lost.length > 0) wrong.push(`${lost.length} rows never came, such as ${lost[0]}`)
      const all = await ids()
      for (const [key, body] of taken) {
        const { id } = JSON.parse(body) as { id: number }
        if (key !== `order-${id}`) wrong.push(`${key} came with the row ${id}`)
      }
      if (taken.size > all.length) wrong.push(`${taken.size} keys came of ${all.length} rows`)
      return { records: all.length, lost: lost.length, again, wrong }
    },
  }
}
