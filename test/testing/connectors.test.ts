/** Every connector of this package keeps the contract. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CsvInlet } from '../../src/connectors/csv/csv-inlet.js'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { nextLink } from '../../src/connectors/http/inlet/next-link.js'
import { MongoInlet } from '../../src/connectors/mongodb/mongo-inlet.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { RandomIntInlet } from '../../src/connectors/samples/random-int-inlet.js'
import { CsvOutlet } from '../../src/connectors/csv/csv-outlet.js'
import { FileOutlet } from '../../src/connectors/files/file-outlet.js'
import { MongoOutlet } from '../../src/connectors/mongodb/mongo-outlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { PrintOutlet } from '../../src/connectors/print/print-outlet.js'
import type { PrintStream } from '../../src/connectors/print/print-stream.js'
import { InletTester, OutletTester } from '../../src/testing/index.js'
import { isWrite, mongoServer } from '../helpers/mongo.js'
import { listen } from '../helpers/servers.js'

t.test('NullInlet', (t) =>
  new InletTester({ create: (options) => new NullInlet(options), expected: 0, repeatable: true }).run(t),
)

t.test('RandomIntInlet', (t) =>
  new InletTester({
    'by default': { create: (options) => new RandomIntInlet(0, 100, options), expected: 1 },
    'with a seed': {
      create: (options) => new RandomIntInlet(10, 200, { ...options, seed: 7 }),
      expected: 1,
      repeatable: true,
    },
  }).run(t),
)

t.test('FileInlet', async (t) => {
  const file = join(t.testdir({ 'lines.txt': 'one\ntwo\nthree\nfour\nfive\nsix\n' }), 'lines.txt')
  const failing = () => new FileInlet(join(file, 'missing'))
  await new InletTester({
    'by line': {
      create: (options) => new FileInlet(file, options),
      expected: 1,
      repeatable: true,
      failing,
    },
    'by two lines': {
      create: (options) => new FileInlet(file, { ...options, linesPerTransfer: 2 }),
      expected: 2,
      repeatable: true,
      failing,
    },
    'as a whole': {
      create: (options) => new FileInlet(file, { ...options, mode: 'file' }),
      expected: 1,
      repeatable: true,
      failing: () => new FileInlet(join(file, 'missing'), { mode: 'file' }),
    },
  }).run(t)
})

t.test('CsvInlet', async (t) => {
  const file = join(t.testdir({ 'rows.csv': `id,name\n${'1,one\n2,two\n'.repeat(10)}` }), 'rows.csv')
  await new InletTester({
    create: (options) => new CsvInlet(file, { ...options, rowsPerTransfer: 2 }),
    expected: 2,
    repeatable: true,
    failing: () => new CsvInlet(join(file, 'missing')),
  }).run(t)
})

/** Retries that take little time. */
const retry = { retries: 2, minDelay: 0.01, maxDelay: 0.05 }

t.test('HttpInlet', async (t) => {
  let server: Server
  let port = 0
  const at = (path: string) => `http://user:s3cret-word@127.0.0.1:${port}/${path}?key=s3cret-key`
  const headers = { authorization: 'Bearer s3cret-token' }
  const common = {
    before: async () => {
      server = createServer(({ url = '' }, response) => {
        if (url.startsWith('/hanging')) return
        response.statusCode = url.startsWith('/failing') ? 500 : 200
        if (url.startsWith('/lines')) return void response.end('{"id":1,"text":"some words of a line"}\n'.repeat(3000))
        if (url.startsWith('/pages')) response.setHeader('link', '</data>; rel="next"')
        response.setHeader('content-type', 'application/json').end('[{"id":1},{"id":2}]')
      })
      port = await listen(server)
    },
    after: () => {
      server.closeAllConnections()
      server.close()
    },
    failing: () => new HttpInlet(at('failing'), { headers, retry }),
    hanging: () => new HttpInlet(at('hanging'), { headers }),
    secrets: ['s3cret-word', 's3cret-key', 's3cret-token'],
    repeatable: true,
  }
  await new InletTester({
    'of JSON': { ...common, create: (options) => new HttpInlet(at('data'), { ...options, headers }), expected: 2 },
    'of text': {
      ...common,
      create: (options) => new HttpInlet(at('data'), { ...options, headers, json: false }),
      expected: 1,
    },
    'of many lines': {
      ...common,
      create: (options) => new HttpInlet(at('lines'), { ...options, headers, format: 'ndjson' }),
      expected: 3000,
    },
    'of pages': {
      ...common,
      create: (options) => new HttpInlet(at('pages'), { ...options, headers, next: nextLink }),
      expected: 4,
    },
  }).run(t)
})

t.test('NullOutlet', (t) => new OutletTester((options) => new NullOutlet(options)).run(t))

t.test('PrintOutlet', async (t) => {
  const lines: string[] = []
  let broken = false
  const stream: PrintStream = {
    write: (text, done) => {
      if (!broken) lines.push(...text.split('\n').slice(0, -1))
      done(broken ? new Error('the terminal is gone') : null)
    },
  }
  await new OutletTester({
    create: (options) => new PrintOutlet({ ...options, stream, onlyPayload: true, skipUpdate: true }),
    payload: (n) => `line ${n}`,
    kinds: [1, null, 'text', true],
    arrives: String,
    read: () => lines,
    breakTarget: () => {
      broken = true
      return () => {
        broken = false
      }
    },
  }).run(t)
})

/** Makes a folder, empty before each check, and the path of the file in it that outlets write to. */
function freshFile(name: string) {
  let folder = ''
  const file = () => join(folder, name)
  return {
    file,
    text: () => (existsSync(file()) ? readFileSync(file(), 'utf8') : ''),
    hooks: {
      before: () => {
        folder = mkdtempSync(join(tmpdir(), 'databay-'))
      },
      after: () => {
        rmSync(folder, { recursive: true, force: true })
      },
      // a folder is where the file should be
      breakTarget: () => {
        const kept = join(folder, 'kept')
        const had = existsSync(file())
        if (had) renameSync(file(), kept)
        mkdirSync(file())
        return () => {
          rmdirSync(file())
          if (had) renameSync(kept, file())
        }
      },
    },
  }
}

t.test('FileOutlet', async (t) => {
  const { file, text, hooks } = freshFile('lines.jsonl')
  await new OutletTester<unknown>({
    ...hooks,
    create: (options) => new FileOutlet(file(), options),
    kinds: ['text', 1, null, ['a', 'list'], { nested: { deeply: true } }],
    invalid: [Symbol('none'), undefined],
    arrives: (payload) => (typeof payload === 'string' ? payload : JSON.stringify(payload)),
    read: () => text().split('\n').slice(0, -1),
  }).run(t)
})

t.test('CsvOutlet', async (t) => {
  const { file, text, hooks } = freshFile('rows.csv')
  await new OutletTester<{ readonly id: number; readonly text: string }>({
    ...hooks,
    create: (options) => new CsvOutlet(file(), options),
    kinds: [{ id: 1, text: 'a, "quoted" cell' }],
    arrives: ({ id, text }) => `${id},${/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text}`,
    payload: (n) => ({ id: n, text: `row ${n}` }),
    read: () => text().split('\n').slice(1, -1),
  }).run(t)
})

const mongo = await mongoServer(t)
const quick = { retry, connectTimeout: 1 }

t.test('MongoInlet', { skip: mongo.skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  await db.collection('things').insertMany([1, 2, 3, 4, 5, 6].map((n) => ({ n })))
  const options = { url, database, collection: 'things', sort: { n: 1 } } as const
  const common = {
    // nothing listens there, so waiting longer is of no use
    failing: () => new MongoInlet({ retry, connectTimeout: 0.1, url: 'mongodb://user:s3cret@127.0.0.1:9/' }),
    secrets: ['s3cret'],
    repeatable: true,
    timeout: 10,
  }
  await new InletTester({
    'of all documents': { ...common, create: (given) => new MongoInlet({ ...given, ...options }), expected: 6 },
    'of new documents': {
      ...common,
      create: (given) => new MongoInlet({ ...given, url, database, collection: 'things', cursorField: 'n', limit: 2 }),
      expected: 2,
    },
  }).run(t)
})

t.test('MongoOutlet', { skip: mongo.skip }, async (t) => {
  const { database, db } = await mongo.database(t)
  const { url: through, proxy } = await mongo.proxied(t)
  await new OutletTester<unknown>({
    create: (given) => new MongoOutlet({ ...given, ...quick, url: through, database, collection: 'things' }),
    kinds: [{ nested: { list: [1, 2] } }, { when: new Date(0) }],
    read: () =>
      db
        .collection('things')
        .find({}, { projection: { _id: 0 }, sort: { _id: 1 } })
        .toArray(),
    breakTarget: () => {
      proxy.judge = () => 'cut'
      return () => {
        proxy.judge = () => 'pass'
      }
    },
    hanging: () => {
      proxy.judge = (piece) => (isWrite(piece) ? 'hang' : 'pass')
      return new MongoOutlet({ ...quick, url: through, database, collection: 'things' })
    },
    after: () => {
      proxy.judge = () => 'pass'
    },
    ordered: false, // inserts are unordered, so that the server tries them all
    timeout: 10,
  }).run(t)
})
