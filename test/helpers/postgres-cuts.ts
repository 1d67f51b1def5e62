import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { PartialPushError } from '../../src/core/partial-push.js'
import { Record } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'
import { PostgresInlet, PostgresOutlet, type PostgresOutletOptions } from '../../src/index.js'
import type { Break, Message } from './frame-proxy.js'
import type { Owner, postgresServer } from './postgres.js'

type Postgres = Awaited<ReturnType<typeof postgresServer>>

const RETRY = { retries: 6, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 50 } }
const ROWS = 60

/** What is done while connections break: gives what is wrong then. */
export interface CutCase {
  readonly name: string
  /** Whether it has hundreds of messages. */
  readonly isLong: boolean
  /** Table, with `TABLE` for its name. */
  readonly table: string
  readonly start: (url: string, table: string, socketTimeout: number) => Promise<Working>
}

/** An inlet or outlet that was started. */
export interface Working {
  /** Does its work once; gives what it says of rows. */
  readonly work: () => Promise<unknown>
  /** Result of the work when nothing breaks. */
  readonly expected: unknown
  /** Rows that the table has then. */
  readonly rows: readonly number[]
  readonly end: () => Promise<void>
}

function outletCase(
  name: string,
  table: string,
  options: Partial<PostgresOutletOptions>,
  bad: readonly number[] = [],
): CutCase {
  const start = async (url: string, table: string, socketTimeout: number): Promise<Working> => {
    const outlet = new PostgresOutlet({
      url,
      table,
      retry: RETRY,
      socketTimeout: { milliseconds: socketTimeout },
      connectTimeout: { milliseconds: 4 * socketTimeout },
      ...options,
    })
    await outlet.onStart()
    const numbers = Array.from({ length: ROWS }, (_, n) => n)
    const records = numbers.map((n) => new Record({ n: bad.includes(n) ? -n : n, s: `text of ${n}` }))
    const work = async () => {
      try {
        await outlet.push(records, new Update(['cuts'], 0))
        return []
      } catch (error) {
        if (!(error instanceof PartialPushError)) throw error
        return error.rejected.map(({ index }) => index)
      }
    }
    return { work, expected: bad, rows: numbers.filter((n) => !bad.includes(n)), end: () => outlet.onShutdown() }
  }
  return { name, isLong: bad.length > 0, table, start }
}

function inletCase(name: string, cursorColumn: 'n' | undefined): CutCase {
  const numbers = Array.from({ length: ROWS }, (_, n) => n)
  const start = async (url: string, table: string, socketTimeout: number): Promise<Working> => {
    const inlet = new PostgresInlet<{ n: number }>({
      url,
      table,
      retry: RETRY,
      batchSize: 20,
      socketTimeout: { milliseconds: socketTimeout },
      connectTimeout: { milliseconds: 4 * socketTimeout },
      ...(cursorColumn !== undefined && { cursorColumn, limit: Infinity }),
    })
    await inlet.onStart()
    let number = 0
    const read = async () => {
      const pulled = await inlet.pull(new Update(['cuts'], number++))
      const found: number[] = []
      for await (const rows of Array.isArray(pulled)
        ? [pulled as { n: number }[]]
        : (pulled as AsyncIterable<{ n: number }[]>)) {
        for (const { n } of rows) found.push(n)
      }
      return found
    }
    const work = async () => {
      try {
        return await read()
      } catch (error) {
        // without a cursor column, a pull ends where its connection does
        if (cursorColumn !== undefined || !/behind which only a cursorColumn/.test(String(error))) throw error
        return read()
      }
    }
    return { work, expected: numbers, rows: numbers, end: () => inlet.onShutdown() }
  }
  const fill = `insert into TABLE select n, 'text of ' || n from generate_series(0, ${ROWS - 1}) n`
  return { name, isLong: true, table: `create table TABLE (n int primary key, s text); ${fill}`, start }
}

const PLAIN = 'create table TABLE (n int check (n >= 0), s text)'
const KEYED = 'create table TABLE (n int primary key check (n >= 0), s text)'

export const CUT_CASES: readonly CutCase[] = [
  outletCase('an insert', PLAIN, {}),
  outletCase('an upsert', KEYED, { mode: 'upsert', keys: ['n'] }),
  outletCase('COPY', PLAIN, { mode: 'copy' }),
  outletCase('COPY with keys', KEYED, { mode: 'copy', keys: ['n'] }),
  outletCase('an insert with bad rows', PLAIN, {}, [7, 40]),
  outletCase('COPY with bad rows', PLAIN, { mode: 'copy' }, [7, 40]),
  inletCase('a pull with a cursor column', 'n'),
  inletCase('a pull without one', undefined),
]

/** Places at which connections break: the numbers of messages, counted from the beginning of the work. */
export interface Cut extends Break {
  readonly at: readonly number[]
}

export interface Outcome {
  /** Messages that were seen in all. */
  readonly messages: readonly Message[]
  /** What is wrong; `undefined` when nothing is. */
  readonly wrong: string | undefined
}

let count = 0

/** Does the work of a case while its connections break. */
async function workWithCut(
  t: Owner,
  postgres: Postgres,
  {
    url,
    pool,
    one,
    cut,
    timeout,
  }: {
    readonly url: string
    readonly pool: pg.Pool
    readonly one: CutCase
    readonly cut: Cut
    readonly timeout: number
  },
): Promise<Outcome> {
  const table = `cut_${count++}`
  await pool.query(one.table.replaceAll('TABLE', table))
  const { url: through, proxy } = await postgres.framed(t, url)
  // nothing breaks yet, but a busy machine may take longer than that
  const working = await one.start(through, table, timeout).catch(() => one.start(through, table, timeout))
  const messages: Message[] = []
  proxy.judge = (message) => {
    messages.push(message)
    return cut.at.includes(messages.length - 1) ? cut : undefined
  }
  const wrong: string[] = []
  try {
    const said = await working.work()
    if (!isDeepStrictEqual(said, working.expected)) wrong.push(`it gave ${JSON.stringify(said)}`)
  } catch (error) {
    wrong.push(`it failed: ${String(error)}`)
  }
  proxy.judge = () => undefined
  const { rows } = await pool.query<{ n: number }>(`select n from ${table} order by n`)
  const numbers = rows.map(({ n }) => n)
  if (!isDeepStrictEqual(numbers, working.rows)) wrong.push(`the table has ${JSON.stringify(numbers)}`)
  await working.end()
  await proxy.close()
  await pool.query(`drop table ${table}`)
  return { messages, wrong: wrong.length === 0 ? undefined : wrong.join('; ') }
}

/** Breaks connections at messages of a case, several at a time; gives what went wrong. */
export async function sweep(
  t: Owner,
  postgres: Postgres,
  one: CutCase,
  kind: Break['kind'],
  { step, offset = 0 }: { readonly step: number; readonly offset?: number },
): Promise<{ readonly messages: number; readonly wrong: readonly string[] }> {
  const { url } = await postgres.database(t)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  // the statement that is running says what is wrong
  pool.on('error', () => undefined)
  t.teardown(() => pool.end())
  const run = (cut: Cut, timeout: number) => workWithCut(t, postgres, { url, pool, one, cut, timeout })
  const whole = await run({ at: [], after: true, kind }, 5000)
  const cuts: Cut[] = []
  for (let place = offset; place < 2 * whole.messages.length; place += step) {
    cuts.push({ at: [place >> 1], after: place % 2 === 1, kind })
  }
  const wrong = whole.wrong === undefined ? [] : [whole.wrong]
  const worker = async () => {
    for (let cut = cuts.shift(); cut !== undefined; cut = cuts.shift()) {
      const { at } = cut
      const outcome = await run(cut, kind === 'hang' ? 500 : 5000)
      if (outcome.wrong === undefined) continue
      const { from, type } = outcome.messages[at[0] ?? 0] ?? {}
      wrong.push(
        `${kind} ${cut.after ? 'after' : 'before'} message ${at.join()}, ${type} of the ${from}: ${outcome.wrong}`,
      )
    }
  }
  await Promise.all(Array.from({ length: kind === 'cut' ? 4 : 8 }, worker))
  return { messages: whole.messages.length, wrong }
}
