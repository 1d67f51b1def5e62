import { deserialize, serialize } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { Record, type Metadata } from 'databay'
import { pack, unpack } from '../src/threads/protocol/records.js'
import type { Bench, Measurement } from './bench.js'
import { check, compare, rate, type Subject } from './measure.js'
import { plainRecords } from './plain-records.js'

/** A way for records to cross to a thread: turns them into a message, and the message into records again. */
interface Encoding {
  readonly name: string
  encode(records: readonly Record[]): Message
  decode(data: never): Record[]
}

interface Message {
  readonly data: unknown
  readonly transfer?: ArrayBuffer[]
}

const UNITS = { total: 'us per record', here: 'us of the main thread per record' }

const CLONED = 'structured clone of records'

/** Encodings that were considered, the one in use among them. */
export const ENCODINGS: readonly Encoding[] = [
  {
    name: CLONED,
    encode: (data) => ({ data }),
    decode: (data: Record[]) => data.map(({ payload, metadata }) => new Record(payload, Object.freeze(metadata))),
  },
  {
    name: 'structured clone of payloads',
    encode: (records) => ({ data: split(records) }),
    decode: join,
  },
  {
    name: 'databay',
    encode: (records) => ({ data: pack(records) }),
    decode: (data: ReturnType<typeof pack>) => unpack(data),
  },
  {
    name: 'JSON text',
    encode: (records) => ({ data: JSON.stringify(split(records)) }),
    decode: (data: string) => join(JSON.parse(data) as Split),
  },
  {
    name: 'v8.serialize, transferred',
    encode: (records) => {
      const data = bytesOf(serialize(split(records)))
      return { data, transfer: [data.buffer] }
    },
    decode: (data: Uint8Array) => join(deserialize(data) as Split),
  },
  {
    name: 'JSON in shared memory',
    encode: (records) => {
      const text = new TextEncoder().encode(JSON.stringify(split(records)))
      const data = new Uint8Array(new SharedArrayBuffer(text.length))
      data.set(text)
      return { data }
    },
    // a decoder refuses shared memory
    decode: (data: Uint8Array) => join(JSON.parse(new TextDecoder().decode(Uint8Array.from(data))) as Split),
  },
]

/** Records as a list of payloads and the metadata that they share. */
interface Split {
  readonly payloads: readonly unknown[]
  readonly metadata: Metadata
}

function split(records: readonly Record[]): Split {
  return { payloads: records.map(({ payload }) => payload), metadata: records[0]?.metadata ?? {} }
}

function join({ payloads, metadata }: Split): Record[] {
  const shared = Object.freeze(metadata)
  return payloads.map((payload) => new Record(payload, shared))
}

/** Copies bytes into memory of their own: a small Buffer is part of a shared one. */
function bytesOf(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(buffer)
}

export const boundary: Bench = {
  name: 'boundary',
  question: 'What does it cost to have a record cross to a thread and back?',
  async run(settings) {
    const measurements: Measurement[] = []
    for (const [kind, make] of Object.entries(KINDS)) {
      for (const count of settings.smoke ? [10] : [1000, 10_000]) {
        const records = make(count)
        const subjects = ENCODINGS.map((_, index) => crossing(index, records))
        measurements.push(...(await compare(boundaryCase(kind, count), subjects, settings)))
      }
    }
    return measurements
  },
}

const KINDS: { readonly [kind: string]: (count: number) => readonly Record[] } = {
  'rows of 5 plain fields': plainRecords,
  'rows with a list and an object in them': (count) =>
    plainRecords(count).map((record) =>
      record.with({ payload: { ...record.payload, tags: ['a', record.payload.city], size: { width: 1, height: 2 } } }),
    ),
}

export function boundaryCase(kind: string, count: number): string {
  return `${kind}, ${count.toLocaleString('en')} records`
}

/** Subject: records go to a thread in one encoding, become records there, and come back in the same encoding. */
function crossing(index: number, records: readonly Record[]): Subject {
  const encoding = ENCODINGS[index] as Encoding
  const { name } = encoding
  return {
    name,
    units: UNITS,
    peers: name === CLONED ? [] : [CLONED],
    open() {
      const worker = new Worker(new URL('./workers/boundary.js', import.meta.url), { workerData: index })
      const messages = messagesOf(worker)
      return {
        async sample(seconds) {
          const before = performance.eventLoopUtilization()
          let crossed = 0
          const done = await rate(seconds, async () => {
            const { data, transfer } = encoding.encode(records)
            worker.postMessage(data, transfer)
            const back = encoding.decode((await messages.next()) as never)
            checkSame(back, records)
            crossed += back.length
            return back.length
          })
          const { active } = performance.eventLoopUtilization(before)
          return { total: 1e6 / done, here: (active * 1000) / crossed }
        },
        close: async () => {
          await worker.terminate()
        },
      }
    },
  }
}

function messagesOf(worker: Worker): { next(): Promise<unknown> } {
  let take: (message: unknown) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  worker.on('message', (message) => {
    take(message)
  })
  worker.on('error', (error) => {
    fail(error)
  })
  return {
    next: () =>
      new Promise((resolve, reject) => {
        take = resolve
        fail = reject
      }),
  }
}

function checkSame(back: readonly Record[], records: readonly Record[]): void {
  check('records', back.length, records.length)
  for (const at of [0, records.length - 1]) {
    check('a record', JSON.stringify(back[at]), JSON.stringify(records[at]))
    check('its metadata, shared', back[at]?.metadata === back[0]?.metadata, true)
  }
}
