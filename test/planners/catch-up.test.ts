import t from 'tap'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { LinkSettings } from '../../src/core/link-options.js'
import { Outlet } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import type { TransferReport } from '../../src/core/report.js'
import { missedRun } from '../../src/planners/catch-up.js'
import { timetable } from '../../src/planners/clock/timetable.js'
import type { LateEvent } from '../../src/operate/planner-events.js'
import { withInternals } from '../../src/planners/planner-internals.js'
import type { PlannerOptions } from '../../src/planners/planner-options.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { LedgerReader } from '../../src/store/ledger/ledger-reader.js'
import { LinkStore } from '../../src/store/link-store.js'
import { openStore, ownStore } from '../../src/store/store.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { turnOfTheLoop } from '../helpers/nodes.js'
import fc, { runsOf } from '../helpers/fast-check.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MIDNIGHT = Date.UTC(2026, 0, 1)

class One extends Inlet {
  pull() {
    return 1
  }
}

class Nowhere extends Outlet {
  push() {
    // as said
  }
}

type Settings = Partial<Omit<LinkSettings, 'interval' | 'cron' | 'alignToClock'>> & { readonly cron?: string }

function nightly(settings: Settings = {}): Link {
  const defaults = { id: 'nightly', cron: '0 2 * * *', timeZone: 'UTC', catchUp: true }
  return new Link({ inlets: new One(), outlets: new Nowhere(), ...defaults, ...settings })
}

/** A planner whose process lives from one time to another. */
class Life {
  readonly reports: TransferReport[] = []
  readonly late: LateEvent[] = []
  readonly planner: SchedulePlanner
  readonly clock: FakeClock

  constructor(folder: string | undefined, now: number, link: Link | Link[] = nightly(), options: PlannerOptions = {}) {
    this.clock = new FakeClock(now)
    const store = folder === undefined ? {} : { store: folder }
    this.planner = new SchedulePlanner(link, withInternals({ ...store, ...options }, { clock: this.clock }))
    this.planner.on('transfer', (report) => this.reports.push(report))
    this.planner.on('late', (late) => this.late.push(late))
  }

  async start(): Promise<this> {
    await this.planner.start()
    return this
  }

  /** Due times of the transfers that were made. */
  get made(): number[] {
    return this.reports.map(({ scheduledAt }) => scheduledAt)
  }

  async stop(): Promise<void> {
    await this.planner.shutdown()
  }
}

/** Time of a link that the store has. */
async function lastOf(folder: string, id = 'nightly'): Promise<number | undefined> {
  const store = await openStore(folder)
  const { opened } = await LinkStore.open(store, id)
  store.close()
  return opened.lastScheduledAt
}

async function setLast(folder: string, time: number, id = 'nightly'): Promise<void> {
  const owned = await ownStore(folder)
  await (await LinkStore.open(owned.store, id)).commit({ lastScheduledAt: time })
  owned.release()
}

t.test('a run that was due while the process was down is made at the start, with its due time', async (t) => {
  const folder = t.testdir()
  const first = await new Life(folder, MIDNIGHT).start()
  await first.clock.pass(3 * HOUR)
  t.same(first.made, [MIDNIGHT + 2 * HOUR], 'a new link has missed nothing')
  await first.stop()
  t.equal(await lastOf(folder), MIDNIGHT + 3 * HOUR, 'what was due until the stop was made')
  const second = await new Life(folder, MIDNIGHT + DAY + 5 * HOUR).start()
  t.same(second.made, [MIDNIGHT + DAY + 2 * HOUR])
  t.match(second.late, [{ link: 'nightly', lateness: 3 * HOUR, missed: 0 }])
  await second.clock.pass(DAY)
  t.same(second.made.slice(1), [MIDNIGHT + 2 * DAY + 2 * HOUR], 'it goes on as ever')
  await second.stop()
  const third = await new Life(folder, MIDNIGHT + 2 * DAY + 6 * HOUR).start()
  t.same(third.made, [], 'none was missed')
  await third.stop()
})

t.test('of many missed runs one is made, and the others are counted', async (t) => {
  const folder = t.testdir()
  await setLast(folder, MIDNIGHT - 22 * HOUR)
  const life = await new Life(folder, MIDNIGHT + 4 * DAY + 3 * HOUR).start()
  t.same(life.made, [MIDNIGHT + 2 * HOUR])
  t.match(life.late, [{ missed: 4 }])
  // a crash right after it: neither this one nor the others come again
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(await lastOf(folder), MIDNIGHT + 4 * DAY + 3 * HOUR)
  await life.stop()
})

t.test('a due time is kept as the run begins: a crash in the run does not repeat it at each start', async (t) => {
  const folder = t.testdir()
  const life = await new Life(folder, MIDNIGHT + HOUR).start()
  await life.clock.pass(1.5 * HOUR)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(await lastOf(folder), MIDNIGHT + 2 * HOUR)
  await life.stop()
})

t.test('a run is made up in the time zone of its link, also where clocks change', async (t) => {
  const berlin = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }
  const { schedule } = nightly(berlin)
  // 2:30 is left out on 2026-03-29, and comes at 3:00, which is 1:00 UTC
  const spring = Date.UTC(2026, 2, 29)
  t.match(missedRun(schedule, spring, spring + 0.9 * HOUR), undefined)
  t.match(missedRun(schedule, spring, spring + 5 * HOUR), { scheduledAt: spring + HOUR, missed: 0 })
  // 2:30 comes twice on 2026-10-25, and counts once: at 0:30 UTC
  const autumn = Date.UTC(2026, 9, 25)
  t.match(missedRun(schedule, autumn, autumn + 5 * HOUR), { scheduledAt: autumn + HOUR / 2, missed: 0 })
  t.equal(missedRun(schedule, autumn + HOUR / 2, autumn + 5 * HOUR), undefined)
  const folder = t.testdir()
  await setLast(folder, spring - DAY)
  const life = await new Life(folder, spring + 8 * HOUR, nightly(berlin)).start()
  t.same(life.made, [spring - DAY + 1.5 * HOUR])
  await life.stop()
})

t.test('a clock that was ahead, or is behind, makes no run up', async (t) => {
  const folder = t.testdir()
  await setLast(folder, MIDNIGHT + 30 * DAY)
  const life = await new Life(folder, MIDNIGHT).start()
  t.same(life.made, [])
  await life.clock.pass(3 * HOUR)
  t.same(life.made, [MIDNIGHT + 2 * HOUR])
  await life.stop()
  t.equal(await lastOf(folder), MIDNIGHT + 3 * HOUR, 'the wrong time is forgotten')
})

t.test('a cron expression that was changed while the process was down starts nothing', async (t) => {
  const folder = t.testdir()
  await (await new Life(folder, MIDNIGHT + 9.9 * HOUR).start()).stop()
  const life = await new Life(folder, MIDNIGHT + 10 * HOUR, nightly({ cron: '0 9 * * *' })).start()
  t.same(life.made, [])
  await life.stop()
})

t.test(
  'with immediateTransfer a link makes one run at the start; without the option of the planner the missed one',
  async (t) => {
    const folder = t.testdir()
    for (const [options, settings] of [
      [{}, { immediateTransfer: true }],
      [{ immediateTransfer: false }, {}],
    ] as const) {
      await setLast(folder, MIDNIGHT)
      const life = await new Life(folder, MIDNIGHT + 3 * HOUR, nightly(settings), options).start()
      t.same(life.made, [MIDNIGHT + 2 * HOUR])
      await life.stop()
    }
  },
)

t.test('a link that could not be started makes its missed run when it has', async (t) => {
  const folder = t.testdir()
  await setLast(folder, MIDNIGHT)
  class Late extends One {
    tries = 0
    override onStart() {
      if (this.tries++ === 0) throw new Error('not yet')
    }
  }
  const link = new Link({
    ...{ id: 'nightly', cron: '0 2 * * *', timeZone: 'UTC', catchUp: true, onStartFailure: 'retry' },
    inlets: new Late(),
    outlets: new Nowhere(),
  } as const)
  const life = await new Life(folder, MIDNIGHT + 3 * HOUR, link).start()
  t.same(life.made, [])
  await new Promise((resolve) => life.planner.once('transfer', resolve))
  t.same(life.made, [MIDNIGHT + 2 * HOUR])
  await life.stop()
})

t.test('a link that is added to a running planner makes up for its missed run', async (t) => {
  const folder = t.testdir()
  await setLast(folder, MIDNIGHT)
  const life = await new Life(folder, MIDNIGHT + 3 * HOUR, []).start()
  const made = new Promise((resolve) => life.planner.once('transfer', resolve))
  await life.planner.addLinks(nightly())
  await made
  t.same(life.made, [MIDNIGHT + 2 * HOUR])
  await life.stop()
})

t.test('catchUp needs cron, an id and a store, and is on with delivery', async (t) => {
  const nodes = { inlets: new One(), outlets: new Nowhere() }
  t.throws(() => new Link({ ...nodes, interval: 60, catchUp: true }), {
    code: 'DATABAY_INVALID_OPTION',
    message: 'catchUp: expected false without cron: an interval counts from the start, got true',
  })
  t.throws(() => new Link({ ...nodes, cron: '* * * * *', catchUp: 1 as unknown as boolean }), { message: /^catchUp: / })
  const catchUpOf = (settings: object) => nightly({ catchUp: undefined, ...settings } as object).settings.catchUp
  t.equal(catchUpOf({}), false)
  t.equal(catchUpOf({ delivery: 'cursor' }), true)
  t.equal(catchUpOf({ delivery: 'cursor', catchUp: false }), false)
  await t.rejects(new Life(undefined, MIDNIGHT).start(), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^catchUp: expected false for nightly, or a planner with a store, as in .*, got true$/,
  })
  const { id: _id, ...nameless } = { ...nodes, id: 'x', cron: '0 2 * * *', catchUp: true }
  await t.rejects(new Life(t.testdir(), MIDNIGHT, new Link({ ...nameless, tags: 'night' })).start(), {
    message: /^id: expected a name for night, a link with catchUp/,
  })
  await t.rejects(new Life(t.testdir(), MIDNIGHT, [nightly(), nightly()]).start(), {
    message: /^id: expected a name that/,
  })
})

t.test('the missed run is the first due time that was missed, and the others are counted', async () => {
  const crons = fc.constantFrom('0 2 * * *', '*/7 * * * *', '30 2 29 3 *', '0 0 1 * *', '15,45 1-4 * * 0')
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')
  await fc.assert(
    fc.asyncProperty(crons, zones, fc.nat(300 * 24), fc.nat(60), async (cron, timeZone, start, length) => {
      const { schedule } = nightly({ cron, timeZone })
      const [last, now] = [MIDNIGHT + start * HOUR, MIDNIGHT + (start + length) * HOUR]
      const due: number[] = []
      const times = timetable(schedule)
      for (let at = times.first(last); at <= now; at = times.first(at)) due.push(at)
      const run = missedRun(schedule, last, now)
      if (run?.scheduledAt !== due[0]) throw new Error(`made ${run?.scheduledAt}, not ${due[0]}`)
      if (run !== undefined && run.missed !== due.length - 1) throw new Error(`${run.missed} missed of ${due.length}`)
    }),
    { numRuns: runsOf(100) },
  )
})

t.test('a planner with a store has a ledger of its transfers, with those that drain buffers', async (t) => {
  const folder = t.testdir()
  const life = await new Life(folder, MIDNIGHT + HOUR).start()
  await life.clock.pass(2 * HOUR)
  await life.stop()
  const reader = await LedgerReader.open(folder)
  const { transfers } = reader.transfers({ links: [], failed: false, limit: 9 })
  const [lag] = reader.lag()
  reader.close()
  t.match(transfers, [{ link: 'nightly', kind: 'transfer', pulled: 1, scheduledAt: MIDNIGHT + 2 * HOUR }])
  t.match(lag, { link: 'nightly', planned: { schedule: { cron: '0 2 * * *' } } })
})

t.test('a run that was blocked is made up for when the process ends before it has come through', async (t) => {
  const folder = t.testdir()
  let isDown = true
  const got: unknown[] = []
  class Numbers extends Inlet<number, number> {
    pull(_update: unknown, cursor: Cursor<number>) {
      const next = (cursor.value ?? 0) + 1
      cursor.advance(next)
      return next
    }
  }
  class Shop extends Outlet {
    push(records: Record[]) {
      if (isDown) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
      got.push(...records.map(({ payload }) => payload))
    }
  }
  const link = () =>
    new Link({
      ...{ id: 'nightly', cron: '0 2 * * *', timeZone: 'UTC', delivery: 'cursor' },
      ...{ inlets: new Numbers(), outlets: new Shop() },
    }) as Link
  const first = await new Life(folder, MIDNIGHT, link()).start()
  await first.clock.pass(2 * HOUR + 1)
  for (let turn = 0; turn < 500 && first.planner.counts.blocked === undefined; turn++) await turnOfTheLoop()
  t.match(first.planner.counts, { blocked: 1 })
  await first.stop()
  t.same(got, [])
  isDown = false
  const second = await new Life(folder, MIDNIGHT + 3 * DAY, link()).start()
  for (let turn = 0; turn < 500 && second.made.length === 0; turn++) await turnOfTheLoop()
  t.same(second.made, [MIDNIGHT + 2 * HOUR])
  await second.stop()
  const third = await new Life(folder, MIDNIGHT + 3 * DAY + HOUR, link()).start()
  await third.clock.pass(1)
  t.same([got, third.made], [[1], []], 'and only once')
  await third.stop()
})
