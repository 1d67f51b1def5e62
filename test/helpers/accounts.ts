import type { Test } from 'tap'
import type { OutletAccount } from '../../src/core/link-accounts.js'
import type { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import { AccountBoard } from '../fixtures/account-board.js'
import type { AccountSpec } from '../fixtures/account-links.js'
import { captureLogs } from './logs.js'
import { fixture } from './threads.js'

/** A link whose buffer holds all that it pulls. */
export const HELD: AccountSpec = { id: 'held', link: 0, pulls: 20, buffer: 1000, outlets: [0] }

/** URL of a module with links whose records are counted. */
export function accountsModule(...specs: AccountSpec[]): URL {
  const url = fixture('account-links.ts')
  url.searchParams.set('links', JSON.stringify(specs))
  return url
}

/** Starts a planner of one thread, whose links have made one transfer. */
export function started(t: Test, ...specs: AccountSpec[]) {
  return startedWith(t, specs.length, accountsModule(...specs))
}

/**
 * Starts a planner of one thread, or of other options, whose links have made one transfer.
 *
 * @param links - number of links on the board
 */
export async function startedWith(t: Test, links: number, modules: URL | URL[], options: WorkerPlannerOptions = {}) {
  const logs = captureLogs(t)
  const board = AccountBoard.make(links)
  const planner = new WorkerPlanner(modules, {
    threads: 1,
    immediateTransfer: false,
    ignoreExceptions: true,
    startTimeout: { seconds: 5 },
    ...options,
  })
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  planner.finished.catch(() => undefined)
  await planner.start()
  await planner.forceTransfer()
  const lostLines = () => logs.entries().flatMap(({ msg }) => (/ records\b.* lost/.test(msg) ? [msg] : []))
  return { planner, board, logs, lostLines }
}

/** Accounts of a link, or of the only one, which is in the planner or has left it. */
export function accountsOf(planner: WorkerPlanner | SchedulePlanner, id?: string): readonly OutletAccount[] {
  const { links, removed } = planner.stats()
  return [...links, ...removed].find(({ link }) => id === undefined || link === id)?.outlets ?? []
}

/** Account of no records. */
export const NO_RECORDS = { pulled: 0, added: 0, filtered: 0, pushed: 0, dropped: 0, lost: 0, buffered: 0 }
