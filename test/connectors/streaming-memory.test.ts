/** What streams takes little memory: each transfer is made in a process whose heap is too small to hold it whole. */
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { mongoServer } from '../helpers/mongo.js'
import { node } from '../helpers/programs.js'
import { serve } from '../helpers/servers.js'

const PROGRAM = fileURLToPath(new URL('../fixtures/streaming-memory.mjs', import.meta.url))

/** Size of the heap of each thread, in MiB; what is read takes more than 70. */
const HEAP = 48

/** Most memory that a transfer takes beside it, in MiB. */
const MOST = 80

const LINES = 40_000
const DOCUMENTS = 18_000

const mongo = await mongoServer(t)

/** Makes one transfer in a process of its own. */
async function read(kind: 'http' | 'mongo', source: string, rounds = 'pulled') {
  const args = [`--max-old-space-size=${HEAP}`, PROGRAM]
  const { code, stdout, stderr } = await node('.', args, { KIND: kind, SOURCE: source, ROUNDS: rounds })
  return { code, stderr, ...(JSON.parse(stdout || '{}') as { grown?: number }) }
}

function* lines() {
  const text = 'x'.repeat(2000)
  for (let n = 0; n < LINES; n++) yield `{"n":${n},"text":"${text}"}\n`
}

/** Starts a server that sends the lines as they are taken. */
function serveLines(t: Test) {
  return serve(t, (_, response) => {
    Readable.from(lines())
      .pipe(response)
      .on('error', () => undefined)
  })
}

t.test('JSON lines of 80 MB are read in little memory', async (t) => {
  const { url } = await serveLines(t)
  const result = await read('http', url)
  t.match(result, { code: 0, pulled: LINES, failed: false, errors: [] })
  t.ok((result.grown ?? Infinity) < MOST, `${result.grown} MiB`)
})

t.test('a collection of 72 MB is read in little memory', { skip: mongo.skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const text = 'x'.repeat(4000)
  for (let from = 0; from < DOCUMENTS; from += 1000) {
    await db.collection('things').insertMany(Array.from({ length: 1000 }, (_, at) => ({ n: from + at, text })))
  }
  const result = await read('mongo', JSON.stringify({ url, database, collection: 'things' }))
  t.match(result, { code: 0, pulled: DOCUMENTS, failed: false, errors: [] })
  t.ok((result.grown ?? Infinity) < MOST, `${result.grown} MiB`)
})

t.test('held whole, they do not fit', async (t) => {
  const { url } = await serveLines(t)
  t.match(await read('http', url, 'whole'), { failed: true, errors: [{ name: 'ThreadLostError' }] })
})
