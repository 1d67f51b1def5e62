import { parseArgs } from 'node:util'
import fc from '../helpers/fast-check.js'
import t from 'tap'
import { addAccounts, type OutletAccount } from '../../src/core/link-accounts.js'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import { AccountBoard, type Cell } from '../fixtures/account-board.js'
import { makeLinks, type AccountSpec } from '../fixtures/account-links.js'
import { accountsModule } from '../helpers/accounts.js'
import { captureLogs } from '../helpers/logs.js'

/*
 * Random lives of planners. Whatever happens, every record that was pulled is in the accounts, which say the same as the
 * links have counted themselves. `npm run test:accounts -- --runs 200 --seed 7` has many lives, and repeats them.
 */

const { values: args } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } })

/** Settings of a property: a few runs, or those that the command asks for. */
const options = (runs: number) => ({
  numRuns: args.runs === undefined ? runs : Number(args.runs),
  ...(args.runs !== undefined && { seed: Number(args.seed ?? Date.now() % 1_000_000) }),
  endOnFailure: args.runs === undefined,
})

// what is asked for may take longer than a test file may
const limit = args.runs === undefined ? {} : { timeout: 60_000 + Number(args.runs) * 30_000 }
if (limit.timeout !== undefined) t.setTimeout(2 * limit.timeout)

type Planner = WorkerPlanner | SchedulePlanner

/** What can happen in a life, beside that links transfer. */
type Event =
  | { readonly what: 'transfer' | 'transferSoon' | 'recycle' | 'reload' | 'pause' | 'resume' }
  | { readonly what: 'restart'; readonly drain: boolean; readonly wait: boolean }
  | { readonly what: 'remove' | 'add'; readonly link: number }
  | { readonly what: 'threads'; readonly threads: number }
  | { readonly what: 'fault'; readonly link: number; readonly cell: Cell; readonly times: number }

const link = (at: number): fc.Arbitrary<AccountSpec> =>
  fc.record(
    {
      id: fc.constant(`link${at}`),
      link: fc.constant(at),
      pulls: fc.integer({ min: 0, max: 7 }),
      filters: fc.integer({ min: 0, max: 3 }),
      adds: fc.integer({ min: 0, max: 2 }),
      groups: fc.constantFrom('repeats', 'leaves out'),
      buffer: fc.integer({ min: 1, max: 30 }),
      keeps: fc.boolean(),
      ignoreExceptions: fc.boolean(),
      outlets: fc.array(fc.constantFrom(0, 1, 9, 30), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['id', 'link', 'pulls', 'outlets'] },
  )

const at = fc.integer({ min: 0, max: 1 })
const links = fc
  .tuple(link(0), link(1), fc.boolean())
  .map(([one, two, shares]) => (shares ? [one, { ...two, outlets: one.outlets, shares }] : [one, two]))
const faults = (...cells: Cell[]): fc.Arbitrary<Event> =>
  fc.record({
    what: fc.constant('fault'),
    link: at,
    cell: fc.constantFrom(...cells),
    times: fc.integer({ min: 1, max: 3 }),
  })
const simply = (...whats: ('transfer' | 'transferSoon' | 'recycle' | 'reload' | 'pause' | 'resume')[]) =>
  fc.record({ what: fc.constantFrom(...whats) }) as fc.Arbitrary<Event>
const everywhere: fc.WeightedArbitrary<Event>[] = [
  { weight: 6, arbitrary: simply('transfer', 'transfer', 'transferSoon', 'pause', 'resume') },
  { weight: 2, arbitrary: faults('failPush', 'failProcess') },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('remove', 'add'), link: at }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart'), drain: fc.boolean(), wait: fc.boolean() }) },
]
const inThreads: fc.WeightedArbitrary<Event>[] = [
  { weight: 4, arbitrary: simply('recycle', 'reload') },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('threads'), threads: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 3, arbitrary: faults('failStart', 'failRestore', 'failRestoreInlet') },
  { weight: 1, arbitrary: faults('crash', 'crashAtStart') },
]

/** The accounts of a link: of all times that it was in the planner. */
function accountsOf(planner: Planner, id: string): readonly OutletAccount[] {
  const { links, removed } = planner.stats()
  const all = [...removed, ...links].filter(({ link }) => link === id).map(({ outlets }) => outlets)
  // a link that never got as far as its outlets has one account without a name
  const most = Math.max(0, ...all.map(({ length }) => length))
  const named = all.find((outlets) => outlets.length === most && outlets[0]?.outlet !== '') ?? all.at(-1) ?? []
  return all
    .map((outlets) => named.map((_, at) => outlets[at] ?? outlets[0] ?? NOTHING))
    .reduce<readonly OutletAccount[]>((sum, outlets) => (sum.length === 0 ? outlets : addAccounts(sum, outlets)), [])
}

const NOTHING = { outlet: '', pulled: 0, added: 0, filtered: 0, pushed: 0, dropped: 0, lost: 0, buffered: 0 }

function expectEqual(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, expected ${expected}`)
}

/** Checks the accounts of a planner: in themselves, and against what its links have counted when no thread was lost. */
function check(planner: Planner, specs: readonly AccountSpec[], board: AccountBoard, exact: boolean): void {
  for (const { id, link } of specs) {
    for (const [at, account] of accountsOf(planner, id).entries()) {
      const { pulled, added, filtered, pushed, dropped, lost, buffered } = account
      const what = `${id} ${JSON.stringify(account)}`
      expectEqual(`balance of ${what}`, filtered + pushed + dropped + lost + buffered, pulled + added)
      if ([added, filtered, dropped, lost, buffered].some((count) => count < 0)) throw new Error(what)
      const really = board.read(link, 'pulled')
      const cell = at === 0 ? 'pushed 0' : 'pushed 1'
      // an outlet counts for the link that it was made for
      const isShared = specs.some(({ shares }) => shares === true)
      const taken = board.read(isShared ? 0 : link, cell)
      if (pulled > really || pushed > taken) throw new Error(what)
      if (!exact) continue
      expectEqual(`pulled of ${what}`, pulled, really)
      const all = isShared
        ? specs.reduce((sum, one) => sum + (accountsOf(planner, one.id)[at]?.pushed ?? 0), 0)
        : pushed
      expectEqual(`pushed of ${what}`, all, taken)
      const shaped = board.read(link, 'added') - board.read(link, 'filtered')
      // a live link that starts again finds what it had lost
      if (planner instanceof WorkerPlanner) expectEqual(`added of ${what}`, added - filtered, shaped)
    }
  }
  const lost = specs.map(({ id }) => accountsOf(planner, id).map(({ lost }) => lost))
  const [least, most] = [lost.map((some) => Math.max(0, ...some)), lost.flat()].map((some) =>
    some.reduce((sum, one) => sum + one, 0),
  ) as [number, number]
  const told = planner.counts.lost
  if (told < least || told > most) throw new Error(`${told} were lost, accounts say ${least} to ${most}`)
}

/** Lets a planner live. */
async function live(
  planner: Planner,
  specs: readonly AccountSpec[],
  parts: readonly (URL | PlannedLink)[],
  events: readonly Event[],
  board: AccountBoard,
) {
  const pending: Promise<unknown>[] = []
  let exact = true
  planner.on('threadLost', () => (exact = false))
  planner.finished.catch(() => undefined)
  await planner.start()
  const calm = () => Promise.all(pending.splice(0))
  const happen = async (event: Event): Promise<void> => {
    const workers = planner instanceof WorkerPlanner ? planner : undefined
    switch (event.what) {
      case 'transfer':
        await planner.forceTransfer()
        return
      case 'transferSoon':
        return void pending.push(planner.forceTransfer().catch(() => undefined))
      case 'recycle':
        return workers?.recycle()
      case 'reload':
        return workers?.reload(workers.modules[0] ?? 'none')
      case 'pause':
      case 'resume': {
        planner[event.what]()
        return
      }
      case 'threads':
        return workers?.setThreads(event.threads)
      case 'remove':
        return planner.removeLinks((parts[event.link] ?? parts[0]) as PlannedLink)
      case 'add':
        return planner.addLinks((parts[event.link] ?? parts[0]) as PlannedLink)
      case 'fault': {
        board.order(event.link, event.cell, event.times)
        return
      }
      case 'restart': {
        await planner.shutdown({ drain: event.drain, wait: event.wait }).catch(() => undefined)
        await calm()
        for (const { link } of specs) for (const cell of FAULTS) board.order(link, cell, 0)
        check(planner, specs, board, exact)
        return planner.start()
      }
    }
  }
  try {
    for (const event of events) {
      // what cannot be done now is refused
      await happen(event).catch(() => undefined)
      if (!planner.running) await planner.start().catch(() => undefined)
    }
    await calm()
  } finally {
    await planner.shutdown().catch(() => undefined)
  }
  check(planner, specs, board, exact)
}

const FAULTS = [
  'failStart',
  'failRestore',
  'failRestoreInlet',
  'failPush',
  'failProcess',
  'crash',
  'crashAtStart',
] as const

t.test('property: no record of a planner with threads is unaccounted for', limit, async (t) => {
  captureLogs(t)
  const events = fc.array(fc.oneof(...everywhere, ...inThreads), { minLength: 5, maxLength: 20 })
  const property = fc.asyncProperty(links, events, async (specs, events) => {
    const board = AccountBoard.make(specs.length)
    const modules = specs.some(({ shares }) => shares === true)
      ? [accountsModule(...specs)]
      : specs.map((spec) => accountsModule(spec))
    const planner = new WorkerPlanner(modules, { threads: 1, immediateTransfer: false, ignoreExceptions: true })
    await live(planner, specs, modules, events, board)
  })
  await fc.assert(property, options(4))
})

t.test('property: no record of a planner without threads is unaccounted for', limit, async (t) => {
  captureLogs(t)
  const events = fc.array(fc.oneof(...everywhere), { minLength: 5, maxLength: 40 })
  const property = fc.asyncProperty(links, events, async (specs, events) => {
    const board = AccountBoard.make(specs.length)
    const parts = makeLinks(specs)
    const planner = new SchedulePlanner(parts, { immediateTransfer: false, ignoreExceptions: true })
    await live(planner, specs, parts, events, board)
  })
  await fc.assert(property, options(100))
})
