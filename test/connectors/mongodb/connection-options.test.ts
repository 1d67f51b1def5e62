import t from 'tap'
import { resolveOptions } from '../../../src/base/options.js'
import {
  MONGO_CONNECTION_OPTIONS,
  resolveConnection,
  type MongoConnectionOptions,
} from '../../../src/connectors/mongodb/connection-options.js'
import { driverOptions } from '../../../src/connectors/mongodb/driver-options.js'

const settingsOf = (options: MongoConnectionOptions) =>
  resolveConnection('Test', resolveOptions('Test', options, MONGO_CONNECTION_OPTIONS))

const optionsOf = (options: MongoConnectionOptions) => driverOptions(settingsOf(options))

const DEFAULTS = {
  serverSelectionTimeoutMS: 10_000,
  connectTimeoutMS: 10_000,
  socketTimeoutMS: 60_000,
  waitQueueTimeoutMS: 60_000,
  maxPoolSize: 4,
  appName: 'databay',
}

t.test('the driver gets our defaults where nothing is given', async (t) => {
  t.same(optionsOf({}), DEFAULTS)
  t.same(optionsOf({ url: 'mongodb://localhost/shop' }), DEFAULTS)
})

t.test('an option goes before the URL, and the URL before a default', async (t) => {
  const url = 'mongodb://localhost/?socketTimeoutMS=5&MaxPoolSize=9&appName=mine'
  const { socketTimeoutMS: _socket, maxPoolSize: _pool, appName: _app, ...rest } = DEFAULTS
  t.same(optionsOf({ url }), rest)
  t.same(optionsOf({ url, socketTimeout: 2, maxPoolSize: 3, connectTimeout: { milliseconds: 1500 } }), {
    serverSelectionTimeoutMS: 1500,
    connectTimeoutMS: 1500,
    socketTimeoutMS: 2000,
    waitQueueTimeoutMS: 2000,
    maxPoolSize: 3,
  })
})

t.test('the database is that of the options, else that of the URL, else databay', async (t) => {
  const url = 'mongodb://user:hush@a.test:1,b.test:2/shop?tls=true'
  t.match(settingsOf({ url, database: 'other' }), { database: 'other' })
  t.match(settingsOf({ url }), { database: 'shop', hosts: 'a.test:1,b.test:2', url })
  t.match(settingsOf({ host: 'a.test', port: 1 }), { database: 'databay', hosts: 'a.test:1' })
})

t.test('times have to fit into a timer, and are whole milliseconds', async (t) => {
  t.equal(settingsOf({ connectTimeout: 0.0015 }).connectTimeout, 2)
  const option = 'Test.connectTimeout'
  t.throws(() => settingsOf({ connectTimeout: { weeks: 4 } }), { option, message: /at most 24 days/ })
  t.throws(() => settingsOf({ connectTimeout: 0 }), { option, message: /at least 1 ms/ })
})
