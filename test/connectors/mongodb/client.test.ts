import t from 'tap'
import { MongoConnection } from '../../../src/connectors/mongodb/client.js'
import { MONGO_CONNECTION_OPTIONS, resolveConnection } from '../../../src/connectors/mongodb/connection-options.js'
import { resolveOptions } from '../../../src/base/options.js'
import { mongoServer } from '../../helpers/mongo.js'
import { deferred } from '../../helpers/nodes.js'

const mongo = await mongoServer(t)
const { skip } = mongo

t.test('closing waits for work that was cancelled and goes on, for a second at most', { skip }, async (t) => {
  const { url, database } = await mongo.database(t)
  for (const ends of [true, false]) {
    const connection = new MongoConnection(
      'Test',
      resolveConnection('Test', resolveOptions('Test', { url }, MONGO_CONNECTION_OPTIONS)),
    )
    await connection.open(database)
    const gate = deferred()
    const stop = new AbortController()
    const used = connection.use(() => connection.interruptible(stop.signal, gate.promise))
    stop.abort(new Error('stop'))
    await t.rejects(used, { message: 'stop' })
    const steps: string[] = []
    const began = performance.now()
    const closed = connection.close().then(() => steps.push('closed'))
    if (ends) {
      await new Promise(setImmediate)
      steps.push('ended')
      gate.resolve()
    }
    await closed
    t.same(steps, ends ? ['ended', 'closed'] : ['closed'])
    const took = performance.now() - began
    if (!ends) t.ok(took > 900 && took < 10_000, `${took} ms`)
  }
})
