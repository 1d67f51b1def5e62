import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { below } from '../faults/random.js'
import type { JobMaker } from './job.js'

const ROWS = 600

/** Rows of CSV files, and the objects in S3 that hold them. */
export const csvToS3: JobMaker = async ({ owner, s3, random, onStep }) => {
  const bucket = await s3.bucket(owner)
  const { options, proxy } = await s3.proxied(owner)
  proxy.judge = () => {
    onStep()
    return 'pass'
  }
  const folder = mkdtempSync(join(tmpdir(), 'databay-orders-'))
  owner.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  let rows = 0
  let files = 0
  /** Row with a number, as its object has it. */
  const row = (id: number) => ({ id: String(id), day: `2026-11-${String(10 + (id % 3))}`, customer: `customer ${id}` })
  /** How often each row is in S3, and what is wrong with the objects. */
  const stored = async () => {
    const counts = new Map<string, number>()
    const wrong: string[] = []
    for (const key of await s3.keys(bucket)) {
      try {
        const lines = gunzipSync(await s3.get(bucket, key)).toString()
        if (!lines.endsWith('\n')) throw new Error('its last line is not whole')
        for (const line of lines.trimEnd().split('\n')) {
          const { id } = JSON.parse(line) as { id: string }
          const expected = row(Number(id))
          if (line !== JSON.stringify(expected)) throw new Error(`it has the row ${line}`)
          if (!key.includes(`/day=${expected.day}/`)) throw new Error(`it has a row of ${expected.day}`)
          counts.set(id, (counts.get(id) ?? 0) + 1)
        }
      } catch (error) {
        wrong.push(`${key}: ${String(error)}`)
      }
    }
    return { counts, wrong }
  }
  return {
    // each file has a link, which looks for the bucket at its start, and then writes an object for each of three days
    get steps() {
      return files + 4
    },
    env: {
      ORDERS_FOLDER: folder,
      S3_BUCKET: bucket,
      AWS_ENDPOINT_URL_S3: options.endpoint,
      AWS_REGION: options.region,
      AWS_ACCESS_KEY_ID: options.accessKeyId,
      AWS_SECRET_ACCESS_KEY: options.secretAccessKey,
    },
    async grow() {
      const count = 1 + below(random, ROWS)
      const lines = Array.from({ length: count }, (_, at) => `${Object.values(row(rows + at)).join(',')}\n`)
      writeFileSync(
        join(folder, `orders-${String(++files).padStart(4, '0')}.csv`),
        `id,day,customer\n${lines.join('')}`,
      )
      rows += count
    },
    isComplete: async () => (await stored()).counts.size === rows,
    async judge() {
      const { counts, wrong } = await stored()
      const lost = rows - counts.size
      if (lost > 0) wrong.push(`${lost} rows are in no object`)
      for (const key of await s3.uploads(bucket)) wrong.push(`the upload of ${key} was left`)
      const again = [...counts.values()].reduce((sum, count) => sum + count - 1, 0)
      if (again > 0) wrong.push(`${again} rows are in two objects`)
      return { records: rows, lost, again, wrong }
    },
  }
}
