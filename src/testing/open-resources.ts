import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Does some work, and waits until it has left nothing open, as closing takes a moment. Gives the kinds of resources that
 * keep the process up and are still open: timers, sockets, and so on.
 *
 * Timers are known one by one, by the work that has started them: test runners have timers of their own that end at any
 * time, so that their number tells nothing.
 *
 * @param limit - how long it waits, in milliseconds
 */
export async function leftOpen(work: () => Promise<void>, limit: number): Promise<string[]> {
  const before = countResources()
  const inside = new AsyncLocalStorage<true>()
  const timers = new Map<number, { readonly kind: string; readonly timer: NodeJS.Timeout }>()
  const hook = createHook({
    init(id, kind, _trigger, timer) {
      if (isTimer(kind) && inside.getStore()) timers.set(id, { kind, timer: timer as NodeJS.Timeout })
    },
    destroy: (id) => void timers.delete(id),
  }).enable()
  const left = () => {
    const others = [...countResources()].filter(([kind, count]) => !isTimer(kind) && count > (before.get(kind) ?? 0))
    const running = [...timers.values()].filter(({ timer }) => timer.hasRef())
    return [...new Set([...others.map(([kind]) => kind), ...running.map(({ kind }) => kind)])]
  }
  try {
    await inside.run(true, work)
    const end = performance.now() + limit
    while (left().length > 0 && performance.now() < end) await delay(5)
    return left()
  } finally {
    hook.disable()
    inside.disable()
  }
}

function isTimer(kind: string): boolean {
  return kind === 'Timeout' || kind === 'Immediate'
}

/** Number of resources of each kind that keep the process up now. */
function countResources(): ReadonlyMap<string, number> {
  const kinds = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  return kinds
}
