import { join } from 'node:path'
import t from 'tap'
import { MongoInlet } from '../../src/connectors/mongodb/mongo-inlet.js'
import { Link } from '../../src/core/link.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { mongoServer } from '../helpers/mongo.js'
import { KeepOutlet } from '../helpers/nodes.js'

const mongo = await mongoServer(t)

t.test('documents that were delivered are not read again after a restart, also list by list', mongo, async (t) => {
  const folder = t.testdir()
  const { url } = await mongo.proxied(t)
  const { database, db } = await mongo.database(t)
  const things = db.collection('things')
  const add = (from: number, to: number) =>
    things.insertMany(Array.from({ length: to - from }, (_, at) => ({ n: from + at, v: Math.floor((from + at) / 3) })))
  const run = async () => {
    const outlet = new KeepOutlet()
    const inlets = new MongoInlet<{ n: number }>({
      url,
      database,
      collection: 'things',
      cursorField: 'v',
      batchSize: 4,
      limit: 10,
    })
    const settings = { delivery: 'cursor', interval: 3600, immediateTransfer: false } as const
    const link = new Link({ ...settings, id: 'things', inlets, outlets: outlet } as never)
    const planner = new SchedulePlanner(link, { store: join(folder, 'store') })
    await planner.start()
    await planner.forceTransfer()
    await planner.shutdown()
    return outlet.batches
      .flat()
      .map(({ payload }) => (payload as { n: number }).n)
      .sort((a, b) => a - b)
  }
  await add(0, 15)
  t.same(await run(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.same(await run(), [10, 11, 12, 13, 14])
  await add(15, 17)
  t.same(await run(), [15, 16])
})
