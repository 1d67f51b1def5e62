import { AwsClient } from 'aws4fetch'
import { S3Inlet, Update, type Cursor } from 'databay'
import type { Measurement, Settings } from '../bench.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from '../measure.js'
import type { S3Access } from '../servers.js'
import { countPulled } from './pulled.js'
import { DATABAY } from './storing.js'

/** Length of a line, in bytes, with its end. */
const LINE = 128

/** Objects of a folder. */
interface Folder {
  readonly name: string
  readonly objects: number
  /** Number of lines in each. */
  readonly lines: number
}

const LARGE: Folder = { name: 'large', objects: 16, lines: 2 ** 20 / LINE }
const SMALL: Folder = { name: 'small', objects: 1000, lines: 4 }

/** Puts that are made at a time, when the objects are made. */
const AT_ONCE = 8

export const BY_GET = 'aws4fetch by hand, object by object'
export const LARGE_CASE = `S3, ${LARGE.objects} objects of 1 MiB of lines read`
export const SMALL_CASE = `S3, ${SMALL.objects.toLocaleString('en')} small objects read`

/** Reads lines of objects by S3Inlet, beside aws4fetch by hand. */
export async function s3Reading(access: S3Access, bucket: string, settings: Settings): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const [name, folder] of [
    [LARGE_CASE, LARGE],
    [SMALL_CASE, SMALL],
  ] as const) {
    const read = settings.smoke ? { ...folder, objects: 2 } : folder
    measurements.push(...(await compare(name, subjects(access, bucket, read), settings)))
  }
  return measurements
}

/** Reads all lines of the folder, and gives their number. */
type Read = () => Promise<number>

function subjects(access: S3Access, bucket: string, folder: Folder): Subject[] {
  const client = new AwsClient({ ...access, service: 's3', retries: 0 })
  const root = `${access.endpoint}/${bucket}`
  const subject = (
    name: string,
    peers: readonly string[],
    open: () => Promise<{ read: Read; close: () => Promise<void> }>,
  ) => ({
    name,
    units: { ...COST_UNITS, rate: 'lines/s' },
    peers,
    async open() {
      await fill(client, root, folder)
      const { read, close } = await open()
      const sample = (seconds: number) =>
        withCost(() =>
          repeat(seconds, async () => {
            const count = await read()
            check(`lines that ${name} read`, count, folder.objects * folder.lines)
            return count
          }),
        )
      return { sample, close: () => close() }
    },
  })
  return [
    subject(DATABAY, [BY_GET], () => byInlet(access, bucket, folder)),
    subject(BY_GET, [], () =>
      Promise.resolve({ read: () => byHand(client, root, folder), close: () => Promise.resolve() }),
    ),
  ]
}

async function fill(client: AwsClient, root: string, { name, objects, lines }: Folder): Promise<void> {
  const body = Array.from({ length: lines }, (_, at) => `${`line ${at} `.padEnd(LINE - 1, '-')}\n`).join('')
  const lane = async (first: number) => {
    for (let at = first; at < objects; at += AT_ONCE) {
      const { status } = await client.fetch(`${root}/${name}/${at}.txt`, { method: 'PUT', body })
      check('status', status, 200)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)))
}

async function byInlet(access: S3Access, bucket: string, { name, objects }: Folder) {
  const inlet = new S3Inlet({ ...access, bucket, prefix: `${name}/`, limit: objects })
  await inlet.onStart()
  let transfers = 0
  const read: Read = async () => {
    // each transfer begins at the first object
    const cursor: Cursor = { value: undefined, durable: true, advance: () => undefined }
    const update = new Update(['bench'], transfers++)
    const count = await countPulled(await inlet.pull(update, cursor))
    inlet.onTransferEnd(update, true)
    return count
  }
  return { read, close: () => inlet.onShutdown() }
}

async function byHand(client: AwsClient, root: string, { name }: Folder): Promise<number> {
  const listed = await client.fetch(`${root}?list-type=2&prefix=${name}/`)
  let count = 0
  for (const [, key = ''] of (await listed.text()).matchAll(/<Key>([^<]*)<\/Key>/g)) {
    const response = await client.fetch(`${root}/${key}`)
    const lines = (await response.text()).split('\n')
    // behind the last line there is nothing
    lines.pop()
    count += lines.length
  }
  return count
}
