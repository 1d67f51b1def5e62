import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { Outlet } from '../../src/core/outlet.js'
import { InvalidPayloadError, PartialPushError } from '../../src/core/partial-push.js'
import type { Record } from '../../src/core/record.js'
import type { TransferReport } from '../../src/core/report.js'
import type { Update } from '../../src/core/update.js'
import { DurableLinks } from '../../src/delivery/durable-links.js'
import { decodeRecords } from '../../src/store/codec.js'
import { DeadLetters } from '../../src/store/dead-letters.js'
import { ownStore, type Store } from '../../src/store/store.js'
import fc, { runsOf } from '../helpers/fast-check.js'
import { captureLogs } from '../helpers/logs.js'

/** How an outlet refuses records: it names them, it refuses the batch, or its error does not tell. */
type Refusing = 'by name' | 'the batch' | 'unclear'

interface OutletPlan {
  readonly refusing: Refusing
  readonly bad: readonly number[]
  /** Which of its pushes fail as it is down. */
  readonly down: readonly boolean[]
  readonly own: 'nothing' | 'buffer' | 'filter'
}

interface Plan {
  readonly size: number
  readonly lists: number
  readonly streams: 'no' | 'at once' | 'later'
  readonly rounds: 'pulled' | 'whole' | number
  /** Which of its pulls fail: before the first list, or behind it. */
  readonly fails: readonly boolean[]
  readonly buffer: number
  /** Payload on which a processor fails. */
  readonly poison: number
  readonly outlets: readonly OutletPlan[]
}

/** What is the same in all processes that run a link one after the other. */
interface World {
  readonly got: number[][]
  /** Whether what was bad is mended. */
  isMended: boolean
  pushes: number[]
}

const TOTAL = 24

class Source extends Inlet<number, number> {
  readonly #plan: Plan

  constructor(plan: Plan) {
    super()
    this.#plan = plan
  }

  pull(update: Update, cursor: Cursor<number>) {
    const list = () => {
      const from = cursor.value ?? 0
      const to = Math.min(TOTAL, from + this.#plan.size)
      cursor.advance(to)
      return Array.from({ length: to - from }, (_, at) => from + at)
    }
    const { lists, streams, fails } = this.#plan
    const mayFail = () => {
      if (fails[update.transferNumber] === true) throw new Error('the source is down')
    }
    if (streams === 'no') {
      mayFail()
      return list()
    }
    if (streams === 'later') {
      return (async function* () {
        for (let at = 0; at < lists; at++) {
          yield list()
          await Promise.resolve()
          mayFail()
        }
      })()
    }
    return (function* () {
      for (let at = 0; at < lists; at++) {
        yield list()
        mayFail()
      }
    })()
  }
}

class Target extends Outlet<number> {
  readonly #at: number
  readonly #plan: OutletPlan
  readonly #world: World

  constructor(at: number, plan: OutletPlan, world: World) {
    const even = (records: Record<number>[]) => records.filter(({ payload }) => payload % 2 === 0)
    const own = { nothing: [], buffer: [new Buffer({ countThreshold: 5 })], filter: [even] }
    super({ processors: own[plan.own] as never })
    this.#at = at
    this.#plan = plan
    this.#world = world
  }

  override toString() {
    return `target ${this.#at}`
  }

  push(records: Record<number>[]) {
    const { refusing, bad, down } = this.#plan
    const { got, pushes, isMended } = this.#world
    const push = (pushes[this.#at] = (pushes[this.#at] ?? 0) + 1)
    if (down[push] === true) throw Object.assign(new Error('it is down'), { code: 'ECONNREFUSED' })
    const isBad = ({ payload }: Record<number>) => !isMended && bad.includes(payload)
    const names = records.flatMap((record, index) =>
      isBad(record) ? [{ index, error: new InvalidPayloadError('bad') }] : [],
    )
    if (names.length > 0 && refusing === 'the batch') throw new InvalidPayloadError('some are bad')
    if (names.length > 0 && refusing === 'unclear') throw new Error('something is bad')
    for (const record of records) if (!isBad(record)) got[this.#at]?.push(record.payload)
    if (names.length > 0) throw new PartialPushError(String(this), records.length - names.length, names)
  }
}

captureLogs(t)

let links = 0

function linkOf(id: string, plan: Plan, world: World) {
  const failing = (records: Record<number>[]) => {
    if (!world.isMended && records.some(({ payload }) => payload === plan.poison)) throw new Error('poison')
    return records
  }
  return new Link({
    id,
    delivery: 'cursor',
    interval: 3600,
    rounds: plan.rounds,
    inlets: new Source(plan),
    processors: [failing, ...(plan.buffer > 0 ? [new Buffer({ countThreshold: plan.buffer })] : [])] as never,
    outlets: plan.outlets.map((outlet, at) => new Target(at, outlet, world)),
  })
}

/** Opens a link in a store, as a planner does. */
async function open(link: Link<number>, store: Store) {
  await new DurableLinks(store).open(link as never, [])
  await link.onStart()
}

/** Checks that each record of a report is accounted for. */
function checkLaws(report: TransferReport, reports: readonly TransferReport[]): void {
  const before = reports.at(-1)
  // a report has no outlets when nothing came to them
  const outlets = reports.findLast((one) => one.outlets.length > 0)?.outlets
  const { pulled, replayed = 0, added, filtered, dropped, dead = 0, grouped, buffered } = report
  const came = pulled + replayed + added + (before?.buffered ?? 0)
  const went = filtered + dropped + dead + grouped + buffered
  if (came !== went) throw new Error(`${came} records came, ${went} went: ${JSON.stringify(report)}`)
  for (const [at, outlet] of report.outlets.entries()) {
    const last = outlets?.[at]
    const offered = grouped + (outlet.replayed ?? 0) + outlet.added + (last?.waiting ?? 0) + (last?.buffered ?? 0)
    const settled = outlet.pushed + outlet.filtered + outlet.dropped + (outlet.dead ?? 0)
    const left = (outlet.waiting ?? 0) + outlet.buffered
    if (offered !== settled + left) throw new Error(`outlet ${at}: ${offered} offered: ${JSON.stringify(report)}`)
  }
  if (report.failed || report.dropped > 0) throw new Error(`failed: ${JSON.stringify(report)}`)
}

/** Transfers until the source has given all and nothing waits; then drains. */
async function runToEnd(link: Link<number>, check: boolean, most = 300): Promise<TransferReport[]> {
  const reports: TransferReport[] = []
  for (let idle = 0; idle < 2 && reports.length < most;) {
    const report = await link.transfer()
    if (check) checkLaws(report, reports)
    reports.push(report)
    idle = report.pulled === 0 && report.blocked === undefined ? idle + 1 : 0
  }
  while (reports.length < most) {
    const report = await link.drain()
    if (report !== undefined) reports.push(report)
    if (report === undefined && reports.at(-1)?.blocked === undefined) break
    if (reports.at(-1)?.blocked !== undefined) reports.push(await link.transfer())
  }
  return reports
}

const numbers = (most: number) => fc.uniqueArray(fc.nat(TOTAL - 1), { maxLength: most })

const planOf = (refusing: fc.Arbitrary<Refusing>, bad: fc.Arbitrary<number[]>) =>
  fc.record({
    size: fc.integer({ min: 2, max: 7 }),
    lists: fc.integer({ min: 1, max: 4 }),
    streams: fc.constantFrom('no' as const, 'at once' as const, 'later' as const),
    rounds: fc.constantFrom('pulled' as const, 'pulled' as const, 'whole' as const, 3),
    fails: fc.array(fc.boolean(), { maxLength: 6 }),
    buffer: fc.constantFrom(0, 0, 3, 9),
    poison: fc.constantFrom(-1, -1, 5, 17),
    outlets: fc.array(
      fc.record({
        refusing,
        bad,
        down: fc.array(fc.boolean(), { maxLength: 12 }),
        own: fc.constantFrom('nothing' as const, 'nothing' as const, 'buffer' as const, 'filter' as const),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })

/** Dead letters of a link: their payloads, by the outlet, or by `link`. */
function deadOf(store: Store, link: string): Map<string, number[]> {
  const letters = new DeadLetters(store.database)
  const found = new Map<string, number[]>()
  for (const { id, outlet = 'link' } of letters.list({ link })) {
    const body = letters.read(id)?.body
    if (body === undefined) throw new Error(`letter ${id} has no record`)
    const payloads = decodeRecords(body).map(({ payload }) => payload as number)
    found.set(outlet, [...(found.get(outlet) ?? []), ...payloads])
  }
  return found
}

const all = Array.from({ length: TOTAL }, (_, at) => at)
const sorted = (some: readonly number[]) => [...some].sort((a, b) => a - b)

/** Payloads that come to an outlet in the end. */
const wanted = ({ own }: OutletPlan) => (own === 'filter' ? all.filter((one) => one % 2 === 0) : all)

async function checkRun(store: Store, plan: Plan): Promise<void> {
  const id = `link ${++links}`
  const world: World = { got: plan.outlets.map(() => []), isMended: false, pushes: [] }
  const link = linkOf(id, plan, world)
  await open(link, store)
  await runToEnd(link, true)
  const dead = deadOf(store, id)
  const before = new Set(dead.get('link') ?? [])
  for (const [at, outlet] of plan.outlets.entries()) {
    const got = world.got[at] ?? []
    const own = dead.get(`target ${at}`) ?? []
    const expected = wanted(outlet).filter((one) => !before.has(one))
    assert.deepEqual(sorted([...got, ...own]), expected, 'an outlet got each record once, or refused it')
    assert.deepEqual(
      sorted(own),
      expected.filter((one) => outlet.bad.includes(one)),
      'it refused what is bad',
    )
    assert.deepEqual(got, sorted(got), 'in their order')
  }
  assert.equal(before.has(plan.poison), plan.poison >= 0)
  // all is mended and replayed
  world.isMended = true
  const letters = new DeadLetters(store.database)
  await store.write(() =>
    letters.setReplay(
      letters.list({ link: id }).map((one) => one.id),
      true,
    ),
  )
  await runToEnd(link, true)
  for (const [at, outlet] of plan.outlets.entries()) assert.deepEqual(sorted(world.got[at] ?? []), wanted(outlet))
  assert.equal(letters.count({ link: id }), 0, 'no dead letter is left')
  await link.onShutdown()
}

t.test(
  'each outlet gets each record once, in order, or it becomes a dead letter; replays bring the rest',
  async (t) => {
    const { store, release } = await ownStore(join(t.testdir(), 'store'))
    t.teardown(release)
    const plan = planOf(fc.constantFrom('by name', 'the batch'), numbers(4))
    await fc.assert(
      fc.asyncProperty(plan, (one) => checkRun(store, one)),
      { numRuns: runsOf(100) },
    )
  },
)

t.test('one bad record is found where errors do not tell', async (t) => {
  const { store, release } = await ownStore(join(t.testdir(), 'store'))
  t.teardown(release)
  const bad = fc.nat(TOTAL - 1).map((one) => [one])
  const plan = planOf(fc.constant('unclear'), bad).map((one) => ({
    ...one,
    // what is compared with the bad one
    outlets: one.outlets.map((outlet) => ({ ...outlet, own: 'nothing' as const })),
    poison: -1,
    size: 6,
  }))
  await fc.assert(
    fc.asyncProperty(plan, (one) => checkRun(store, one)),
    { numRuns: runsOf(60) },
  )
})

t.test('who is killed at any time has lost nothing', async (t) => {
  const { store, release } = await ownStore(join(t.testdir(), 'store'))
  t.teardown(release)
  const kills = fc.array(fc.nat(5), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(planOf(fc.constantFrom('by name', 'the batch'), numbers(4)), kills, async (plan, some) => {
      const id = `link ${++links}`
      const world: World = { got: plan.outlets.map(() => []), isMended: false, pushes: [] }
      for (const transfers of some) {
        const link = linkOf(id, plan, world)
        await open(link, store)
        for (let at = 0; at < transfers; at++) await link.transfer()
        // nothing of it is closed
      }
      const link = linkOf(id, plan, world)
      await open(link, store)
      await runToEnd(link, false)
      const dead = deadOf(store, id)
      for (const [at, outlet] of plan.outlets.entries()) {
        const settled = new Set([
          ...(world.got[at] ?? []),
          ...(dead.get(`target ${at}`) ?? []),
          ...(dead.get('link') ?? []),
        ])
        assert.deepEqual(
          wanted(outlet).filter((one) => !settled.has(one)),
          [],
          'no record is lost',
        )
      }
      await link.onShutdown()
    }),
    { numRuns: runsOf(60) },
  )
})
