import { CsvOutlet, type Processor } from 'databay'
import type { Feature } from './feed.js'
import { fileOf, regionOf } from './region.js'

/** Accepted event. */
export interface Quake {
  readonly id: string
  /** Time of the event, in milliseconds since 1970. */
  readonly time: number
  readonly magnitude: number
  readonly latitude: number
  readonly longitude: number
  /** Depth, in kilometres. */
  readonly depth: number | null
  readonly place: string
  readonly region: string
}

/** Reason for which an event is not accepted. */
export type Rejection = 'not an earthquake' | 'no magnitude' | 'negative magnitude' | 'no time or position'

/**
 * Judges an event. It is accepted when it is an earthquake with a time, a position, and a known magnitude of at least 0.
 * (Below that, networks report what only the nearest instruments saw.)
 *
 * @returns the reason for which the event is not accepted; `undefined` when it is accepted
 */
export function rejectionOf({ properties, geometry }: Feature): Rejection | undefined {
  if (properties.type !== 'earthquake') return 'not an earthquake'
  if (typeof properties.mag !== 'number' || !Number.isFinite(properties.mag)) return 'no magnitude'
  if (properties.mag < 0) return 'negative magnitude'
  const [longitude, latitude] = geometry.coordinates
  if (![properties.time, longitude, latitude].every(Number.isFinite)) return 'no time or position'
  return undefined
}

/** Processor: keeps the accepted events, each as a flat object, with its file in the metadata. */
export const toQuakes: Processor<Feature, Quake> = (records) =>
  records
    .filter((record) => rejectionOf(record.payload) === undefined)
    .map((record) => {
      const quake = toQuake(record.payload)
      return record.with({ payload: quake, metadata: { [CsvOutlet.CSV_FILE]: fileOf(quake.region) } })
    })

function toQuake({ id, properties, geometry }: Feature): Quake {
  const [longitude, latitude, depth] = geometry.coordinates
  const place = properties.place ?? ''
  return {
    id,
    time: properties.time,
    magnitude: properties.mag ?? 0, // known: it is accepted
    latitude,
    longitude,
    depth,
    place,
    region: regionOf(place),
  }
}
