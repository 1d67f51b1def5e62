import type { Opening } from './journal.js'

/** What came of the records of a source at one outlet. */
export interface Verdict {
  /** Records that the outlet took, each once, and those that are dead letters. */
  readonly records: number
  /** Records that are dead letters. */
  readonly dead: number
  /** Records that it never had. */
  readonly lost: number
  /** Records that came after later ones, for a reason other than a kill. */
  readonly outOfOrder: number
  /** Records that it has taken before, in all. */
  readonly double: number
  /** Most of them after one kill. */
  readonly mostDouble: number
  /** Records that it took twice in one opening of its link. */
  readonly repeated: number
  /** What is wrong, in sentences: the first of each kind. */
  readonly examples: readonly string[]
}

/**
 * Judges a journal: each record up to an end was taken, or is a dead letter; in each opening of the link they come in order;
 * and none that comes for the first time comes after a later one.
 *
 * @param dead - numbers of the records that are dead letters
 */
export function judge(openings: readonly Opening[], dead: ReadonlySet<number>, end: number): Verdict {
  const taken = new Set<number>()
  const examples: string[] = []
  let [outOfOrder, double, mostDouble, repeated] = [0, 0, 0, 0]
  let most = -1
  for (const { name, numbers } of openings) {
    const inThis = new Set<number>()
    let [again, last] = [0, -1]
    for (const number of numbers) {
      if (inThis.has(number)) {
        if (repeated++ === 0) examples.push(`${number} came twice in opening ${name}`)
      } else if (number < last || (number < most && !taken.has(number))) {
        if (outOfOrder++ === 0) examples.push(`${number} came after ${Math.max(last, most)} in opening ${name}`)
      }
      if (taken.has(number) && !inThis.has(number)) again++
      last = number
      most = Math.max(most, number)
      taken.add(number)
      inThis.add(number)
    }
    double += again
    mostDouble = Math.max(mostDouble, again)
  }
  const lost: number[] = []
  for (let number = 0; number < end; number++) if (!taken.has(number) && !dead.has(number)) lost.push(number)
  if (lost.length > 0) examples.push(`${rangesOf(lost)} never came${around(lost[0] ?? 0, openings)}`)
  const records = new Set([...taken, ...dead]).size
  return { records, dead: dead.size, lost: lost.length, outOfOrder, double, mostDouble, repeated, examples }
}

/** Highest number in a journal, or -1. */
export function lastOf(openings: readonly Opening[]): number {
  return openings.reduce((most, { numbers }) => numbers.reduce((one, other) => Math.max(one, other), most), -1)
}

function rangesOf(numbers: readonly number[]): string {
  const first = numbers[0] ?? 0
  const upTo = numbers.findIndex((number, at) => number !== first + at)
  const end = upTo === -1 ? numbers.length : upTo
  const rest = numbers.length - end
  return `${first}${end > 1 ? ` to ${first + end - 1}` : ''}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** Where a number is missing. */
function around(number: number, openings: readonly Opening[]): string {
  const next = openings.find(({ numbers }) => numbers.some((one) => one > number))
  return next === undefined ? '' : `; opening ${next.name} went on behind`
}
