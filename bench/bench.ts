/** Types that all benches share. */

/** Settings of a run of benches. */
export interface Settings {
  /** Counts of worker threads to measure with, in ascending order. */
  readonly threads: readonly number[]
  /** Approximate length of one sample, in seconds. */
  readonly seconds: number
  /** Number of samples of each figure, which is their median. */
  readonly samples: number
  /** Whether all sizes are as small as possible, only to show that the bench works. */
  readonly smoke: boolean
  /** Text in the names of the cases to measure; empty for all cases. */
  readonly only: string
  /** Size of the files that are copied, in megabytes. */
  readonly size: number
  /** Command of a Python that may have databay 0.3.0. */
  readonly python: string
}

/** A bench: measures databay beside its peers to answer one question. */
export interface Bench {
  /** Name of the bench, as `--only` takes it: that of its file. */
  readonly name: string
  /** Question that the bench answers. */
  readonly question: string
  /** Measures. Rejects when the measured work was not really done. */
  run(settings: Settings): Promise<Measurement[]>
}

/** Samples of one figure of one subject, and what comes of them. */
export interface Measurement {
  /** Circumstances of the measurement: only measurements of the same case can be compared. */
  readonly case: string
  /** Name of what was measured: databay or a peer. */
  readonly subject: string
  /** Name of the measured property, such as `rate` or `p99`. */
  readonly figure: string
  readonly unit: string
  /** Samples, in the order in which they were taken. */
  readonly samples: readonly number[]
  readonly median: number
  /** Median distance of the samples from their median. */
  readonly spread: number
  /** Ratios of the figure to those of the peers. */
  readonly ratios: readonly Ratio[]
}

/** Ratio of a figure to the same figure of a peer. */
export interface Ratio {
  /** Name of the peer: another subject of the same case. */
  readonly peer: string
  /** Median of the ratios of samples that were taken in the same turn. */
  readonly ratio: number
}
