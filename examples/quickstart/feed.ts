import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Processor } from 'databay'

/** One event of a USGS feed: what this example needs of it. Whatever comes from a server may be missing. */
export interface Feature {
  readonly type: 'Feature'
  readonly id: string
  readonly properties: {
    readonly mag: number | null
    readonly place: string | null
    /** When it happened, in milliseconds since 1970. */
    readonly time: number
    /** When its entry was last revised. */
    readonly updated: number
    /** The ids of this event at all networks that saw it, like `,ci37868143,us1000abcd,`. */
    readonly ids: string
    /** `earthquake`, `explosion`, `quarry blast`, … */
    readonly type: string
  }
  /** Longitude and latitude in degrees, depth in kilometres. */
  readonly geometry: {
    readonly type: 'Point'
    readonly coordinates: readonly [number, number, number | null]
  }
}

/** A feed as the USGS serves it: https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php */
export interface FeatureCollection {
  readonly type: 'FeatureCollection'
  readonly metadata: { readonly generated: number; readonly title: string; readonly count: number }
  /** The events, newest first. */
  readonly features: readonly Feature[]
}

/** One record per poll becomes one record per event. */
export const splitFeatures: Processor<FeatureCollection, Feature> = (records) =>
  records.flatMap((record) => {
    const features: unknown = record.payload.features
    if (!Array.isArray(features)) throw new TypeError('the feed gave no GeoJSON FeatureCollection')
    return (features as Feature[]).map((feature) => record.with({ payload: feature }))
  })

/** Reads a feed from a gzipped file. */
export async function readFeedFile(file: string): Promise<FeatureCollection> {
  const json = await promisify(gunzip)(await readFile(file))
  return JSON.parse(json.toString('utf8')) as FeatureCollection
}
