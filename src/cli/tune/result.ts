import { counted } from '../../base/counted.js'
import { failureText } from '../../core/report.js'
import { median, recommend, type Trial } from './recommendation.js'
import type { RoundFigures } from './round.js'
import type { Setting } from './settings.js'

/** Figures of a setting: the medians of its rounds. */
export interface TunedSetting extends Setting {
  readonly recordsPerSecond: number
  readonly transfersPerSecond: number
  /** Amount of work that it gets done, relative to the first setting: see `recommend`. */
  readonly speedUp: number
  /** 99th percentile of the delay of the main thread's event loop, in milliseconds. */
  readonly delay: number
  /** Most memory of the threads, in bytes. */
  readonly memory: number
  /** Most memory of the process, in bytes. */
  readonly processMemory: number
  /** Share of the time in which each thread was busy. */
  readonly utilization: readonly number[]
  /** Records per second in each round. */
  readonly rounds: readonly number[]
}

/** Result of `databay tune`. With `--json`, this is printed. */
export interface TuneResult {
  readonly modules: readonly string[]
  readonly links: number
  readonly cores: number
  readonly node: string
  readonly push: boolean
  /** Time for which each setting was measured in all, in seconds. */
  readonly seconds: number
  readonly rounds: number
  readonly settings: readonly TunedSetting[]
  readonly recommended: Setting
  readonly reason: string
  /** Further remarks. */
  readonly notes: readonly string[]
}

/** Measurements of a setting, round by round. */
export interface Measured extends Setting {
  readonly rounds: readonly RoundFigures[]
}

/** Share of the processor time it had work for below which a process is not alone on its machine. */
const ALONE = 0.85

/** Share of the time below which busy threads have links that mostly wait. */
const WAITING = 0.5

/**
 * Makes the result of measurements.
 *
 * @param room - number of transfers that there can be at once, if more threads were left out for that
 */
export function resultOf(
  measured: readonly Measured[],
  about: Pick<TuneResult, 'modules' | 'cores' | 'node' | 'push' | 'seconds'>,
  room?: number,
): TuneResult {
  const { chosen, speedUps, reason } = recommend(measured.map(trialOf), about.cores)
  const settings = measured.map((one, at) => tuned(one, speedUps[at] ?? NaN))
  const { threads = 1, transfersPerThread = 1 } = settings[chosen] ?? {}
  const notes = [...limits(room), ...failures(measured), ...waiting(settings[chosen]), ...company(measured)]
  return {
    ...about,
    links: linksOf(measured).length,
    rounds: measured[0]?.rounds.length ?? 0,
    settings,
    recommended: { threads, transfersPerThread },
    reason,
    notes,
  }
}

function tuned({ threads, transfersPerThread, rounds }: Measured, speedUp: number): TunedSetting {
  const of = (figure: (round: RoundFigures) => number) => median(rounds.map(figure))
  const records = rounds.map(({ flow, seconds }) => flow.total.records / seconds)
  return {
    threads,
    transfersPerThread,
    recordsPerSecond: median(records),
    transfersPerSecond: of(({ flow, seconds }) => flow.total.transfers / seconds),
    speedUp,
    delay: of(({ delay }) => delay),
    memory: of(({ memory }) => memory),
    processMemory: of(({ processMemory }) => processMemory),
    utilization: Array.from({ length: threads }, (_, thread) => of(({ utilization }) => utilization[thread] ?? 0)),
    rounds: records,
  }
}

/** Rates of a setting. A link counts by its records if it has any. Processor time that others took is counted in. */
function trialOf({ rounds, ...setting }: Measured, _at: number, all: readonly Measured[]): Trial {
  const flows = all.flatMap((one) => one.rounds.map(({ flow }) => flow))
  const hasRecords = new Set(
    linksOf(all).filter((link) => flows.some((flow) => (flow.links.get(link)?.records ?? 0) > 0)),
  )
  const rates = rounds.map(({ flow, seconds, granted }) => {
    const perLink = [...flow.links].map(
      ([link, { records, transfers }]) =>
        [link, (hasRecords.has(link) ? records : transfers) / seconds / granted] as const,
    )
    return new Map(perLink)
  })
  return { ...setting, rates }
}

function linksOf(measured: readonly Measured[]): string[] {
  return [...new Set(measured.flatMap(({ rounds }) => rounds.flatMap(({ flow }) => [...flow.links.keys()])))]
}

function limits(room: number | undefined): string[] {
  return room === undefined
    ? []
    : [`more threads are of no use: the links make ${counted(room, 'transfer')} at once at most`]
}

function failures(measured: readonly Measured[]): string[] {
  const flows = measured.flatMap(({ rounds }) => rounds.map(({ flow }) => flow))
  return linksOf(measured).flatMap((link) => {
    const of = flows.flatMap((flow) => flow.links.get(link) ?? [])
    const failed = of.reduce((sum, one) => sum + one.failed, 0)
    const error = of.find((one) => one.error !== undefined)?.error
    if (error === undefined) return []
    const all = of.reduce((sum, one) => sum + one.all, 0)
    return [`${failed} of ${counted(all, 'transfer')} of ${link} failed: ${failureText(error)}`]
  })
}

function waiting(chosen: TunedSetting | undefined): string[] {
  const busiest = Math.max(0, ...(chosen?.utilization ?? []))
  if (chosen === undefined || busiest >= WAITING) return []
  return [`the links mostly wait: no thread was busy for more than ${Math.round(100 * busiest)} % of the time`]
}

/** Remark that other processes took processor time. */
function company(measured: readonly Measured[]): string[] {
  const granted = Math.min(...measured.map(({ rounds }) => median(rounds.map((round) => round.granted))))
  if (!(granted < ALONE)) return []
  return [
    `the machine was busy with other work, which left as little as ${Math.round(100 * granted)} % of the processor time that there would have been: 'gets done' counts that in, as far as it is known`,
  ]
}
