/** Batches of any good and bad rows, over connections that break: what is stored and what is refused is what a plain list says. */
import t from 'tap'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { PostgresOutlet, type PostgresOutletOptions } from '../../../src/index.js'
import fc, { runsOf } from '../../helpers/fast-check.js'
import { captureLogs } from '../../helpers/logs.js'
import { postgresServer } from '../../helpers/postgres.js'
import { refusedPlaces } from '../../helpers/postgres-outlets.js'
import type { Fate } from '../../helpers/tcp-proxy.js'

const postgres = await postgresServer(t)
const { skip } = postgres

/** Row of the table, whose check refuses an `a` of 50 or more. */
interface Row {
  id: number
  a?: number | null
  b?: string | null
}

const row = fc.record(
  {
    id: fc.integer({ min: 0, max: 9 }),
    a: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 53 }) }, fc.constant(null)),
    b: fc.oneof({ weight: 8, arbitrary: fc.string() }, fc.constant(null), fc.constant('a\0b'), fc.constant('\ud800')),
  },
  { requiredKeys: ['id'] },
)
const fate: fc.Arbitrary<Fate> = fc.constantFrom('pass', 'pass', 'pass', 'cut', 'swallow reply')
const plan = fc.record({
  batches: fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
  fates: fc.array(fate, { maxLength: 4 }),
})
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never

const isText = (text: string | null | undefined) => !text?.includes('\0') && text?.isWellFormed() !== false
const canBeText = ({ b }: Row) => isText(b)
const fits = ({ a }: Row) => (a ?? 0) < 50
const full = ({ id, a, b }: Row) => JSON.stringify([id, a === undefined ? 7 : a, b ?? null])

/** Places of the records that are refused, and the rows by their key after them: later ones over earlier ones. */
function upserted(stored: Map<number, Row>, batch: readonly Row[]): number[] {
  const refused = batch.flatMap((one, at) => (canBeText(one) ? [] : [at]))
  for (const id of new Set(batch.map((one) => one.id))) {
    const places = batch.flatMap((one, at) => (one.id === id && canBeText(one) ? [at] : []))
    if (places.length === 0) continue
    const store = (one: Row) => stored.set(id, { ...stored.get(id), ...one })
    const merged = Object.assign({}, ...places.map((at) => batch[at])) as Row
    if (fits(merged)) store(merged)
    else {
      for (const at of places) {
        const one = batch[at] as Row
        if (fits(one)) store(one)
        else refused.push(at)
      }
    }
  }
  return refused.toSorted((a, b) => a - b)
}

/** The same, with earlier rows before later ones. */
function inserted(stored: Map<number, Row>, batch: readonly Row[]): number[] {
  const refused = batch.flatMap((one, at) => (canBeText(one) ? [] : [at]))
  for (const id of new Set(batch.map((one) => one.id))) {
    const places = batch.flatMap((one, at) => (one.id === id && canBeText(one) ? [at] : []))
    const [first] = places
    if (first === undefined) continue
    const tried = fits(batch[first] as Row) ? [first] : places
    for (const at of tried) {
      const one = batch[at] as Row
      if (!fits(one)) refused.push(at)
      else if (!stored.has(id)) stored.set(id, one)
    }
  }
  return refused.toSorted((a, b) => a - b)
}

t.test('the outcome is that of a plain list', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { url: direct, client } = await postgres.database(t)
  await client.query('create table t (id int unique, a int default 7 check (a < 50), b text)')
  const { url, proxy } = await postgres.proxied(t, direct)
  const retry = { retries: 9, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 2 } }
  const stored = async () => {
    const { rows } = await client.query<{ row: string }>(
      'select json_build_array(id, a, b)::text as row from t order by id',
    )
    return rows.map(({ row }) => JSON.stringify(JSON.parse(row)))
  }
  const check = async (
    options: Partial<PostgresOutletOptions>,
    judge: (outlet: PostgresOutlet, plan: Plan) => Promise<void>,
  ) => {
    const outlet = new PostgresOutlet({ url, table: 't', retry, ...options })
    await outlet.onStart()
    const property = fc.asyncProperty(plan, async (one) => {
      await client.query('truncate t')
      const left = [...one.fates]
      proxy.judge = (piece) => (piece.includes('commit\0') ? (left.shift() ?? 'pass') : 'pass')
      await judge(outlet, one)
    })
    try {
      await fc.assert(property, { numRuns: runsOf(100) })
    } finally {
      await outlet.onShutdown()
    }
  }
  const update = new Update(['to_postgres'], 0)
  const toRecords = (batch: readonly Row[]) => batch.map((payload) => new Record(payload))

  const models: readonly [Partial<PostgresOutletOptions>, typeof upserted][] = [
    [{ mode: 'upsert', keys: ['id'] }, upserted],
    [{ mode: 'copy', keys: ['id'] }, upserted],
    [{ mode: 'insert', keys: ['id'] }, inserted],
  ]
  for (const [options, model] of models) {
    await check(options, async (outlet, { batches }) => {
      const expected = new Map<number, Row>()
      for (const batch of batches) {
        const refused = model(expected, batch)
        t.same(await refusedPlaces(outlet.push(toRecords(batch), update)), refused)
        t.same(await stored(), [...expected.values()].toSorted((a, b) => a.id - b.id).map(full))
      }
    })
  }
  for (const mode of ['insert', 'copy'] as const) {
    await check({ mode }, async (outlet, { batches }) => {
      const taken: Row[] = []
      for (const batch of batches) {
        const before = new Set(taken.map(({ id }) => id))
        const refused = await refusedPlaces(outlet.push(toRecords(batch), update))
        const good = batch.filter((one) => canBeText(one) && fits(one) && !before.has(one.id))
        const now = batch.filter((_, at) => !refused.includes(at))
        // of good rows of one id any may be the first, as rows are grouped by their fields
        t.ok(now.every((one) => good.includes(one)))
        t.same(now.map(({ id }) => id).toSorted(), [...new Set(good.map(({ id }) => id))].toSorted())
        taken.push(...now)
        t.same(await stored(), taken.toSorted((a, b) => a.id - b.id).map(full))
      }
    })
  }
})
