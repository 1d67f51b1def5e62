/** PostgresOutlet keeps the contract of all outlets. */
import { Buffer } from 'node:buffer'
import t from 'tap'
import { PostgresOutlet, type PostgresOutletOptions } from '../../../src/index.js'
import { OutletTester, type OutletSetup } from '../../../src/testing/index.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

t.test('the contract', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(
    'create table t (at serial, id text primary key, text text, list jsonb, nested jsonb, date timestamptz, none int, big bigint, bytes bytea, tags text[])',
  )
  const hang = await postgres.proxied(t, url)
  hang.proxy.judge = (piece) => (/insert into|copy /.test(piece.toString('latin1')) ? 'hang' : 'pass')
  const read = async () => {
    const { rows } = await client.query<{ row: { [name: string]: unknown } }>(
      `select (to_jsonb(t) - 'at') || jsonb_build_object('date', extract(epoch from date)) as row from t order by at`,
    )
    return rows.map(({ row }) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))
  }
  const setup = (options: Partial<PostgresOutletOptions>): OutletSetup => {
    const create = (given: object) => new PostgresOutlet({ url, table: 't', ...options, ...given })
    return {
      create,
      read,
      payload: (n) => ({ id: String(n), text: `record ${n}` }),
      before: async () => {
        await client.query('truncate t')
      },
      kinds: [
        { id: 'kind 1', list: [1, { nested: true }], nested: { a: 'x' }, date: new Date(1000), none: null },
        { id: 'kind 2', big: 12n, bytes: Buffer.from('x'), tags: ['a', 'b'] },
      ],
      arrives: (payload) => {
        const { date, big, bytes, none: _, ...row } = payload as { [name: string]: unknown }
        return {
          ...row,
          ...(date instanceof Date && { date: date.getTime() / 1000 }),
          ...(typeof big === 'bigint' && { big: Number(big) }),
          ...(bytes !== undefined && { bytes: String.raw`\x78` }),
        }
      },
      invalid: [
        'text',
        7,
        null,
        [{ id: 'x' }],
        { id: 'y', text: () => 1 },
        { id: 'z', none: 'many' },
        { id: 'u', unknown: 1 },
      ],
      breakTarget: async () => {
        await client.query('alter table t rename to gone')
        return () => client.query('alter table gone rename to t')
      },
      hanging: (given) => new PostgresOutlet({ url: hang.url, table: 't', ...options, ...given }),
    }
  }
  await new OutletTester({
    'PostgresOutlet, inserts': setup({}),
    'PostgresOutlet, inserts by key': setup({ keys: ['id'] }),
    'PostgresOutlet, upserts': setup({ mode: 'upsert', keys: ['id'] }),
    'PostgresOutlet, copies': setup({ mode: 'copy' }),
    'PostgresOutlet, copies by key': setup({ mode: 'copy', keys: ['id'] }),
    'PostgresOutlet, with columns': setup({
      columns: ['id', 'text', 'list', 'nested', 'date', 'none', 'big', 'bytes', 'tags'],
    }),
  }).run(t)
})
