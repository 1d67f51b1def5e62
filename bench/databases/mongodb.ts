import { MongoClient } from 'mongodb'
import { MongoOutlet } from 'databay'
import { compare } from '../measure.js'
import type { Measurement, Settings } from '../bench.js'
import { openServer } from '../servers.js'
import { DATABAY, started, storing, type Storage } from './storing.js'

/** Rows of a batch. */
const BATCH = 1000

export const BY_INSERT_MANY = 'insertMany by hand'
export const MONGO_CASE = `MongoDB, ${BATCH.toLocaleString('en')} rows a batch`

/** Stores rows by MongoOutlet, beside the driver's insertMany. */
export async function mongodb(settings: Settings): Promise<Measurement[]> {
  if (!MONGO_CASE.includes(settings.only)) return []
  const server = await openServer('mongodb')
  if (server === undefined) {
    console.error('databases: MongoDB is left out: set MONGODB_URL, or have mongod or go on the PATH')
    return []
  }
  try {
    return await compare(
      MONGO_CASE,
      [
        storing(DATABAY, [BY_INSERT_MANY], BATCH, () => byOutlet(server.access.url)),
        storing(BY_INSERT_MANY, [], BATCH, () => byHand(server.access.url)),
      ],
      settings,
    )
  } finally {
    await server.close()
  }
}

async function byOutlet(url: string): Promise<Storage> {
  const outlet = new MongoOutlet({ url, database: 'bench', collection: 'outlet' })
  const push = await started(outlet)
  return await inCollection(url, 'outlet', push, () => outlet.onShutdown())
}

async function byHand(url: string): Promise<Storage> {
  const client = new MongoClient(url)
  const rows = client.db('bench').collection('hand')
  // the driver writes the _id into what it is given
  const insert = (batch: readonly object[]) =>
    rows.insertMany(
      batch.map((row) => ({ ...row })),
      { ordered: false },
    )
  return await inCollection(
    url,
    'hand',
    async (batch) => {
      await insert(batch)
    },
    () => client.close(),
  )
}

async function inCollection(
  url: string,
  name: string,
  store: Storage['store'],
  close: () => Promise<void>,
): Promise<Storage> {
  const client = await new MongoClient(url).connect()
  const collection = client.db('bench').collection(name)
  return {
    store,
    count: () => collection.countDocuments(),
    async clear() {
      await collection.deleteMany({})
    },
    async close() {
      await close()
      await collection.drop().catch(() => undefined) // it is not there unless rows were stored
      await client.close()
    },
  }
}
