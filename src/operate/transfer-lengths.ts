/** Upper ends of the buckets of a histogram, in milliseconds. An end belongs to its bucket. */
const ENDS: readonly number[] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000, 60_000, 600_000]

/** Upper ends of the buckets as Prometheus shows them: in seconds, the last bucket without an end. */
export const BUCKET_LABELS: readonly string[] = [...ENDS.map((end) => String(end / 1000)), '+Inf']

/** Lengths of time in the buckets of {@link BUCKET_LABELS}. Each length is in one bucket. */
export class LeCounts {
  readonly counts: number[] = BUCKET_LABELS.map(() => 0)
  /** Sum of the lengths, in milliseconds. */
  sum = 0

  /** Counts a length in milliseconds. Less than 0 counts as 0: clocks are set. */
  record(length: number): void {
    let at = 0
    while (length > (ENDS[at] as number)) at++
    ;(this.counts[at] as number)++
    if (length > 0) this.sum += length
  }

  /** Counts what others have counted. */
  add({ counts, sum }: LeCounts): void {
    for (const [at, count] of counts.entries()) (this.counts[at] as number) += count
    this.sum += sum
  }
}

/** How long transfers took, and how late they began. */
export class TransferLengths {
  readonly duration = new LeCounts()
  readonly lateness = new LeCounts()

  /** Counts a transfer. Both are in milliseconds. */
  record(duration: number, lateness: number): void {
    this.duration.record(duration)
    this.lateness.record(lateness)
  }

  /** Counts what others have counted. */
  add({ duration, lateness }: TransferLengths): void {
    this.duration.add(duration)
    this.lateness.add(lateness)
  }
}
