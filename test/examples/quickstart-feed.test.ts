import t from 'tap'
import { Record, type Distinct } from 'databay'
import { newEvents, splitFeatures, type Feature, type FeatureCollection } from '../../examples/quickstart/feed.js'
import { Update } from '../../src/core/update.js'
import { feature } from './features.js'

/** Makes a transfer that is delivered; gives the ids of the events that passed. */
function ids(events: Distinct<Feature>, ...features: Feature[]): string[] {
  const update = new Update([], 0)
  const records = features.map((one) => new Record(one))
  const passed = events.process(records, update)
  events.onTransferEnd(update, true)
  return passed.map(({ payload }) => payload.id)
}

t.test('an event passes when it is seen first, and never again', async (t) => {
  const events = newEvents()
  t.same(ids(events, feature('b'), feature('a')), ['b', 'a'])
  t.same(ids(events, feature('c'), feature('b')), ['c'])
  t.same(ids(events, feature('c'), feature('b'), feature('a')), [])
  t.same(ids(events), [])
})

t.test('an event that is twice in one poll passes once', async (t) => {
  t.same(ids(newEvents(), feature('a'), feature('a')), ['a'])
})

t.test('of a revised event the first version wins', async (t) => {
  const events = newEvents()
  t.same(ids(events, feature('a', { mag: 2, updated: 1 })), ['a'])
  t.same(ids(events, feature('a', { mag: 3, updated: 2 })), [])
})

t.test('an event is known by its id at any network', async (t) => {
  const events = newEvents()
  t.same(ids(events, feature('ci1')), ['ci1'])
  // another network sees it too, and then its id becomes the main one
  t.same(ids(events, feature('ci1', { ids: ',ci1,us2,' })), [])
  t.same(ids(events, feature('us2', { ids: ',us2,' })), [])
})

t.test('memory is bounded, and what the feed still shows is not forgotten', async (t) => {
  const events = newEvents(3)
  ids(events, feature('always'))
  for (let poll = 0; poll < 20; poll++) {
    t.same(ids(events, feature(`new${poll}`), feature('always')), [`new${poll}`])
  }
  t.same(ids(events, feature('new19'), feature('new18')), [])
  t.same(ids(events, feature('new0')), ['new0'], 'long gone, so forgotten')
})

t.test('a poll is split into one record per event, with its metadata', async (t) => {
  const poll = (features: unknown) =>
    new Record({ type: 'FeatureCollection', features } as FeatureCollection, { from: 'test' })
  const split = (records: Record<FeatureCollection>[]) => {
    if (typeof splitFeatures !== 'function') throw new TypeError('expected a function')
    return splitFeatures(records, new Update([], 0))
  }
  const records = await split([poll([feature('a'), feature('b')]), poll([])])
  t.same(
    records.map(({ payload, metadata }) => [payload.id, metadata['from']]),
    [
      ['a', 'test'],
      ['b', 'test'],
    ],
  )
  t.throws(() => split([poll(undefined)]), /no GeoJSON FeatureCollection/)
})
