import { below } from '../faults/random.js'
import { serve } from '../helpers/servers.js'
import type { JobMaker } from './job.js'

const KEY = 'key of the API'
const PAGE = 100

interface Order {
  readonly id: number
  readonly customer: string
  readonly total: number
  readonly updated: string
}

/** Orders of an API, some of which change, and their rows in PostgreSQL. */
export const apiToPostgres: JobMaker = async ({ owner, postgres, random, onStep }) => {
  const { url, client } = await postgres.database(owner)
  await client.query('create table orders (id bigint primary key, customer text, total numeric, updated timestamptz)')
  const through = await postgres.proxied(owner, url)
  through.proxy.judge = () => {
    onStep()
    return 'pass'
  }
  const orders: Order[] = []
  const order = (id: number): Order => ({
    id,
    customer: `customer ${below(random, 1000)}`,
    total: below(random, 1_000_000) / 100,
    updated: new Date(1_800_000_000_000 + below(random, 1_000_000_000)).toISOString(),
  })
  const api = await serve(owner, ({ url = '', headers }, response) => {
    if (headers.authorization !== `Bearer ${KEY}`) return response.writeHead(401).end()
    onStep()
    const page = Number(new URL(url, 'http://localhost').searchParams.get('page') ?? 0)
    const items = orders.slice(page * PAGE, (page + 1) * PAGE).map((order) => ({ ...order, internal: true }))
    const next = (page + 1) * PAGE < orders.length ? `/orders?page=${page + 1}` : null
    return response.end(JSON.stringify({ items, next }))
  })
  /** Orders whose rows are missing, or have other values. */
  const differing = async (): Promise<number[]> => {
    const text = 'select id::int, customer, total::float8, updated from orders'
    const { rows } = await client.query<Omit<Order, 'updated'> & { updated: Date }>(text)
    const stored = new Map(rows.map(({ updated, ...row }) => [row.id, { ...row, updated: updated.toISOString() }]))
    const isStored = (order: Order) => JSON.stringify(stored.get(order.id)) === JSON.stringify(order)
    const unknown = [...stored.keys()].filter((id) => orders[id - 1] === undefined)
    return [...orders.filter((order) => !isStored(order)).map(({ id }) => id), ...unknown]
  }
  return {
    // a connection, and then pages, each with its transaction
    get steps() {
      return 10 + 4 * Math.ceil(orders.length / PAGE)
    },
    env: { ORDERS_URL: `${api.url}/orders`, ORDERS_API_KEY: KEY, DATABASE_URL: through.url },
    async grow() {
      for (let change = 0; change < 100 && orders.length > 0; change++) {
        const at = below(random, orders.length)
        orders[at] = order(at + 1)
      }
      for (let more = 0; more < 100; more++) orders.push(order(orders.length + 1))
    },
    isComplete: async () => (await differing()).length === 0,
    async judge() {
      const ids = await differing()
      const wrong = ids.length === 0 ? [] : [`rows of ${ids.length} orders are not those of the API, such as ${ids[0]}`]
      return { records: orders.length, lost: ids.length, again: 0, wrong }
    },
  }
}
