import t from 'tap'
import { CsvOutlet, Record } from 'databay'
import type { Feature } from '../../examples/quickstart/feed.js'
import { byFile } from '../../examples/quickstart/by-file.js'
import { rejectionOf, toQuakes } from '../../examples/quickstart/quake.js'
import { Update } from '../../src/core/update.js'
import { feature } from './features.js'

function located(coordinates: unknown): Feature {
  return { ...feature('x'), geometry: { type: 'Point', coordinates } } as Feature
}

t.test('an earthquake of a known magnitude from 0 on is accepted', async (t) => {
  t.equal(rejectionOf(feature('a')), undefined)
  t.equal(rejectionOf(feature('a', { mag: 0 })), undefined)
  t.equal(rejectionOf(feature('a', { mag: -0.1 })), 'negative magnitude')
  t.equal(rejectionOf(feature('a', { mag: null })), 'no magnitude')
  t.equal(rejectionOf(feature('a', { type: 'quarry blast' })), 'not an earthquake')
  t.equal(rejectionOf(located([null, 1, 2])), 'no time or position')
  t.equal(rejectionOf(located([1, 2, null])), undefined)
})

t.test('what is accepted becomes flat, and says which file it goes to', async (t) => {
  if (typeof toQuakes !== 'function') throw new TypeError('expected a function')
  const records = await toQuakes(
    [new Record(feature('a', { place: null })), new Record(feature('b', { mag: -1 })), new Record(feature('c'))],
    new Update([], 0),
  )
  t.same(
    records.map(({ payload, metadata }) => [payload.id, payload.region, metadata[CsvOutlet.CSV_FILE]]),
    [
      ['a', 'Unknown', 'unknown.csv'],
      ['c', 'California', 'california.csv'],
    ],
  )
  t.same(records[1]?.payload, {
    ...{ id: 'c', time: 0, magnitude: 1, latitude: 35, longitude: -120, depth: 5 },
    ...{ place: '1km N of Here, CA', region: 'California' },
  })
})

t.test('records are grouped by file', async (t) => {
  const record = (payload: number, file: string) => new Record(payload, { [CsvOutlet.CSV_FILE]: file })
  const batches = byFile([[record(1, 'a'), record(2, 'b')], [record(3, 'a')]])
  t.same(
    batches.map((batch) => batch.map(({ payload }) => payload)),
    [[1, 3], [2]],
  )
})
