/**
 * Makes earthquakes.json.gz, as data/README.md describes:
 *
 *     node dist/examples/quickstart/data/extract.js <earthquakes.json>
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Feature, FeatureCollection } from '../feed.js'
import { FEED_FILE } from '../paths.js'

const [source] = process.argv.slice(2)
if (source === undefined) {
  console.error('expected one argument: the path of earthquakes.json')
  process.exit(2)
}
const feed = JSON.parse(readFileSync(source, 'utf8')) as FeatureCollection
const features = feed.features.map(({ type, id, properties, geometry }): Feature => {
  const { mag, place, time, updated, ids, type: kind } = properties
  return { type, id, properties: { mag, place, time, updated, ids, type: kind }, geometry }
})
const extract: FeatureCollection = { type: feed.type, metadata: feed.metadata, features }
const compressed = gzipSync(JSON.stringify(extract), { level: 9 })
writeFileSync(FEED_FILE, compressed)
console.log(`${features.length} events, ${compressed.length} bytes: ${FEED_FILE}`)
