/** What a link is known to do mostly; `undefined` while that is not known. */
export type KnownLane = 'io' | 'cpu' | undefined

/** A link as placement sees it. */
export interface Placeable {
  readonly lane: KnownLane
  /** Index of the thread that hosts it; `undefined` while none does. */
  readonly thread: number | undefined
  /** Whether it may be moved to another thread. */
  readonly movable: boolean
}

/** What share of the threads the links that wait have to themselves, when there are links that compute. */
const IO_SHARE = 4

/**
 * The threads that links of a lane may be in. While only one lane is in use, all; otherwise the first quarter of the
 * threads (one at least) is for what waits, and the rest for what computes. What is not known yet counts as waiting.
 *
 * @returns indices of threads
 */
export function threadsFor(lane: KnownLane, all: readonly Placeable[], threads: number): number[] {
  const computing = all.some((link) => link.lane === 'cpu')
  const waiting = all.some((link) => link.lane !== 'cpu')
  const indices = Array.from({ length: threads }, (_, index) => index)
  if (threads < 2 || !computing || !waiting) return indices
  const forIo = Math.max(1, Math.floor(threads / IO_SHARE))
  return lane === 'cpu' ? indices.slice(forIo) : indices.slice(0, forIo)
}

/** The thread that hosts the fewest links, of those given; the first of several. */
export function leastLoaded(indices: readonly number[], all: readonly Placeable[]): number {
  const loads = new Map(indices.map((index) => [index, 0]))
  for (const { thread } of all) {
    if (thread !== undefined && loads.has(thread)) loads.set(thread, (loads.get(thread) ?? 0) + 1)
  }
  return [...loads].reduce((least, one) => (one[1] < least[1] ? one : least))[0]
}

/**
 * Threads for links that have none yet. Links that share an instance are hosted together.
 *
 * @param groups - indices into `all` of links that must be together; each link without a thread is in one
 * @returns the thread of each group
 */
export function place(groups: readonly (readonly number[])[], all: readonly Placeable[], threads: number): number[] {
  const links = all.map((link) => ({ ...link }))
  return groups.map((group) => {
    const members = group.flatMap((index) => links[index] ?? [])
    const settled = members.find((link) => link.thread !== undefined)?.thread
    const lane = members.some((link) => link.lane === 'cpu') ? 'cpu' : members[0]?.lane
    const thread = settled ?? leastLoaded(threadsFor(lane, links, threads), links)
    for (const link of members) link.thread = thread
    return thread
  })
}

/** A link that is to change its thread. */
export interface Move {
  /** Index of the link. */
  readonly link: number
  /** Index of its new thread. */
  readonly thread: number
}

/** The moves that keep what waits and what computes apart. */
export function separate(all: readonly Placeable[], threads: number): Move[] {
  const links = all.map((link) => ({ ...link }))
  const moves: Move[] = []
  for (const [index, link] of links.entries()) {
    const fitting = threadsFor(link.lane, links, threads)
    if (!link.movable || link.thread === undefined || fitting.includes(link.thread)) continue
    link.thread = leastLoaded(fitting, links)
    moves.push({ link: index, thread: link.thread })
  }
  return moves
}

/** Groups items that have a key in common, directly or through others: the indices of each group, in order. */
export function groupByCommon(keys: readonly (readonly string[])[]): number[][] {
  const groupOf = new Map<string, number[]>()
  const groups = new Set<number[]>()
  for (const [index, own] of keys.entries()) {
    const group = [index]
    const joined = new Set(own.map((key) => groupOf.get(key)).filter((one) => one !== undefined))
    for (const other of joined) {
      group.push(...other)
      groups.delete(other)
    }
    group.sort((a, b) => a - b)
    groups.add(group)
    for (const member of group) for (const key of keys[member] ?? []) groupOf.set(key, group)
  }
  return [...groups].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
}
