import { counted } from '../../base/counted.js'
import type { Setting } from './settings.js'

/** Rates of a setting in several rounds. */
export interface Trial extends Setting {
  /** For each round, the rate of each link per second: of its records, or of its transfers if it has no records. */
  readonly rates: readonly ReadonlyMap<string, number>[]
}

export interface Recommendation {
  /** Index of the recommended trial. */
  readonly chosen: number
  /** Amount of work that each trial gets done, relative to the first. */
  readonly speedUps: readonly number[]
  /** Reason, in a sentence. */
  readonly reason: string
}

/** Share of the best within which a setting is as good as the best. */
export const TOLERANCE = 0.05

/** Most tolerance, where rounds differ so much from each other that less cannot be told apart. */
export const MOST_TOLERANCE = 0.15

/** Share of its best rate that a link counts with that got nothing done. */
const WORST = 1 / 1000

/**
 * Recommends the smallest setting that gets as much done as the best one: within {@link TOLERANCE}, or within what the rounds
 * leave uncertain when that is more (two standard errors), but {@link MOST_TOLERANCE} at most.
 *
 * Settings are compared within each round, so that the rest of the machine affects all alike. The amount of work is the
 * geometric mean over the links, so that each link counts alike, however many records it makes. Of the rounds, the median
 * counts.
 *
 * @param trials - at least one, the smallest first, with as many rounds each
 * @param cores - number of threads that can compute at once
 */
export function recommend(trials: readonly Trial[], cores: number): Recommendation {
  const scores = scoresOf(trials)
  const medians = scores.map(median)
  const speedUps = medians.map((score) => score / (medians[0] ?? score))
  const most = Math.max(...speedUps)
  const best = scores[speedUps.indexOf(most)] ?? []
  const chosen = speedUps.findIndex((speedUp, at) => speedUp >= most * (1 - toleranceOf(scores[at] ?? [], best)))
  return { chosen, speedUps, reason: reasonFor(trials, speedUps, chosen, cores) }
}

/** Amount of work of each trial in each round, relative to what all do in it. */
function scoresOf(trials: readonly Trial[]): number[][] {
  const rounds = (trials[0]?.rates ?? []).map((_, round) => roundScores(trials.map(({ rates }) => rates[round])))
  return trials.map((_, at) => rounds.map((scores) => scores[at] ?? NaN))
}

/** Two standard errors of the ratio of two trials, within the limits. */
function toleranceOf(scores: readonly number[], others: readonly number[]): number {
  const ratios = scores.map((score, round) => score / (others[round] ?? score))
  const middle = median(ratios)
  const deviation = 1.4826 * median(ratios.map((ratio) => Math.abs(ratio - middle)))
  const error = (1.2533 * deviation) / Math.sqrt(ratios.length) // of a median, where deviations are normal
  return Math.min(MOST_TOLERANCE, Math.max(TOLERANCE, 2 * error))
}

function roundScores(rates: readonly (ReadonlyMap<string, number> | undefined)[]): number[] {
  const links = [...new Set(rates.flatMap((perLink) => [...(perLink?.keys() ?? [])]))]
  const sums = rates.map(() => 0)
  for (const link of links) {
    const ofLink = rates.map((perLink) => perLink?.get(link) ?? 0)
    const most = Math.max(...ofLink)
    if (most === 0) continue
    for (const [at, rate] of ofLink.entries()) sums[at] = (sums[at] ?? 0) + Math.log(Math.max(rate / most, WORST))
  }
  return sums.map((sum) => Math.exp(sum / Math.max(1, links.length)))
}

/** @param values - at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return ((low ?? NaN) + (high ?? NaN)) / 2
}

/** Reason of a recommendation: `2 threads: 1.90 × 1 thread; 4 threads gain nothing more (1.01 ×; 2 cores)`. */
function reasonFor(trials: readonly Trial[], speedUps: readonly number[], chosen: number, cores: number): string {
  const name = namer(trials)
  const names = trials.map(name)
  const own = speedUps[chosen] ?? NaN
  const gain = chosen === 0 ? '' : `: ${own.toFixed(2)} × ${names[0] ?? ''}`
  const start = `${names[chosen] ?? ''}${gain}${chosen === 0 ? ':' : ';'}`
  const more = names.slice(chosen + 1)
  if (more.length === 0) return `${start} more was not tried`
  const most = Math.max(...speedUps.slice(chosen + 1)) / own
  const known = `${more.length > 1 ? 'at most ' : ''}${most.toFixed(2)} ×; ${counted(cores, 'core')}`
  return `${start} ${inWords(more)} ${trials.at(-1)?.threads === 1 ? 'gains' : 'gain'} nothing more (${known})`
}

/** A list in words: `a, b and c`. */
function inWords(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1')
}

/** Names settings by what they differ in. */
export function namer(settings: readonly Setting[]): (setting: Setting) => string {
  const alike = new Set(settings.map(({ transfersPerThread }) => transfersPerThread)).size === 1
  return ({ threads, transfersPerThread }) =>
    `${counted(threads, 'thread')}${alike ? '' : ` of ${counted(transfersPerThread, 'transfer')}`}`
}
