import type { Feature } from '../../examples/quickstart/feed.js'

/** Makes an event of a feed. */
export function feature(id: string, changes: Partial<Feature['properties']> = {}): Feature {
  const properties = {
    mag: 1,
    place: '1km N of Here, CA',
    time: 0,
    updated: 0,
    ids: `,${id},`,
    type: 'earthquake',
    ...changes,
  }
  return { type: 'Feature', id, properties, geometry: { type: 'Point', coordinates: [-120, 35, 5] } }
}
