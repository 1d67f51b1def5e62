/** What every bench is made of. */

/** How a run of benches was asked for. */
export interface Settings {
  /** Counts of worker threads to measure with, in ascending order. */
  readonly threads: readonly number[]
  /** How long one sample takes, about, in seconds. */
  readonly seconds: number
  /** How many samples each figure is the median of. */
  readonly samples: number
  /** Whether it is only to be seen that the bench works: sizes are to be as small as can be. */
  readonly smoke: boolean
  /** Only cases whose name contains this are measured. */
  readonly only: string
  /** The Python that may have the original, as a command. */
  readonly python: string
}

/** A bench answers one question, beside the peers that it is to be compared with. */
export interface Bench {
  /** Name by which it is chosen, like its file's. */
  readonly name: string
  /** The question that it answers. */
  readonly question: string
  /** Measures. Rejects when the work that was to be measured was not done. */
  run(settings: Settings): Promise<Measurement[]>
}

/** One figure of one subject. */
export interface Measurement {
  /** Under which circumstances: only measurements of one case can be compared. */
  readonly case: string
  /** What was measured. */
  readonly subject: string
  /** What of it, such as `rate` or `p99`. */
  readonly figure: string
  readonly unit: string
  /** In the order in which they were taken. */
  readonly samples: readonly number[]
  readonly median: number
  /** Median of how far the samples are from their median. */
  readonly spread: number
  /** Beside its peers. */
  readonly ratios: readonly Ratio[]
}

/** A figure divided by that of a peer. */
export interface Ratio {
  /** The peer: another subject of the same case. */
  readonly peer: string
  /** Median of the ratios of samples that were taken one after the other. */
  readonly ratio: number
}
