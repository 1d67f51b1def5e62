import t, { type Test } from 'tap'
import { FeedServer } from '../../examples/quickstart/feed-server.js'
import { readFeedFile, type FeatureCollection } from '../../examples/quickstart/feed.js'
import { FEED_FILE } from '../../examples/quickstart/paths.js'
import { Replay } from '../../examples/quickstart/replay.js'
import { feature } from './features.js'

/** Events a to k, at the times 0, 100, … 1000. */
const events = Array.from('abcdefghijk', (id, index) => feature(id, { time: index * 100 }))

const show = (replay: Replay, poll: number) =>
  replay
    .at(poll)
    .features.map(({ id }) => id)
    .join('')

t.test('each poll shows the events of a window that moves on, newest first', async (t) => {
  const replay = new Replay(events, { polls: 5, window: 300 })
  t.equal(show(replay, 1), 'cba')
  t.equal(show(replay, 2), 'edc')
  t.equal(show(replay, 4), 'ihg')
  t.equal(show(replay, 5), 'kji')
  t.equal(show(replay, 6), 'kji', 'from then on nothing changes')
  t.equal(replay.at(5).now, 1000)
})

t.test('a window that would leave events out is refused', async (t) => {
  t.throws(() => new Replay(events, { polls: 5, window: 200 }), RangeError)
})

t.test('an empty feed shows nothing', async (t) => {
  t.same(new Replay([]).at(1).features, [])
})

t.test('the recorded feed is shown completely, most events in several polls', async (t) => {
  const { features } = await readFeedFile(FEED_FILE)
  const replay = new Replay(features)
  const seen = new Map<string, number>()
  for (let poll = 1; poll <= replay.polls; poll++) {
    for (const { id } of replay.at(poll).features) seen.set(id, (seen.get(id) ?? 0) + 1)
  }
  t.equal(seen.size, features.length)
  t.ok([...seen.values()].filter((polls) => polls > 1).length > 0.9 * features.length)
})

async function serve(t: Test, parts: string[]) {
  const server = new FeedServer(new Replay(events, { polls: 2, window: 800 }), parts)
  const url = await server.start()
  t.teardown(() => server.close())
  const poll = async (part: string) => {
    const response = await fetch(url.replace('{part}', part))
    return (await response.json()) as FeatureCollection
  }
  const ids = async (part: string) => (await poll(part)).features.map(({ id }) => id).join('')
  return { server, url, poll, ids }
}

t.test('a server shows each part the whole feed, however fast the others poll', async (t) => {
  const { server, ids } = await serve(t, ['east', 'west'])
  t.equal(server.progress, 0)
  t.equal(await ids('east'), 'fedcba')
  t.equal(await ids('east'), 'kjihgfed')
  t.equal(server.progress, 0.5)
  t.equal(await ids('west'), 'fedcba')
  t.equal(server.progress, 0.75)
})

t.test('a server knows when every part was served everything', async (t) => {
  const { server, ids } = await serve(t, ['east', 'west'])
  let exhausted = false
  void server.exhausted.then(() => (exhausted = true))
  for (const part of ['east', 'east', 'east', 'west']) await ids(part)
  t.notOk(exhausted)
  t.equal(await ids('west'), 'kjihgfed')
  await server.exhausted
  t.equal(server.progress, 1)
  t.equal(await ids('west'), 'kjihgfed', 'the feed stays')
})

t.test('a server answers as the live feed does', async (t) => {
  const { poll } = await serve(t, ['east'])
  await poll('east')
  t.same(await poll('east'), {
    type: 'FeatureCollection',
    metadata: { generated: 1000, title: 'USGS All Earthquakes, Past Day (replayed)', count: 8 },
    features: events.slice(3).reverse(),
  })
})

t.test('a server refuses other requests', async (t) => {
  const { server, url } = await serve(t, ['east'])
  const status = async (target: string, init: RequestInit = {}) => (await fetch(target, init)).status
  t.equal(await status(url.replace('{part}', 'north')), 404)
  t.equal(await status(new URL('/', url).href), 404)
  t.equal(await status(url.replace('{part}', 'east'), { method: 'POST' }), 405)
  t.equal(server.progress, 0)
})
