import t from 'tap'
import { distance, nearestPredecessors, type Shock } from '../../examples/quickstart/nearest.js'

const YEAR = 365.25 * 24 * 3_600_000

function shock(id: string, changes: Partial<Shock> = {}): Shock {
  return { id, time: 0, magnitude: 0, latitude: 0, longitude: 0, ...changes }
}

const near = (a: number | undefined, b: number) => a !== undefined && Math.abs(a - b) < 1e-3

t.test('a degree of the equator is 111.195 km, and half of it 20,015 km', async (t) => {
  t.ok(near(distance({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 1 }), 111.1949))
  t.ok(near(distance({ latitude: 0, longitude: -90 }, { latitude: 0, longitude: 90 }), 20_015.0868))
  t.ok(near(distance({ latitude: 10, longitude: 179.5 }, { latitude: 10, longitude: -179.5 }), 109.5055))
})

t.test('the distance is t * r^1.6 * 10^-m', async (t) => {
  const event = shock('now', { time: YEAR })
  const [neighbour] = nearestPredecessors(event, [shock('before', { longitude: 1, magnitude: 3 })], 1)
  // log10(1) + 1.6 * log10(111.195) - 3
  t.ok(near(neighbour?.logEta, 0.2737), `${neighbour?.logEta}`)
  t.ok(near(neighbour?.years, 1))
  t.ok(near(neighbour?.kilometres, 111.1949))
})

t.test('events at one spot are as far apart as they can be located', async (t) => {
  const [neighbour] = nearestPredecessors(shock('now', { time: YEAR }), [shock('before')], 1)
  t.ok(near(neighbour?.logEta, -1.6))
  t.equal(neighbour?.kilometres, 0)
})

t.test('only earlier events count', async (t) => {
  const event = shock('now', { time: 1000 })
  const catalogue = [event, shock('same time', { time: 1000 }), shock('later', { time: 1001 }), shock('before')]
  t.same(
    nearestPredecessors(event, catalogue, 5).map(({ id }) => id),
    ['before'],
  )
  t.same(nearestPredecessors(event, [], 5), [])
})

t.test('the nearest come first: close by, soon after, and after a strong event', async (t) => {
  const event = shock('now', { time: YEAR })
  const catalogue = [
    shock('far', { longitude: 30 }),
    shock('strong', { longitude: 10, magnitude: 5 }),
    shock('close', { longitude: 1 }),
    shock('just before', { longitude: 1, time: 0.9 * YEAR }),
  ]
  const ids = (k: number) => nearestPredecessors(event, catalogue, k).map(({ id }) => id)
  t.same(ids(9), ['strong', 'just before', 'close', 'far'])
  t.same(ids(2), ['strong', 'just before'])
  t.same(ids(1), ['strong'])
})
