import type { Measurement, Ratio, Settings } from './bench.js'
import { median, spread } from './statistics.js'

/** Something to measure: databay or a peer. */
export interface Subject {
  readonly name: string
  /** Units of the figures of a sample, by the figures' names. */
  readonly units: Units
  /** Names of the subjects of the same case to compare with. */
  readonly peers?: readonly string[]
  /** Gets ready. The time for that is not measured. */
  open(): Promise<OpenSubject> | OpenSubject
}

export interface OpenSubject {
  /**
   * Takes one sample of about this many seconds: one number for each of {@link Subject.units}. Rejects when the work was
   * not really done.
   */
  sample(seconds: number): Promise<Figures>
  readonly close?: (() => Promise<void> | void) | undefined
}

export interface Units {
  readonly [figure: string]: string
}

export interface Figures {
  readonly [figure: string]: number
}

/**
 * Measures subjects beside each other. All are opened first, and each takes a sample to warm up. Then they take turns,
 * A B C, C B A, A B C, …, so that other work of the machine hits all of them alike.
 */
export async function compare(name: string, subjects: readonly Subject[], settings: Settings): Promise<Measurement[]> {
  if (!name.includes(settings.only)) return []
  const opened: { readonly subject: Subject; readonly open: OpenSubject; readonly samples: Figures[] }[] = []
  try {
    for (const subject of subjects) opened.push({ subject, open: await subject.open(), samples: [] })
    if (!settings.smoke) for (const { open } of opened) await open.sample(settings.seconds)
    for (let round = 0; round < settings.samples; round++) {
      for (const { subject, open, samples } of round % 2 === 0 ? opened : [...opened].reverse()) {
        samples.push(checked(subject, await open.sample(settings.seconds)))
      }
    }
  } finally {
    for (const { open } of opened) await open.close?.()
  }
  return opened.flatMap(({ subject, samples }) =>
    Object.entries(subject.units).map(([figure, unit]) => {
      const own = samples.map((sample) => sample[figure] ?? Number.NaN)
      const ratios = (subject.peers ?? []).flatMap((peer): Ratio[] => {
        const other = opened.find((one) => one.subject.name === peer)
        if (other === undefined) throw new Error(`${name}: there is no peer '${peer}' of ${subject.name}`)
        if (!(figure in other.subject.units)) return []
        const ratio = median(own.map((value, at) => value / (other.samples[at]?.[figure] ?? Number.NaN)))
        return Number.isFinite(ratio) ? [{ peer, ratio }] : [] // both are 0, or only the peer
      })
      const statistics = { samples: own, median: median(own), spread: spread(own), ratios }
      return { case: name, subject: subject.name, figure, unit, ...statistics }
    }),
  )
}

function checked({ name, units }: Subject, sample: Figures): Figures {
  for (const figure of Object.keys(units)) {
    if (!Number.isFinite(sample[figure])) throw new Error(`${name} did not measure its ${figure}`)
  }
  return sample
}

/**
 * Repeats work until the time is over, and gives how much was done in a second.
 *
 * @param work - does some work, and gives how much
 */
export async function rate(seconds: number, work: () => Promise<number> | number): Promise<number> {
  const from = performance.now()
  const done = await repeat(seconds, work)
  return done / ((performance.now() - from) / 1000)
}

/** Units of the figures of {@link withCost}. */
export const COST_UNITS: Units = { rate: 'a second', cpu: 'us CPU each' }

/**
 * Does work, and gives how much was done in a second, and the CPU time of all threads for each piece. The CPU time says
 * more than the rate when others use the machine too.
 *
 * @param work - does the work, and gives how much was done
 */
export async function withCost(work: () => Promise<number>): Promise<Figures> {
  const before = process.cpuUsage()
  const from = performance.now()
  const done = await work()
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(before)
  return { rate: done / seconds, cpu: (user + system) / done }
}

/**
 * Repeats work until the time is over.
 *
 * @param work - does some work, and gives how much
 * @returns how much was done in all
 */
export async function repeat(seconds: number, work: () => Promise<number> | number): Promise<number> {
  const until = performance.now() + seconds * 1000
  let done = 0
  do done += await work()
  while (performance.now() < until)
  return done
}

/** Throws unless a value is as expected: a figure for work that was not done is worth nothing. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) {
    throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`)
  }
}
