import { setTimeout as delay } from 'node:timers/promises'

/** Number of resources of each kind that keep the process up: timers, sockets, and so on. */
export type Resources = ReadonlyMap<string, number>

/** Counts the resources that are open now. */
export function openResources(): Resources {
  const kinds = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  return kinds
}

/**
 * Waits until no more resources are open than before, as closing takes a moment. Gives the kinds of which more are
 * still open.
 */
export async function awaitClosed(before: Resources, limit: number): Promise<string[]> {
  const left = () => [...openResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0))
  const end = performance.now() + limit
  while (left().length > 0 && performance.now() < end) await delay(5)
  return left().map(([kind]) => kind)
}
