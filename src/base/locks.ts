import { setTimeout as delay } from 'node:timers/promises'
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads'

/*
 * Locks by name that hold in the main thread, in the threads of its planners, and in the Workers that it starts after
 * its first lock or planner. What one of those Workers holds when it ends is not freed. Names share a fixed number of
 * slots: two that fall into the same slot wait for each other without need, and nothing else. So whoever holds a lock
 * must not take another.
 *
 *   slots:    0 when free, else the id of the thread that holds it, plus one
 *   waiting:  0 when nobody waits, else the id of the thread, plus one, that found the slot taken last: when it gets it,
 *             others that wait are heard of as soon as they find it taken again
 */
const SLOTS = 1024

/** Under which a thread finds the memory that the thread that made it has left for it. */
const KEY = 'databay.locks'

/** How long to wait before looking again, in milliseconds, should nobody tell that a lock is free. */
const LOOK_AGAIN = 1000

/** How long a thread lets others have a lock that they wait for, in milliseconds: a moment is enough to wake up. */
const GIVE_WAY = 1

/** What was begun last with each slot in this thread, while there is something. */
const turns = new Map<number, Promise<unknown>>()

let table: { readonly slots: Int32Array; readonly waiting: Int32Array } | undefined

/** The memory of the locks. Threads that are started later share it; so it has to be made before they are. */
export function shareLocks() {
  if (table === undefined) {
    const left = getEnvironmentData(KEY)
    const memory = left instanceof SharedArrayBuffer ? left : new SharedArrayBuffer(SLOTS * 8)
    if (memory !== left) setEnvironmentData(KEY, memory)
    table = { slots: new Int32Array(memory, 0, SLOTS), waiting: new Int32Array(memory, SLOTS * 4, SLOTS) }
  }
  return table
}

/**
 * Does work while no other thread, and nothing else in this one, holds the lock of that name. In one thread, it goes
 * by the order of the calls.
 *
 * @param name - of any kind, such as the real path of a file
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const slot = slotOf(name)
  const result = (turns.get(slot) ?? Promise.resolve()).then(async () => {
    await acquire(slot)
    try {
      return await work()
    } finally {
      release(slot)
    }
  })
  const turn = result.catch(() => undefined).then(() => giveWay(slot))
  turns.set(slot, turn)
  // eslint-disable-next-line @typescript-eslint/no-floating-promises -- it never rejects
  turn.then(() => {
    if (turns.get(slot) === turn) turns.delete(slot)
  })
  return result
}

/**
 * Frees what a thread held when it ended, and forgets that it waited.
 *
 * @param thread - the `threadId` that it had
 */
export function freeLocksOf(thread: number): void {
  const { slots, waiting } = shareLocks()
  for (let slot = 0; slot < SLOTS; slot++) {
    // whoever else waits says so again before it goes back to sleep
    Atomics.compareExchange(waiting, slot, thread + 1, 0)
    if (Atomics.compareExchange(slots, slot, thread + 1, 0) === thread + 1) Atomics.notify(slots, slot)
  }
}

async function acquire(slot: number): Promise<void> {
  const { slots, waiting } = shareLocks()
  const me = threadId + 1
  const take = () => Atomics.compareExchange(slots, slot, 0, me)
  let holder = take()
  if (holder === 0) return
  // waiting for another thread does not keep this one alive by itself
  const alive = setInterval(() => undefined, LOOK_AGAIN)
  try {
    for (; holder !== 0; holder = take()) {
      Atomics.store(waiting, slot, me)
      const wait = Atomics.waitAsync(slots, slot, holder, LOOK_AGAIN)
      if (wait.async) await wait.value
    }
  } finally {
    clearInterval(alive)
    Atomics.compareExchange(waiting, slot, me, 0)
  }
}

function release(slot: number): void {
  const { slots } = shareLocks()
  Atomics.store(slots, slot, 0)
  Atomics.notify(slots, slot, 1)
}

/** Lets another thread have its turn: one that is awake already would take the lock again before those that sleep. */
async function giveWay(slot: number): Promise<void> {
  if (Atomics.load(shareLocks().waiting, slot) !== 0) await delay(GIVE_WAY)
}

/** The slot of a name: its hash by FNV-1a (32 bits), http://www.isthe.com/chongo/tech/comp/fnv/. */
function slotOf(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % SLOTS
}
