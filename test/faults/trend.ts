/** Straight line through points, which outliers do not bend. */
export interface Trend {
  /** Rise for each unit of time. */
  readonly slope: number
  /** Lower limit of the slope; it lies between this and `high` with 95 % confidence. */
  readonly low: number
  readonly high: number
}

/** Quantile of 97.5 % of the normal distribution. */
const Z = 1.96

/**
 * Finds the median of the slopes between all pairs of points, and its confidence interval by the distribution of Kendall's
 * tau: P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", Journal of the American Statistical
 * Association 63 (1968), pages 1379–1389. It takes points to be independent: where points follow each other closely, the
 * interval is too narrow.
 *
 * @param times - times of the points, in rising order
 * @returns `undefined` for less than four points
 */
export function theilSen(times: readonly number[], values: readonly number[]): Trend | undefined {
  const n = values.length
  if (n < 4) return undefined
  const slopes: number[] = []
  for (const [j, later] of values.entries()) {
    for (let i = 0; i < j; i++) slopes.push((later - (values[i] ?? 0)) / ((times[j] ?? 0) - (times[i] ?? 0)))
  }
  slopes.sort((a, b) => a - b)
  const width = Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const at = (index: number) => slopes[Math.min(slopes.length - 1, Math.max(0, index))] ?? 0
  return {
    slope: median(slopes),
    low: at(Math.floor((slopes.length - width) / 2)),
    high: at(Math.ceil((slopes.length + width) / 2)),
  }
}

/** Median of values; `NaN` for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** Value that a share of all values does not exceed; `NaN` for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN
}
