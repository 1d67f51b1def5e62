import { Buffer } from 'node:buffer'
import { open, type FileHandle } from 'node:fs/promises'
import { show } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import type { TextEncoding } from '../files/text-encoding.js'
import { endsWith, READ } from '../files/disk.js'
import { bytesOf } from '../files/encode.js'
import { orMissing } from '../files/missing.js'
import { startOf } from '../files/text-start.js'
import { unitsOf, type TextUnits } from '../files/text-units.js'
import { delimiterLine } from './delimiter.js'

const csvParse = lazy<typeof import('csv-parse/sync')>('csv-parse/sync')

/** Loads the library that parses headers. */
export function loadParse(): void {
  csvParse()
}

/** Facts about an existing CSV file: how it begins, and how it ends. */
export interface CsvHeader {
  readonly columns: readonly string[]
  /** Whether the first name is in quotes. */
  readonly quoted: boolean
  /** Whether the last line has a line end. Without one, a new row would be added to that line. */
  readonly endsLine: boolean
}

/** Dialect in which the text of a CSV file is read. */
export interface CsvDialect {
  readonly delimiter: string
  readonly encoding: TextEncoding
}

/** Number of bytes that are read first, which most headers are shorter than. */
const CHUNK = 4096
/** Most bytes of a header. */
const LONGEST = 1_048_576

/**
 * Reads the header of a CSV file.
 *
 * @returns `undefined` when the file does not exist, or holds nothing but a byte order mark and empty lines
 */
export async function readHeader(file: string, dialect: CsvDialect): Promise<CsvHeader | undefined> {
  const handle = await orMissing(open(file, READ))
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size === 0) return undefined
    const names = await readNames(handle, size, dialect)
    if (names === undefined) return undefined
    return { ...names, endsLine: await endsWith(handle, bytesOf('\n', dialect.encoding)) }
  } finally {
    await handle.close()
  }
}

async function readNames(
  handle: FileHandle,
  size: number,
  dialect: CsvDialect,
): Promise<Omit<CsvHeader, 'endsLine'> | undefined> {
  for (let length = Math.min(size, CHUNK); ; length = Math.min(size, length * 2)) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, 0)
    const isWhole = length === size
    const text = textOf(buffer.subarray(0, bytesRead), dialect)
    const columns = parseHeader(text, isWhole, dialect.delimiter)
    if (columns !== undefined) return { columns, quoted: rowsOf(text).startsWith('"') }
    if (isWhole && rowsOf(text) === '') return undefined
    if (isWhole || length >= LONGEST) throw new Error('its header cannot be read')
  }
}

/**
 * Text at the start of a file.
 *
 * @throws when it is of another encoding or has another delimiter than what is to be added
 */
function textOf(bytes: Buffer, { encoding, delimiter }: CsvDialect): string {
  const { units, marked, length, problem } = startOf(bytes, encoding)
  if (problem !== undefined) throw new Error(problem)
  if (marked !== undefined && !isSameEncoding(units, unitsOf(encoding))) {
    throw new Error(`it has the byte order mark of ${marked}, not of ${encoding}: see the option encoding`)
  }
  const text = units.decode(bytes, length, bytes.length)
  const line = delimiterLine(text)
  if (line === undefined) return text
  if (line.delimiter === delimiter) return text.slice(line.length)
  throw new Error(`its first line says that ${show(line.delimiter)} is between cells: see the option delimiter`)
}

function isSameEncoding(one: TextUnits, other: TextUnits): boolean {
  return one.encoding.replace('-', '') === other.encoding.replace('-', '')
}

/**
 * Names in the first line of a CSV text that is not empty.
 *
 * @param isWhole - whether the text is the whole file, and not cut off
 * @returns `undefined` when the line is broken, or incomplete
 */
export function parseHeader(text: string, isWhole: boolean, delimiter = ','): readonly string[] | undefined {
  const rest = rowsOf(text)
  let rows: readonly ParsedRow[]
  try {
    const options = { delimiter, relax_column_count: true, to: 1, raw: true, record_delimiter: ['\r\n', '\n', '\r'] }
    rows = csvParse().parse(rest, options) as unknown as ParsedRow[]
  } catch {
    return undefined // quotes in the wrong place, or cut off within them
  }
  const [row] = rows
  // text behind the row, or its line end, shows that the row is complete
  const isEnded = row !== undefined && (row.raw.endsWith('\n') || row.raw.length < rest.length)
  return isWhole || isEnded ? row?.record : undefined
}

/** Row as the parser gives it when its text is asked for, too. */
interface ParsedRow {
  readonly record: readonly string[]
  readonly raw: string
}

/** Text from its first row on, without the byte order mark and the empty lines before it. */
function rowsOf(text: string): string {
  return text.replace(/^\uFEFF?[\r\n]*/, '')
}
