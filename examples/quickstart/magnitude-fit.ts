import { randomIntegers } from './random.js'

/** Magnitude-frequency relation `log10 N = a - b M` of a set of events. */
export interface MagnitudeFit {
  /** Slope: about 1 nearly everywhere; larger when there are many small events for each large one. */
  readonly b: number
  /** Lower limit of the slope; it lies between this and `high` with 95 % confidence. */
  readonly low: number
  readonly high: number
  /** Magnitude of completeness: from here on, (nearly) all events are recorded. */
  readonly completeness: number
}

/** Width of a magnitude bin. */
const BIN = 0.1
const BINS = 101
const LARGEST = BINS - 1

/** Least number of events that say anything about a slope. */
export const FEWEST_EVENTS = 50

/** Least number of resamples, however little work is allowed. */
const FEWEST_RESAMPLES = 200

export interface FitOptions {
  /**
   * Number of random draws for the uncertainty, whatever the number of events: there are as many resamples as that
   * allows.
   */
  readonly draws: number
  /** Seed of the random numbers. */
  readonly seed: number
}

/**
 * Fits the magnitude-frequency relation to magnitudes of at least 0, of which there must be {@link FEWEST_EVENTS}.
 *
 * - Completeness by maximum curvature, the fullest bin: S. Wiemer, M. Wyss (2000), Minimum magnitude of completeness
 *   in earthquake catalogs, Bull. Seismol. Soc. Am. 90, 859-869
 * - Slope by maximum likelihood: K. Aki (1965), Maximum likelihood estimate of b in the formula log N = a - bM and its
 *   confidence limits, Bull. Earthq. Res. Inst. 43, 237-239; corrected for bins of finite width: T. Utsu (1966), A
 *   statistical significance test of the difference in b-value between two earthquake groups, J. Phys. Earth 14, 37-40
 * - Uncertainty by bootstrap, with completeness found again in each resample: J. Woessner, S. Wiemer (2005), Assessing
 *   the quality of earthquake catalogues, Bull. Seismol. Soc. Am. 95, 684-698
 *
 * @returns `undefined` when there are too few events
 */
export function fitMagnitudes(magnitudes: ArrayLike<number>, options: FitOptions): MagnitudeFit | undefined {
  if (magnitudes.length < FEWEST_EVENTS) return undefined
  const bins = Uint8Array.from(magnitudes, binOf)
  const { b, completeness } = fitBins(histogram(bins))
  const [low, high] = bootstrap(bins, options)
  return { b, low, high, completeness }
}

/** Finds completeness and slope of a histogram of magnitudes. */
export function fitBins(counts: Uint32Array): { readonly b: number; readonly completeness: number } {
  const complete = fullestBin(counts)
  let events = 0
  let above = 0 // sum of how many bins each event is above completeness
  for (let bin = complete; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0
    events += count
    above += count * (bin - complete)
  }
  // log10(e) / (mean - (completeness - BIN / 2))
  return { b: Math.LOG10E / (BIN * (above / events + 0.5)), completeness: complete * BIN }
}

/** Finds the fullest bin. Of several equally full bins it is that of the largest magnitude: the careful choice. */
function fullestBin(counts: Uint32Array): number {
  let fullest = 0
  let most = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0
    if (count > 0 && count >= most) {
      most = count
      fullest = bin
    }
  }
  return fullest
}

/** Percentiles (2.5 % and 97.5 %) of the slope over random resamples of the events. */
function bootstrap(bins: Uint8Array, { draws, seed }: FitOptions): readonly [number, number] {
  // a look at all bins costs about as much as a draw for each of them
  const resamples = Math.max(FEWEST_RESAMPLES, Math.round(draws / (bins.length + BINS)))
  const random = randomIntegers(seed)
  const slopes = new Float64Array(resamples)
  const counts = new Uint32Array(BINS)
  const scale = bins.length / 2 ** 32
  for (let resample = 0; resample < resamples; resample++) {
    counts.fill(0)
    for (let draw = 0; draw < bins.length; draw++) {
      const bin = bins[Math.floor(random() * scale)] ?? 0
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    slopes[resample] = fitBins(counts).b
  }
  slopes.sort()
  return [percentile(slopes, 0.025), percentile(slopes, 0.975)]
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? NaN
}

function binOf(magnitude: number): number {
  return Math.min(LARGEST, Math.max(0, Math.round(magnitude / BIN)))
}

/** Counts the magnitudes in each bin. */
export function histogram(bins: Uint8Array): Uint32Array {
  const counts = new Uint32Array(BINS)
  for (const bin of bins) counts[bin] = (counts[bin] ?? 0) + 1
  return counts
}
