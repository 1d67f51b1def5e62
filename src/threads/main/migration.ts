import { counted, isOrAre } from '../../base/counted.js'
import { ThreadLostError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import type { HostedLinks } from './hosted-links.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'
import type { LinkMigration, Movable } from './link-migration.js'

/**
 * Moves links that must be together from one thread to another, with the state that their instances hand off.
 *
 * @param mayReturn - whether they stay when they cannot hand off their state, and go back when they cannot be opened in
 * the new thread; `unlessRetried`: but for links that are tried again there. Otherwise, as the old thread ends, they
 * begin without it, and are tried again there
 * @param changed - links whose parts are others in the new thread: their buffers are released before
 * @returns the error when they were not moved; `undefined` when they were
 */
export async function migrate(
  links: readonly Movable[],
  from: Thread,
  to: Thread,
  mayReturn: boolean | 'unlessRetried',
  changed: ReadonlySet<Movable> = new Set(),
): Promise<Error | undefined> {
  const draining = new Set<LinkMigration>()
  const migrations = links.flatMap((link) => {
    const migration = link.startMigration(from)
    if (migration !== undefined && (changed.has(link) || migration.keepsRecords)) draining.add(migration)
    return migration ?? []
  })
  try {
    await Promise.all(migrations.map(({ idle }) => idle))
    const open = migrations.filter(({ isOpen }) => isOpen)
    await Promise.all(open.flatMap((migration) => (draining.has(migration) ? [migration.drain()] : [])))
    const states = await handOff(open, from).catch((thrown: unknown) =>
      withoutState(open, from, thrown, mayReturn !== false),
    )
    const arrivals = migrations.map((migration) => migration.arrive(to, states.get(migration)))
    const results = await Promise.allSettled(arrivals)
    const isTolerated = (at: number) => mayReturn === 'unlessRetried' && migrations[at]?.isRetried === true
    const [failed] = results.filter((result) => result.status === 'rejected')
    if (results.every(({ status }, at) => status === 'fulfilled' || isTolerated(at))) return undefined
    if (mayReturn !== false) {
      const arrived = migrations.filter((_, at) => results[at]?.status === 'fulfilled')
      await goBack(migrations, arrived, states, from, to)
    }
    return toError(failed?.reason)
  } catch (thrown) {
    return toError(thrown)
  } finally {
    for (const migration of migrations) migration.end()
  }
}

/** Number of groups of links that leave a thread at once: so that a slow one does not hold up the others. */
const AT_ONCE = 16

/**
 * Moves all groups of links from a thread that leaves, some at once.
 *
 * @param move - moves a group
 */
export async function migrateAll<G>(groups: readonly G[], move: (group: G) => Promise<unknown>): Promise<void> {
  const left = groups.values()
  const lane = async () => {
    for (const group of left) await move(group)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

/** Has links hand off their state, and closes them. */
async function handOff(migrations: readonly LinkMigration[], from: Thread): Promise<Map<LinkMigration, unknown>> {
  if (migrations.length === 0) return new Map()
  const { states, lost } = await from.call('handOff', { links: migrations.map(({ id }) => id) })
  for (const [at, records] of lost.entries()) if (records !== undefined) migrations[at]?.lose(records)
  return new Map(migrations.map((migration, at) => [migration, states[at]]))
}

/** Has links stay that could not hand off their state, or leave without it. */
async function withoutState(
  migrations: readonly LinkMigration[],
  from: Thread,
  thrown: unknown,
  mayStay: boolean,
): Promise<Map<LinkMigration, unknown>> {
  const lost = thrown instanceof ThreadLostError
  if (mayStay) {
    if (!lost) for (const migration of migrations) migration.stay()
    throw thrown
  }
  const err = toError(thrown)
  const text = `links of thread ${from.number} begin anew, as they could not hand over what they have: ${err.message}`
  if (lost) {
    getLogger('databay.WorkerPlanner').error({ err }, text)
    return new Map()
  }
  await Promise.all(migrations.map((migration) => migration.drain()))
  const sum = migrations.reduce((all, migration) => all + migration.lose(), 0)
  getLogger('databay.WorkerPlanner').error(
    { err },
    sum === 0 ? text : `${text}; ${counted(sum, 'buffered record')} ${isOrAre(sum)} lost`,
  )
  await closeAll(migrations, from)
  return new Map()
}

/** Closes links; a link that fails to shut down is closed as far as it can be. */
async function closeAll(migrations: readonly LinkMigration[], thread: Thread): Promise<void> {
  const results = await Promise.allSettled(migrations.map(({ id }) => thread.close(id)))
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    logFailure('a link failed to shut down to be moved', result.reason)
  }
}

/** Moves links back that could not all be opened in the new thread. */
async function goBack(
  migrations: readonly LinkMigration[],
  arrived: readonly LinkMigration[],
  before: ReadonlyMap<LinkMigration, unknown>,
  from: Thread,
  to: Thread,
): Promise<void> {
  const since = await handOff(arrived, to).catch((thrown: unknown) => withoutState(arrived, to, thrown, false))
  // what one that arrived has gone on with is only what it hands off itself
  const states = new Map([...before].filter(([migration]) => !arrived.includes(migration)))
  for (const [migration, state] of since) states.set(migration, state)
  // a link that cannot be opened there either is tried again, with its state
  await Promise.allSettled(migrations.map((migration) => migration.arrive(from, states.get(migration))))
}

/**
 * Has a stateless link hosted by a further thread. When it cannot be opened there, it goes on in the `threads` that
 * host it already; when none does, it is tried again when it is next due.
 */
export async function replicate(
  link: ThreadLink,
  thread: Thread,
  hosted: Pick<HostedLinks, 'nextId'>,
  threads: readonly Thread[],
): Promise<void> {
  const anyway = !link.threads.some((one) => threads.includes(one))
  try {
    await link.replicateTo(thread, hosted.nextId(), anyway)
  } catch (thrown) {
    logFailure(`${link.name} could not be opened in thread ${thread.number} too`, thrown)
  }
}

/** Has a thread that leaves host a stateless link no more. */
export async function removeReplica(link: ThreadLink, thread: Thread): Promise<void> {
  try {
    await link.removeReplicaFrom(thread)
  } catch (thrown) {
    logFailure(`${link.name} failed to shut down in thread ${thread.number}, which leaves`, thrown)
  }
}

function logFailure(what: string, thrown: unknown): void {
  const err = toError(thrown)
  getLogger('databay.WorkerPlanner').error({ err }, `${what}: ${err.message}`)
}
