import { ThreadLostError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import type { Residents } from './hosted-links.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'
import type { Departure, Movable } from './departure.js'

/**
 * Moves links that must be together from one thread to another, with what their instances hand over.
 *
 * @param mayReturn - whether they stay when they cannot hand over what they have, and go back when they cannot be opened in
 * the new thread. Otherwise, as the old thread ends, they begin anew, and are tried again there when they are next due
 * @returns why they were not moved; `undefined` when they were
 */
export async function relocate(
  links: readonly Movable[],
  from: Thread,
  to: Thread,
  mayReturn: boolean,
): Promise<Error | undefined> {
  const departures = links.flatMap((link) => link.depart(from) ?? [])
  try {
    await Promise.all(departures.map(({ idle }) => idle))
    const open = departures.filter((departure) => departure.open)
    const states = await handOver(open, from).catch((thrown: unknown) => withoutState(open, from, thrown, mayReturn))
    const arrivals = departures.map((departure) => departure.arrive(to, states.get(departure)))
    const results = await Promise.allSettled(arrivals)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return undefined
    if (mayReturn) {
      const arrived = departures.filter((_, at) => results[at]?.status === 'fulfilled')
      await goBack(departures, arrived, states, from, to)
    }
    return toError(failed.reason)
  } catch (thrown) {
    return toError(thrown)
  } finally {
    for (const departure of departures) departure.end()
  }
}

async function handOver(departures: readonly Departure[], from: Thread): Promise<Map<Departure, unknown>> {
  if (departures.length === 0) return new Map()
  const { states } = await from.call('handOver', { links: departures.map(({ id }) => id) })
  return new Map(departures.map((departure, at) => [departure, states[at]]))
}

/** They could not hand over what they have: they stay, or leave without it. */
async function withoutState(
  departures: readonly Departure[],
  from: Thread,
  thrown: unknown,
  mayStay: boolean,
): Promise<Map<Departure, unknown>> {
  const lost = thrown instanceof ThreadLostError
  if (mayStay) {
    if (!lost) for (const departure of departures) departure.stay()
    throw thrown
  }
  const err = toError(thrown)
  const text = `links of thread ${from.number} begin anew, as they could not hand over what they have: ${err.message}`
  if (lost) {
    getLogger('databay.WorkerPlanner').error({ err }, text)
    return new Map()
  }
  const records = await Promise.all(departures.map((departure) => departure.giveUp()))
  const sum = records.reduce((all, one) => all + one, 0)
  getLogger('databay.WorkerPlanner').error({ err }, sum === 0 ? text : `${text}; ${sum} buffered records are lost`)
  await closeAll(departures, from)
  return new Map()
}

/** What fails to shut down is closed as far as it can be. */
async function closeAll(departures: readonly Departure[], thread: Thread): Promise<void> {
  const results = await Promise.allSettled(departures.map(({ id }) => thread.close(id)))
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    logFailure('a link failed to shut down to be moved', result.reason)
  }
}

async function goBack(
  departures: readonly Departure[],
  arrived: readonly Departure[],
  before: ReadonlyMap<Departure, unknown>,
  from: Thread,
  to: Thread,
): Promise<void> {
  const since = await handOver(arrived, to).catch((thrown: unknown) => withoutState(arrived, to, thrown, false))
  const states = new Map([...before, ...since])
  // one that cannot be opened there either is tried again, with its state
  await Promise.allSettled(departures.map((departure) => departure.arrive(from, states.get(departure))))
}

/**
 * Has a stateless link hosted by a further thread. When it cannot be opened there, it goes on in the `threads` that host it
 * already; when none does, it is tried again when it is next due.
 */
export async function spread(
  link: ThreadLink,
  thread: Thread,
  residents: Pick<Residents, 'nextId'>,
  threads: readonly Thread[],
): Promise<void> {
  const anyway = !link.threads.some((one) => threads.includes(one))
  try {
    await link.spreadTo(thread, residents.nextId(), anyway)
  } catch (thrown) {
    logFailure(`${link.name} could not be opened in thread ${thread.number} too`, thrown)
  }
}

/** Has a stateless link hosted no more by a thread that leaves. */
export async function withdraw(link: ThreadLink, thread: Thread): Promise<void> {
  try {
    await link.withdrawFrom(thread)
  } catch (thrown) {
    logFailure(`${link.name} failed to shut down in thread ${thread.number}, which leaves`, thrown)
  }
}

function logFailure(what: string, thrown: unknown): void {
  const err = toError(thrown)
  getLogger('databay.WorkerPlanner').error({ err }, `${what}: ${err.message}`)
}
