import t from 'tap'
import { Record } from 'databay'
import { Analysis, COLUMNS } from '../../examples/quickstart/analysis.js'
import { FEWEST_EVENTS } from '../../examples/quickstart/magnitude-fit.js'
import type { Quake } from '../../examples/quickstart/quake.js'

const HOUR = 3_600_000

function quake(id: string, changes: Partial<Quake> = {}): Record<Quake> {
  return new Record({
    ...{ id, time: 0, magnitude: 1, latitude: 35, longitude: -120, depth: 5, place: '', region: 'California' },
    ...changes,
  })
}

const isCalifornia = ({ payload }: Record<Quake>) => payload.region === 'California'

t.test('new events come out oldest first, with what came before them', async (t) => {
  const analysis = new Analysis({ isOwn: isCalifornia, draws: 1 })
  const rows = analysis.process([quake('c', { time: 2 * HOUR }), quake('b', { time: HOUR, latitude: 36 }), quake('a')])
  t.same(
    rows.map(({ payload }) => [payload.id, payload.predecessors, payload.nearest_hours]),
    [
      ['a', '', null],
      ['b', 'a', 1],
      ['c', 'a b', 2],
    ],
  )
  t.equal(rows[1]?.payload.nearest_km, 111.195)
  t.equal(rows[1]?.payload.time, '1970-01-01T01:00:00.000Z')
  t.equal(rows[1]?.payload.b, null)
})

t.test('predecessors come from earlier polls and from other parts too', async (t) => {
  const analysis = new Analysis({ isOwn: isCalifornia, draws: 1 })
  t.same(analysis.process([quake('other', { region: 'Nevada' })]), [])
  const rows = analysis.process([quake('own', { time: HOUR })])
  t.same(
    rows.map(({ payload }) => [payload.id, payload.predecessors]),
    [['own', 'other']],
  )
})

t.test('records keep their metadata, and rows have the columns of the file', async (t) => {
  const analysis = new Analysis({ isOwn: () => true, draws: 1 })
  const [row] = analysis.process([quake('a').with({ metadata: { file: 'x' } })])
  t.equal(row?.metadata['file'], 'x')
  t.same(Object.keys(row?.payload ?? {}), COLUMNS)
})

t.test('magnitudes are fitted when there are enough events of the part', async (t) => {
  const analysis = new Analysis({ isOwn: isCalifornia, draws: 1000 })
  const some = (count: number, region: string, from: number) =>
    Array.from({ length: count }, (_, i) =>
      quake(`${region}${from + i}`, { region, time: from + i, magnitude: (i % 7) / 5 }),
    )
  t.equal(analysis.process([...some(FEWEST_EVENTS, 'Nevada', 0), ...some(1, 'California', 0)])[0]?.payload.b, null)
  const rows = analysis.process(some(FEWEST_EVENTS, 'California', 1000))
  t.ok(rows.every(({ payload: { b, b_low, b_high } }) => b_low! <= b! && b! <= b_high!))
})

t.test('memory is bounded', async (t) => {
  const analysis = new Analysis({ isOwn: () => true, draws: 1, catalogueSize: 2, neighbours: 9 })
  analysis.process([quake('a'), quake('b', { time: 1 }), quake('c', { time: 2 })])
  const [row] = analysis.process([quake('d', { time: 3 })])
  t.equal(row?.payload.predecessors, 'c', 'of the latest two, the one before')
})

t.test('the same events give the same rows', async (t) => {
  const run = () => {
    const analysis = new Analysis({ isOwn: () => true, draws: 1e4 })
    const events = Array.from({ length: 60 }, (_, i) => quake(`${i}`, { time: i, magnitude: (i % 9) / 4 }))
    return analysis.process(events).map(({ payload }) => payload)
  }
  t.same(run(), run())
})

t.test('an event that comes again, as it could not be written, counts once', async (t) => {
  const analysis = new Analysis({ isOwn: () => true, draws: 1e4 })
  const events = Array.from({ length: 60 }, (_, i) => quake(`${i}`, { time: i, magnitude: (i % 9) / 4 }))
  const row = (records: Record<Quake>[]) => analysis.process(records).at(-1)?.payload
  const [first, again] = [row(events), row(events)]
  t.equal(again?.predecessors, first?.predecessors)
  t.equal(again?.completeness, first?.completeness)
  const predecessors = row([quake('last', { time: 61 })])?.predecessors.split(' ')
  t.equal(new Set(predecessors).size, 3)
})
