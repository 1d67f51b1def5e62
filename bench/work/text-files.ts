import { createHash } from 'node:crypto'
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'

/** Kinds of files that benches copy. */
export type FileKind = 'lines' | 'csv'

/** A file that was made for a bench. */
export interface MadeFile {
  readonly path: string
  readonly bytes: number
  /** Number of lines, without a header. */
  readonly rows: number
}

const CITIES = ['Amsterdam', 'Rotterdam', 'Utrecht', 'Groningen']
const HEADER = 'id,name,value,city,at,note\n'
/** Number of rows that are written at a time. */
const AT_ONCE = 10_000

const ROWS: { readonly [kind in FileKind]: (id: number) => string } = {
  lines: (id) =>
    `{"id":${id},"name":"sensor ${id % 100}","value":${id % 1000},"city":"${cityOf(id)}","at":${timeOf(id)},"ok":true}\n`,
  // a cell in sixteen needs quotes
  csv: (id) =>
    `${id},sensor ${id % 100},${id % 1000},${cityOf(id)},${timeOf(id)},${id % 16 === 0 ? '"cold, wet"' : 'dry'}\n`,
}

/** Writes a file of rows that number themselves. */
export function makeFile(path: string, kind: FileKind, bytes: number): MadeFile {
  const file = openSync(path, 'w')
  let written = kind === 'csv' ? writeSync(file, HEADER) : 0
  let rows = 0
  const most = Math.ceil(AT_ONCE * Math.min(1, bytes / 1e6))
  while (written < bytes) {
    const from = rows
    written += writeSync(file, Array.from({ length: most }, (_, at) => ROWS[kind](from + at)).join(''))
    rows += most
  }
  closeSync(file)
  return { path, bytes: written, rows }
}

function cityOf(id: number): string {
  return CITIES[id % CITIES.length] ?? ''
}

function timeOf(id: number): number {
  return 1_700_000_000_000 + id
}

/** Digest of a file, whatever its line ends are: LF or CRLF. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk.includes(13) ? chunk.filter((byte) => byte !== 13) : chunk)
  }
  return hash.digest('hex')
}
