/** The inlet for S3 keeps the contract of all inlets, in both orders and in all ways of reading. */
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { S3InletOptions } from '../../../src/connectors/s3/inlet/inlet-options.js'
import { S3Inlet } from '../../../src/connectors/s3/s3-inlet.js'
import { InletTester } from '../../../src/testing/index.js'
import { fakeS3 } from '../../helpers/fake-s3.js'
import { s3Server } from '../../helpers/s3.js'
import { listen } from '../../helpers/servers.js'

const real = await s3Server(t)

t.test('the contract', async (t) => {
  const s3 = await fakeS3(t)
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  s3.put('many/a.txt', Array.from({ length: 9000 }, (_, n) => `line ${n}\n`).join(''))
  for (let n = 0; n < 30; n++) s3.put(`lines/${n}.txt`, `${n}\n`, Date.now() - 3_600_000 - n * 1000)
  s3.put('json/a.jsonl.gz', gzipSync('{"n":1}\n{"n":[2]}\n"x"\n'))
  s3.put('json/b.json', '[1,2,[3]]')
  s3.put('csv/a.csv', 'n,m\n1,2\n3,4\n')
  s3.put('whole/a.txt', 'all of it')
  s3.put('bytes/a.bin', new Uint8Array([1, 2, 3]))

  const hanging = await fakeS3(t)
  hanging.put('a.txt', 'x\n')
  hanging.state.judge = ({ key, query }) => (key === undefined && query.get('max-keys') === null ? 'hang' : 'answer')
  const hangingObject = await fakeS3(t)
  hangingObject.put('a.txt', 'x\n')
  hangingObject.state.judge = ({ key }) => (key === undefined ? 'answer' : 'hang')

  const retry = { retries: 0 }
  const inlet = (options: Partial<S3InletOptions>) => new S3Inlet({ ...s3.options, retry, ...options })
  const common = {
    failing: (options: object) => inlet({ ...options, endpoint: `http://127.0.0.1:${port}` }),
    hanging: (options: object) => new S3Inlet({ ...hanging.options, retry, ...options }),
    repeatable: true,
    cloneable: true,
    secrets: ['secret'],
  }
  await new InletTester({
    'S3Inlet, in the order of keys': {
      ...common,
      create: (options) => inlet({ prefix: 'lines/', ...options }),
      expected: 30,
    },
    'S3Inlet, a few objects': {
      ...common,
      create: (options) => inlet({ prefix: 'lines/', limit: 3, ...options }),
      expected: 3,
    },
    'S3Inlet, in the order of writing': {
      ...common,
      create: (options) => inlet({ prefix: 'lines/', order: 'modified', ...options }),
      expected: 30,
    },
    'S3Inlet, list by list': {
      ...common,
      hanging: (options: object) => new S3Inlet({ ...hangingObject.options, retry, ...options }),
      create: (options) => inlet({ prefix: 'many/', ...options }),
      expected: 9000,
    },
    'S3Inlet, of JSON': { ...common, create: (options) => inlet({ prefix: 'json/', ...options }), expected: 6 },
    'S3Inlet, of CSV': { ...common, create: (options) => inlet({ prefix: 'csv/', ...options }), expected: 2 },
    'S3Inlet, of whole texts': {
      ...common,
      create: (options) => inlet({ prefix: 'whole/', format: 'whole', ...options }),
      expected: 1,
    },
    'S3Inlet, of bytes': { ...common, create: (options) => inlet({ prefix: 'bytes/', ...options }), expected: 1 },
  }).run(t)
})

t.test('the contract, of a real storage', { skip: real.skipOfKeys }, async (t) => {
  const bucket = await real.bucket(t)
  await real.put(bucket, 'a.txt', '1\n2\n3\n')
  await new InletTester({
    S3Inlet: {
      create: (options) => new S3Inlet({ ...real.options, bucket, ...options }),
      failing: (options) => new S3Inlet({ ...real.options, bucket, secretAccessKey: 'no-such-key', ...options }),
      expected: 3,
      repeatable: true,
      cloneable: true,
      secrets: ['no-such-key'],
    },
  }).run(t)
})
