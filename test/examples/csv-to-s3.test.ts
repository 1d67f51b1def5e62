import { writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { s3Server } from '../helpers/s3.js'
import { run, runShown } from './readme.js'

const s3 = await s3Server(t)
const COMMAND = 'npx databay run dist/examples/csv-to-s3.js --store orders-store --once --threads 1'

t.test('rows of CSV files are in S3, below a prefix for their day', { skip: s3.skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const folder = t.testdir({
    orders: {
      'first.csv': 'id,day,customer,total\n1,2026-11-28,Ann,9.5\n2,2026-11-29,"Bob, Jr.",1\n',
      'second.csv': 'id,day,customer,total\n3,2026-11-29,Cid,2\n',
      'notes.txt': 'no orders',
    },
  })
  const env = {
    S3_BUCKET: bucket,
    AWS_ENDPOINT_URL_S3: s3.options.endpoint,
    AWS_REGION: s3.options.region,
    AWS_ACCESS_KEY_ID: s3.options.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.options.secretAccessKey,
  }
  const at = { cwd: folder, env }
  /** Orders of each day, by their ids. */
  const days = async () => {
    const found: { [day: string]: string[] } = {}
    for (const key of await s3.keys(bucket)) {
      const [, day = ''] = /^orders\/day=([\d-]+)\/[0-9a-f]+\.jsonl\.gz$/.exec(key) ?? []
      const lines = gunzipSync(await s3.get(bucket, key))
        .toString()
        .trimEnd()
        .split('\n')
      const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id)
      found[day] = [...(found[day] ?? []), ...ids].sort()
    }
    return found
  }

  await runShown(t, 'CSV files to S3', at)
  t.strictSame(await days(), { '2026-11-28': ['1'], '2026-11-29': ['2', '3'] })
  writeFileSync(`${folder}/orders/third.csv`, 'id,day,customer,total\n4,2026-11-29,Dan,3\n')
  const more = await run(t, COMMAND, at)
  t.equal(more.code, 0, more.stderr)
  t.strictSame(await days(), { '2026-11-28': ['1'], '2026-11-29': ['2', '3', '4'] }, 'only the new file is read')

  const wrong = await run(t, COMMAND, { ...at, env: { ...env, AWS_SECRET_ACCESS_KEY: 'the-wrong-one' } })
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, /SignatureDoesNotMatch/)
  t.notMatch(wrong.stdout + wrong.stderr, 'the-wrong-one')
  const missing = await run(t, COMMAND, { ...at, env: { ...env, S3_BUCKET: undefined } })
  t.match(missing.stderr, /S3_BUCKET is not set/)
})
