import type { Record, StatefulProcessor } from 'databay'
import { fitMagnitudes, type MagnitudeFit } from './magnitude-fit.js'
import { nearestPredecessors, type Neighbour } from './nearest.js'
import type { Quake } from './quake.js'

/** Analysed event: one row of a CSV file, in this order of columns. */
export interface AnalysedQuake {
  readonly id: string
  /** Time of the event, as ISO 8601. */
  readonly time: string
  readonly magnitude: number
  readonly latitude: number
  readonly longitude: number
  readonly depth_km: number | null
  readonly place: string
  readonly region: string
  /** Ids of the nearest predecessors, the nearest first, with spaces between. */
  readonly predecessors: string
  /** Decimal logarithm of the distance to the nearest predecessor; `nearest_km` and `nearest_hours` are its parts. */
  readonly log_eta: number | null
  readonly nearest_km: number | null
  readonly nearest_hours: number | null
  /** Slope of the magnitude-frequency relation of the part when the event arrived, with its 95 % interval. */
  readonly b: number | null
  readonly b_low: number | null
  readonly b_high: number | null
  readonly completeness: number | null
}

export const COLUMNS = [
  ...['id', 'time', 'magnitude', 'latitude', 'longitude', 'depth_km', 'place', 'region'],
  ...['predecessors', 'log_eta', 'nearest_km', 'nearest_hours', 'b', 'b_low', 'b_high', 'completeness'],
] as readonly (keyof AnalysedQuake)[]

export interface AnalysisOptions {
  /** Tells the events that this analysis gives. It takes in all events, as predecessors may be anywhere. */
  readonly isOwn: (record: Record<Quake>) => boolean
  /** Number of random draws of a fit: see {@link fitMagnitudes}. */
  readonly draws: number
  /**
   * Number of nearest predecessors to give.
   * @default 3
   */
  readonly neighbours?: number
  /**
   * Number of latest events that may be predecessors.
   * @default 5000
   */
  readonly catalogueSize?: number
  /**
   * Number of latest own events that are fitted.
   * @default 500
   */
  readonly windowSize?: number
}

const HOURS_PER_YEAR = 365.25 * 24

/** CPU-heavy step: finds the predecessors of each new event, and fits the magnitudes of the latest events. */
export class Analysis implements StatefulProcessor<Quake, AnalysedQuake> {
  readonly #options: Required<AnalysisOptions>
  // by id, as an event comes again when it could not be written
  readonly #catalogue = new Map<string, Quake>()
  readonly #magnitudes = new Map<string, number>()
  #fits = 0

  constructor(options: AnalysisOptions) {
    this.#options = { neighbours: 3, catalogueSize: 5000, windowSize: 500, ...options }
  }

  /** Analyses new events, which may come in any order; gives them oldest first. */
  process(records: Record<Quake>[]): Record<AnalysedQuake>[] {
    const { isOwn, neighbours, catalogueSize, windowSize } = this.#options
    const oldestFirst = [...records].sort((a, b) => a.payload.time - b.payload.time)
    for (const { payload } of oldestFirst) this.#catalogue.set(payload.id, payload)
    keepLast(this.#catalogue, catalogueSize)

    const own = oldestFirst.filter(isOwn)
    if (own.length === 0) return []
    for (const { payload } of own) this.#magnitudes.set(payload.id, payload.magnitude)
    keepLast(this.#magnitudes, windowSize)
    const fit = fitMagnitudes([...this.#magnitudes.values()], { draws: this.#options.draws, seed: this.#fits++ })

    return own.map((record) => {
      const nearest = nearestPredecessors(record.payload, this.#catalogue.values(), neighbours)
      return record.with({ payload: toRow(record.payload, nearest, fit) })
    })
  }
}

function keepLast(events: Map<string, unknown>, count: number): void {
  for (const id of events.keys()) {
    if (events.size <= count) return
    events.delete(id)
  }
}

function toRow(quake: Quake, neighbours: readonly Neighbour[], fit: MagnitudeFit | undefined): AnalysedQuake {
  const [nearest] = neighbours
  return {
    id: quake.id,
    time: new Date(quake.time).toISOString(),
    magnitude: quake.magnitude,
    latitude: quake.latitude,
    longitude: quake.longitude,
    depth_km: quake.depth,
    place: quake.place,
    region: quake.region,
    predecessors: neighbours.map(({ id }) => id).join(' '),
    log_eta: rounded(nearest?.logEta),
    nearest_km: rounded(nearest?.kilometres),
    nearest_hours: rounded(nearest && nearest.years * HOURS_PER_YEAR),
    b: rounded(fit?.b),
    b_low: rounded(fit?.low),
    b_high: rounded(fit?.high),
    completeness: rounded(fit?.completeness),
  }
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000
}
