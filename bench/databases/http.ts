import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { HttpOutlet } from 'databay'
import type { Measurement, Settings } from '../bench.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from '../measure.js'
import { makeReadings, type Reading } from '../work/readings.js'
import { DATABAY, started } from './storing.js'

/** Rows of a batch. */
const BATCH = 1000

/** Requests at a time, where each row has one. */
const AT_ONCE = 4

export const BY_REQUEST = 'undici by hand'
export const EACH_CASE = `HTTP, one request a row, ${AT_ONCE} at a time`
export const BATCH_CASE = `HTTP, one request for ${BATCH.toLocaleString('en')} rows`

/** Sends rows by HttpOutlet, beside undici by hand. */
export async function http(settings: Settings): Promise<Measurement[]> {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows`
  const subjects = (each: boolean) => [
    sending(
      DATABAY,
      [BY_REQUEST],
      each,
      () => requests,
      () => byOutlet(url, each),
    ),
    sending(
      BY_REQUEST,
      [],
      each,
      () => requests,
      () => byHand(url, each),
    ),
  ]
  try {
    return [
      ...(await compare(EACH_CASE, subjects(true), settings)),
      ...(await compare(BATCH_CASE, subjects(false), settings)),
    ]
  } finally {
    server.close()
  }
}

/** What sends a batch of rows. */
interface Sending {
  readonly send: (rows: readonly Reading[]) => Promise<void>
  readonly close: () => Promise<void>
}

function sending(
  name: string,
  peers: readonly string[],
  each: boolean,
  requests: () => number,
  open: () => Promise<Sending>,
): Subject {
  return {
    name,
    units: { ...COST_UNITS, rate: 'rows/s' },
    peers,
    async open() {
      const { send, close } = await open()
      const rows = makeReadings(BATCH)
      const sample = async (seconds: number) => {
        const before = requests()
        let sent = 0
        const figures = await withCost(() =>
          repeat(seconds, async () => {
            await send(rows)
            sent += BATCH
            return BATCH
          }),
        )
        check(`requests of ${name}`, requests() - before, each ? sent : sent / BATCH)
        return figures
      }
      return { sample, close }
    },
  }
}

async function byOutlet(url: string, each: boolean): Promise<Sending> {
  const outlet = new HttpOutlet(url, { send: each ? 'record' : 'batch', concurrency: each ? AT_ONCE : 1 })
  return { send: await started(outlet), close: () => outlet.onShutdown() }
}

function byHand(url: string, each: boolean): Promise<Sending> {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin)
  const headers = { 'content-type': 'application/json' }
  const post = async (payload: unknown) => {
    const { statusCode, body } = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(payload) })
    await body.dump()
    check('status', statusCode, 200)
  }
  const one = async (rows: readonly Reading[], lane: number) => {
    for (let at = lane; at < rows.length; at += AT_ONCE) await post(rows[at])
  }
  const send = async (rows: readonly Reading[]) => {
    if (each) await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => one(rows, lane)))
    else await post(rows)
  }
  return Promise.resolve({ send, close: () => pool.close() })
}
