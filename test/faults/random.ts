/** Stream of numbers from 0 to below 1, the same for the same seed. */
export type Random = () => number

/** Generator mulberry32 (32 bits of state), https://gist.github.com/tommyettinger/46a874533244883189143505d203312c. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws a seed, for runs without a given one. */
export function anySeed(): number {
  return Math.floor(Math.random() * 1_000_000)
}

/** Draws a whole number of at least 0 and below `end`. */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

/** Draws an item of a list. */
export function pick<T>(random: Random, list: readonly [T, ...T[]]): T
export function pick<T>(random: Random, list: readonly T[]): T | undefined
export function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[below(random, list.length)]
}

/** Makes a function that gives the items of a list in random order, each once, and then begins again. */
export function bag<T>(random: Random, list: readonly [T, ...T[]]): () => T {
  let rest: T[] = []
  return () => {
    if (rest.length === 0) rest = [...list]
    const [taken = list[0]] = rest.splice(below(random, rest.length), 1)
    return taken
  }
}
