import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import { show } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import type { AddedFile } from '../files/added-file.js'
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

/** What a header says. */
type Names = Omit<CsvHeader, 'endsLine'>

/** Dialect in which the text of a CSV file is read. */
export interface CsvDialect {
  readonly delimiter: string
  readonly encoding: TextEncoding
}

/** Number of bytes that are read first, which most headers are shorter than. */
const CHUNK = 4096
/** Most bytes of a header. */
const LONGEST = 1_048_576

const EMPTY = Buffer.alloc(0)

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
    const start = async (length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, 0)
      return buffer.subarray(0, bytesRead)
    }
    const names = await readNames(start, size, dialect)
    if (names === undefined) return undefined
    return { ...names, endsLine: await endsWith(handle, bytesOf('\n', dialect.encoding)) }
  } finally {
    await handle.close()
  }
}

/** Reads headers of files that are open to be added to. One that is as it was is not parsed again. */
export class HeaderReader {
  readonly #dialect: CsvDialect
  /** Start of the file before, with its whole header; empty when there is none. */
  #start: Buffer = EMPTY
  #names: Names | undefined

  constructor(dialect: CsvDialect) {
    this.#dialect = dialect
  }

  /** Reads the header of a file, see {@link readHeader}. */
  async read(file: AddedFile): Promise<CsvHeader | undefined> {
    const { size } = file
    if (size === 0) return undefined
    const start = await file.readStart(Math.min(size, CHUNK))
    const isKnown = this.#start.length > 0 && start.subarray(0, this.#start.length).equals(this.#start)
    const names = isKnown ? this.#names : await readNames((length) => file.readStart(length), size, this.#dialect)
    if (!isKnown) {
      this.#names = names
      // what is added to a header without an end becomes a part of it
      this.#start = names !== undefined && isEnded(start, this.#dialect) ? start : EMPTY
    }
    return names && { ...names, endsLine: file.endsWith(bytesOf('\n', this.#dialect.encoding)) }
  }
}

async function readNames(
  start: (length: number) => Promise<Buffer>,
  size: number,
  dialect: CsvDialect,
): Promise<Names | undefined> {
  for (let length = Math.min(size, CHUNK); ; length = Math.min(size, length * 2)) {
    const isWhole = length === size
    const text = textOf(await start(length), dialect)
    const columns = parseHeader(text, isWhole, dialect.delimiter)
    if (columns !== undefined) return { columns, quoted: rowsOf(text).startsWith('"') }
    if (isWhole && rowsOf(text) === '') return undefined
    if (isWhole || length >= LONGEST) throw new Error('its header cannot be read')
  }
}

/** Whether the start of a file has the whole header, with its end. */
function isEnded(start: Buffer, dialect: CsvDialect): boolean {
  return parseHeader(textOf(start, dialect), false, dialect.delimiter) !== undefined
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
