import { AwsClient } from 'aws4fetch'
import { S3Outlet } from 'databay'
import type { Measurement, Settings } from '../bench.js'
import { check, compare, repeat, withCost, type Subject } from '../measure.js'
import { openServer, type S3Access } from '../servers.js'
import { LARGE_CASE, s3Reading, SMALL_CASE } from './s3-reading.js'
import { DATABAY, started } from './storing.js'

/** Length of a record, in bytes, with its end of line. */
const LINE = 1024

export const BY_HAND = 'aws4fetch by hand'
export const S3_SIZES = [1, 8]

export function s3Case(megabytes: number): string {
  return `S3, objects of ${megabytes} MiB of lines`
}

/** Stores objects by S3Outlet and reads them by S3Inlet, beside aws4fetch by hand. */
export async function s3(settings: Settings): Promise<Measurement[]> {
  if (![...S3_SIZES.map(s3Case), LARGE_CASE, SMALL_CASE].some((name) => name.includes(settings.only))) return []
  const server = await openServer('s3')
  if (server === undefined) {
    console.error('databases: S3 is left out: set S3_ENDPOINT, or install s3rver')
    return []
  }
  const { bucket, ...access } = server.access
  const measurements: Measurement[] = []
  try {
    for (const size of settings.smoke ? S3_SIZES.slice(0, 1) : S3_SIZES) {
      measurements.push(...(await compare(s3Case(size), subjects(access, bucket, size), settings)))
    }
    measurements.push(...(await s3Reading(access, bucket, settings)))
  } finally {
    await server.close()
  }
  return measurements
}

function subjects(access: S3Access, bucket: string, megabytes: number): Subject[] {
  const lines = Array.from({ length: (megabytes * 2 ** 20) / LINE }, (_, at) => `line ${at} `.padEnd(LINE - 1, '-'))
  const client = new AwsClient({ ...access, service: 's3', retries: 0 })
  const where = (key: string) => `${access.endpoint}/${bucket}/${key}`
  /** Length of an object, in bytes. */
  const lengthOf = async (key: string) => {
    const response = await client.fetch(where(key), { method: 'HEAD' })
    return Number(response.headers.get('content-length'))
  }
  const subject = (name: string, peers: readonly string[], open: () => Promise<Putting>): Subject => ({
    name,
    units: { rate: 'MiB/s', cpu: 'ms CPU per MiB' },
    peers,
    async open() {
      const { put, key, close } = await open()
      const sample = async (seconds: number) => {
        const { rate = Number.NaN, cpu = Number.NaN } = await withCost(() =>
          repeat(seconds, async () => {
            await put()
            return megabytes
          }),
        )
        check(`bytes of ${name}`, await lengthOf(key), megabytes * 2 ** 20)
        return { rate, cpu: cpu / 1000 }
      }
      return { sample, close }
    },
  })
  return [
    subject(DATABAY, [BY_HAND], async () => {
      const outlet = new S3Outlet({ ...access, bucket, key: 'outlet.txt', format: 'text' })
      const push = await started(outlet)
      return { put: () => push(lines), key: 'outlet.txt', close: () => outlet.onShutdown() }
    }),
    subject(BY_HAND, [], () =>
      Promise.resolve({
        async put() {
          const response = await client.fetch(where('hand.txt'), { method: 'PUT', body: `${lines.join('\n')}\n` })
          check('status', response.status, 200)
        },
        key: 'hand.txt',
        close: () => Promise.resolve(),
      }),
    ),
  ]
}

/** Way to put an object. */
interface Putting {
  readonly put: () => Promise<void>
  /** Key of the object. */
  readonly key: string
  readonly close: () => Promise<void>
}
