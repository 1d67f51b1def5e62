import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Distinct, type Processor } from 'databay'

/** Event of a USGS feed, as far as this example needs it. Whatever comes from a server may be missing. */
export interface Feature {
  readonly type: 'Feature'
  readonly id: string
  readonly properties: {
    readonly mag: number | null
    readonly place: string | null
    /** Time of the event, in milliseconds since 1970. */
    readonly time: number
    /** Time of the last revision of the entry, in milliseconds since 1970. */
    readonly updated: number
    /** Ids of this event at all networks that saw it, like `,ci37868143,us1000abcd,`. */
    readonly ids: string
    /** Kind of the event: `earthquake`, `explosion`, `quarry blast`, … */
    readonly type: string
  }
  /** Place of the event: longitude and latitude in degrees, depth in kilometres. */
  readonly geometry: {
    readonly type: 'Point'
    readonly coordinates: readonly [number, number, number | null]
  }
}

/** Feed as the USGS serves it: https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php */
export interface FeatureCollection {
  readonly type: 'FeatureCollection'
  readonly metadata: { readonly generated: number; readonly title: string; readonly count: number }
  /** Events, newest first. */
  readonly features: readonly Feature[]
}

/** Processor: makes one record for each event of a poll. */
export const splitFeatures: Processor<FeatureCollection, Feature> = (records) =>
  records.flatMap((record) => {
    const features: unknown = record.payload.features
    if (!Array.isArray(features)) throw new TypeError('the feed gave no GeoJSON FeatureCollection')
    return (features as Feature[]).map((feature) => record.with({ payload: feature }))
  })

/**
 * Makes a processor that lets pass what was not written yet.
 *
 * A feed is a window over the most recent events, so each poll repeats most of the one before. Three things can happen to
 * an event while it is in the window, and none of them makes it a new event:
 * - it is repeated as it was;
 * - it is revised (same id, later `updated`): **the first version wins**, as rows of a CSV file are not taken back;
 * - another network's id becomes its main one: it is known by any of its `ids`.
 *
 * An event whose file could not be written comes again with the next poll.
 *
 * @param capacity - number of ids to remember: more than a poll shows
 */
export function newEvents(capacity = 50_000): Distinct<Feature> {
  return new Distinct<Feature>({ by: 'id', aliases: idsAtNetworks, capacity })
}

function idsAtNetworks({ properties: { ids } }: Feature): string[] {
  return typeof ids === 'string' ? ids.split(',').filter((id) => id !== '') : []
}

/** Reads a feed from a gzipped file. */
export async function readFeedFile(file: string): Promise<FeatureCollection> {
  const json = await promisify(gunzip)(await readFile(file))
  return JSON.parse(json.toString('utf8')) as FeatureCollection
}
