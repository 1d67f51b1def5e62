import type { Test } from 'tap'
import { PartialPushError, type RejectedRecord } from '../../src/core/partial-push.js'
import { Record } from '../../src/core/record.js'
import { PostgresOutlet, type PostgresOutletOptions } from '../../src/index.js'
import type { postgresServer } from './postgres.js'

export function records(...payloads: unknown[]): Record[] {
  return payloads.map((payload) => new Record(payload))
}

/** Starts an outlet to the table `t` of a database with these tables. */
export async function outletTo(
  t: Test,
  postgres: Awaited<ReturnType<typeof postgresServer>>,
  tables: string,
  options: Partial<PostgresOutletOptions> = {},
) {
  const { url, client } = await postgres.database(t)
  await client.query(tables)
  const outlet = new PostgresOutlet({ url, table: 't', ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  return {
    outlet,
    client,
    url,
    rows: async (sql = 'select * from t') => (await client.query<{ [name: string]: unknown }>(sql)).rows,
    /** First column of what a query gives. */
    column: async (sql: string) => {
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
      return rows.map(([value]) => value)
    },
  }
}

/** Records that a push refuses; none when it takes all. Any other failure is thrown. */
export async function refused(pushing: Promise<void>): Promise<readonly RejectedRecord[]> {
  try {
    await pushing
    return []
  } catch (error) {
    if (!(error instanceof PartialPushError)) throw error
    return error.rejected
  }
}

/** Places of the records that a push refuses. */
export async function refusedPlaces(pushing: Promise<void>): Promise<number[]> {
  return (await refused(pushing)).map(({ index }) => index)
}
