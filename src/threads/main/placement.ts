/** What a link mostly does, wait or compute; `undefined` while that is not known. */
export type KnownLane = 'io' | 'cpu' | undefined

/** A link as placement sees it. */
export interface Placeable {
  readonly lane: KnownLane
  /** Index of the thread that hosts it; `undefined` while none does. */
  readonly thread: number | undefined
  /** Whether it may be moved to another thread. */
  readonly movable: boolean
}

/** One of so many threads is for links that wait, when there are links that compute. */
const IO_SHARE = 4

/**
 * Gives the threads that links of a lane may be in. While only one lane is in use, these are all; otherwise the first
 * quarter of the threads (one at least) is for links that wait, and the rest for links that compute. A link whose lane
 * is not known counts as waiting.
 *
 * @returns a function from a lane to indices of threads
 */
export function threadsFor(all: readonly Placeable[], threads: number): (lane: KnownLane) => readonly number[] {
  const computing = all.some((link) => link.lane === 'cpu')
  const waiting = all.some((link) => link.lane !== 'cpu')
  const indices = Array.from({ length: threads }, (_, index) => index)
  if (threads < 2 || !computing || !waiting) return () => indices
  const forIo = Math.max(1, Math.floor(threads / IO_SHARE))
  const [io, cpu] = [indices.slice(0, forIo), indices.slice(forIo)]
  return (lane) => (lane === 'cpu' ? cpu : io)
}

/** Number of links that each thread hosts. */
function loadsOf(all: readonly Placeable[], threads: number): number[] {
  const loads = new Array<number>(threads).fill(0)
  for (const { thread } of all) if (thread !== undefined) loads[thread] = (loads[thread] ?? 0) + 1
  return loads
}

/** Takes a place for some links in the thread that hosts the fewest of them, the first of several. */
function take(indices: readonly number[], loads: number[], links: number): number {
  const least = indices.reduce((best, index) => ((loads[index] ?? 0) < (loads[best] ?? 0) ? index : best))
  loads[least] = (loads[least] ?? 0) + links
  return least
}

/**
 * Chooses threads for links that have none yet. Links that share an instance are hosted together.
 *
 * @param groups - indices into `all` of links that must be together; each link without a thread is in one group
 * @returns the thread of each group
 */
export function place(groups: readonly (readonly number[])[], all: readonly Placeable[], threads: number): number[] {
  const fitting = threadsFor(all, threads)
  const loads = loadsOf(all, threads)
  return groups.map((group) => {
    const members = group.map((index) => all[index] as Placeable)
    const settled = members.find((link) => link.thread !== undefined)?.thread
    if (settled !== undefined) return take([settled], loads, members.filter((link) => link.thread === undefined).length)
    const lane = members.some((link) => link.lane === 'cpu') ? 'cpu' : 'io'
    return take(fitting(lane), loads, members.length)
  })
}

/** A link that is to change its thread. */
export interface Move {
  /** Index of the link. */
  readonly link: number
  /** Index of its new thread. */
  readonly thread: number
}

/** Chooses moves after which links that wait and links that compute are in different threads. */
export function separate(all: readonly Placeable[], threads: number): Move[] {
  const fitting = threadsFor(all, threads)
  const loads = loadsOf(all, threads)
  return all.flatMap(({ lane, thread, movable }, link) => {
    const allowed = fitting(lane)
    if (!movable || thread === undefined || allowed.includes(thread)) return []
    loads[thread] = (loads[thread] ?? 0) - 1
    return [{ link, thread: take(allowed, loads, 1) }]
  })
}

/** Links that must be together, as balancing sees them. */
export interface Load {
  readonly lane: KnownLane
  /** Index of the thread that hosts them. */
  readonly thread: number
  readonly movable: boolean
  /** Share of a thread's time that they took. */
  readonly share: number
}

/** Share of the mean load by which two threads may differ without links being moved. */
const TOLERANCE = 0.1

/**
 * Chooses moves that make busy threads less busy: the links that take the most time first, each to the least busy
 * thread if that stays less busy than the one it leaves.
 *
 * @returns the moves; their `link` is an index into `groups`
 */
export function balance(groups: readonly Load[], threads: number): Move[] {
  const fitting = threadsFor(groups, threads)
  const loads = new Array<number>(threads).fill(0)
  for (const { thread, share } of groups) loads[thread] = (loads[thread] ?? 0) + share
  const mean = loads.reduce((sum, load) => sum + load, 0) / threads
  const order = groups.map((group, link) => ({ ...group, link })).filter(({ movable }) => movable)
  order.sort((a, b) => b.share - a.share)
  return order.flatMap(({ link, lane, thread: from, share }) => {
    const others = fitting(lane).filter((thread) => thread !== from)
    if (others.length === 0) return []
    const to = others.reduce((least, one) => ((loads[one] ?? 0) < (loads[least] ?? 0) ? one : least))
    const [before, there] = [loads[from] ?? 0, loads[to] ?? 0]
    if (there + share >= before || before - there <= TOLERANCE * mean) return []
    loads[from] = before - share
    loads[to] = there + share
    return [{ link, thread: to }]
  })
}

/** Groups items that have a key in common, directly or through others. Gives the indices of each group, in order. */
export function groupByCommon(keys: readonly (readonly unknown[])[]): number[][] {
  const firstWith = new Map<unknown, number>()
  /** An earlier item of the same group, or the item itself, which is then the first of its group. */
  const earlier: number[] = []
  const firstOf = (index: number): number => {
    let at = index
    // each step halves the way for those that come later
    for (let next = earlier[at] as number; next !== at; next = earlier[at] as number) {
      earlier[at] = earlier[next] as number
      at = next
    }
    return at
  }
  for (const [index, own] of keys.entries()) {
    earlier.push(index)
    for (const key of own) {
      const other = firstWith.get(key)
      if (other === undefined) {
        firstWith.set(key, index)
        continue
      }
      const [one, two] = [firstOf(other), firstOf(index)]
      earlier[Math.max(one, two)] = Math.min(one, two)
    }
  }
  const groups = new Map<number, number[]>()
  for (const index of earlier.keys()) {
    const first = firstOf(index)
    if (first === index) groups.set(index, [index])
    else groups.get(first)?.push(index)
  }
  return [...groups.values()]
}
