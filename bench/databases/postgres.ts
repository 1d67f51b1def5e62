import { once } from 'node:events'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { PostgresInlet, PostgresOutlet, Update, type PostgresMode } from 'databay'
import type { Measurement, Settings } from '../bench.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from '../measure.js'
import { openServer } from '../servers.js'
import type { Reading } from '../work/readings.js'
import { countPulled } from './pulled.js'
import { DATABAY, started, storing, type Storage } from './storing.js'

/** Rows of a batch that is inserted. */
const INSERTED = 1000

/** Rows of a batch that is copied. */
const COPIED = 10_000

/** Rows of the table that is read, and of what a cursor of the server gives at once. */
const READ = 100_000
const FETCHED = 1024

export const BY_INSERT = 'the same statement by hand'
export const BY_COPY = 'COPY by hand'
export const BY_FETCH = 'FETCH by hand'
export const INSERT_CASE = `PostgreSQL, insert of ${INSERTED.toLocaleString('en')} rows a batch`
export const COPY_CASE = `PostgreSQL, copy of ${COPIED.toLocaleString('en')} rows a batch`
export const READ_CASE = `PostgreSQL, ${READ.toLocaleString('en')} rows read through a cursor of the server`

const COLUMNS = 'id bigint, sensor text, value double precision, valid boolean, at timestamptz, tags jsonb'
const NAMES = 'id, sensor, value, valid, at, tags'

/** Stores rows by PostgresOutlet, and reads them by PostgresInlet, beside the driver by hand. */
export async function postgres(settings: Settings): Promise<Measurement[]> {
  if (![INSERT_CASE, COPY_CASE, READ_CASE].some((name) => name.includes(settings.only))) return []
  const server = await openServer('postgres')
  if (server === undefined) {
    console.error("databases: PostgreSQL is left out: set DATABASE_URL, or install Debian's package postgresql")
    return []
  }
  const { url } = server.access
  const outlet = (mode: PostgresMode) => (table: string) => byOutlet(url, table, mode)
  const insert = [
    storing(DATABAY, [BY_INSERT], INSERTED, () => inTable(url, 'outlet_rows', outlet('insert'))),
    storing(BY_INSERT, [], INSERTED, () => inTable(url, 'hand_rows', (table) => byHand(url, table, insertByHand))),
  ]
  const copy = [
    storing(DATABAY, [BY_COPY], COPIED, () => inTable(url, 'outlet_copies', outlet('copy'))),
    storing(BY_COPY, [], COPIED, () => inTable(url, 'hand_copies', (table) => byHand(url, table, copyByHand))),
  ]
  try {
    return [
      ...(await compare(INSERT_CASE, insert, settings)),
      ...(await compare(COPY_CASE, copy, settings)),
      ...(await compare(READ_CASE, reading(url, settings.smoke ? 1000 : READ), settings)),
    ]
  } finally {
    await server.close()
  }
}

/** What stores rows, without what is around it. */
type Storing = Pick<Storage, 'store' | 'close'>

async function byOutlet(url: string, table: string, mode: PostgresMode): Promise<Storing> {
  const outlet = new PostgresOutlet({ url, table, mode })
  return { store: await started(outlet), close: () => outlet.onShutdown() }
}

type Store = (client: pg.Client, table: string, rows: readonly Reading[]) => Promise<void>

async function byHand(url: string, table: string, store: Store): Promise<Storing> {
  const client = await connected(url)
  return { store: (rows) => store(client, table, rows), close: () => client.end() }
}

const insertByHand: Store = async (client, table, rows) => {
  await client.query('begin')
  await client.query(
    `insert into ${table} (${NAMES}) select ${NAMES} from json_to_recordset($1::json) as rows(${COLUMNS})`,
    [JSON.stringify(rows)],
  )
  await client.query('commit')
}

const copyByHand: Store = async (client, table, rows) => {
  const stream = client.query(copyFrom(`copy ${table} (${NAMES}) from stdin`))
  let text = ''
  for (const { id, sensor, value, valid, at, tags } of rows) {
    text += `${id}\t${escaped(sensor)}\t${value}\t${valid ? 't' : 'f'}\t${at}\t${escaped(JSON.stringify(tags))}\n`
  }
  stream.end(text)
  await once(stream, 'finish')
}

function escaped(text: string): string {
  return text.replaceAll(/[\\\n\r\t]/g, (one) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[one] ?? one)
}

/** Stores into a table that is made for it, and removed at the end. */
async function inTable(url: string, table: string, open: (table: string) => Promise<Storing>): Promise<Storage> {
  const client = await connected(url)
  await client.query(`drop table if exists ${table}; create table ${table} (${COLUMNS})`)
  const { store, close } = await open(table)
  return {
    store,
    count: () => countOf(client, table),
    async clear() {
      await client.query(`truncate ${table}`)
    },
    async close() {
      await close()
      await client.query(`drop table ${table}`)
      await client.end()
    },
  }
}

async function countOf(client: pg.Client, table: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::integer as count from ${table}`)
  return rows[0]?.count ?? Number.NaN
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  return client
}

/** Reads all rows of a table, list by list. */
type Reader = () => Promise<number>

function reading(url: string, rows: number): Subject[] {
  const subject = (
    name: string,
    peers: readonly string[],
    open: () => Promise<{ read: Reader; close: () => Promise<void> }>,
  ): Subject => ({
    name,
    units: { ...COST_UNITS, rate: 'rows/s' },
    peers,
    async open() {
      const client = await connected(url)
      await client.query(
        `create table if not exists readings as select id, 'sensor ' || id % 100 as sensor, (id % 1000) / 8.0::double precision as value,
        id % 7 <> 0 as valid, timestamptz '2026-01-01' + id * interval '1 second' as at, '["indoor", "v2"]'::jsonb as tags
        from generate_series(1, ${rows}::bigint) as id`,
      )
      await client.query('analyze readings')
      await client.end()
      const { read, close } = await open()
      const sample = (seconds: number) =>
        withCost(() =>
          repeat(seconds, async () => {
            const count = await read()
            check(`rows that ${name} read`, count, rows)
            return count
          }),
        )
      return { sample, close }
    },
  })
  return [subject(DATABAY, [BY_FETCH], () => byInlet(url)), subject(BY_FETCH, [], () => byFetch(url))]
}

async function byInlet(url: string) {
  const inlet = new PostgresInlet({ url, table: 'readings', batchSize: FETCHED })
  await inlet.onStart()
  let transfers = 0
  const read = async () => {
    const update = new Update(['bench'], transfers++)
    const count = await countPulled(await inlet.pull(update))
    inlet.onTransferEnd(update, true)
    return count
  }
  return { read, close: () => inlet.onShutdown() }
}

async function byFetch(url: string) {
  const client = await connected(url)
  const read = async () => {
    await client.query('begin read only; declare rows no scroll cursor for select * from readings')
    let count = 0
    for (let last = FETCHED; last === FETCHED; count += last) {
      last = (await client.query(`fetch ${FETCHED} from rows`)).rows.length
    }
    await client.query('commit')
    return count
  }
  return { read, close: () => client.end() }
}
