import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { show } from '../../base/errors.js'
import { fileError } from '../errors.js'
import { HeaderReader, loadParse, readHeader, type CsvDialect, type CsvHeader } from './header.js'
import type { CsvFormat } from './csv-format.js'
import { columnsOf, headerText, rowsText } from './rows.js'
import { encode } from '../files/encode.js'
import { otherDelimiter } from './delimiter.js'
import { withoutGuard } from './formulas.js'
import type { AddedFile } from '../files/added-file.js'
import { isStream } from '../files/descriptors.js'
import type { Target } from '../files/targets.js'

/** Style in which an outlet writes its files. */
export interface CsvStyle {
  /** Names of the columns; `undefined` when they come from the file or its first record. */
  readonly columns: readonly string[] | undefined
  readonly format: CsvFormat
  readonly dialect: CsvDialect
  /** Headers that pipes and the like have got. */
  readonly streams: Map<string, CsvHeader>
  /** Reader of the headers of files that are held open; made at the first push. */
  headers?: HeaderReader
}

/** Loads the library that {@link csvBytes} needs. */
export function loadLibrary(): void {
  loadParse()
}

/**
 * Bytes to add to a file, or to replace its content with.
 *
 * @throws {@link FileError} when the header of the file does not fit
 * @throws {@link InvalidPayloadError}
 */
export async function csvBytes(
  target: Target<unknown>,
  style: CsvStyle,
  added: AddedFile | undefined,
): Promise<Buffer> {
  const got = style.streams.get(target.file)
  const streamed = got !== undefined && (await isStream(target.file)) ? got : undefined
  const header = target.truncate ? undefined : (streamed ?? (await headerOf(target, style, added)))
  return Buffer.concat(textOf(target, header, style).map((part) => encode('CsvOutlet', part, style.dialect.encoding)))
}

/** Notes that a file has got its bytes: a pipe gets no second header. */
export function noteWritten({ file, records, truncate }: Target<unknown>, isKept: boolean, style: CsvStyle): void {
  const { columns, format, streams } = style
  if (isKept) streams.delete(file)
  else if (!truncate && !streams.has(file)) {
    const names = columns ?? columnsOf(records[0]?.payload, format)
    streams.set(file, { columns: names, quoted: false, endsLine: true })
  }
}

/**
 * Bytes of a file without rows: its header. Without `columns` it is the header that the file has.
 *
 * @throws {@link FileError} when the header of the file does not fit
 */
export async function csvBytesOfNone(target: Target<unknown>, style: CsvStyle): Promise<Buffer> {
  const found = style.columns === undefined ? (await headerOf(target, style))?.columns : undefined
  const columns = style.columns ?? (style.format.guardFormulas ? found?.map(withoutGuard) : found)
  return columns === undefined
    ? Buffer.alloc(0)
    : encode('CsvOutlet', headerText(columns, style.format), style.dialect.encoding)
}

/** Text of the bytes, in parts, see {@link rowsText}. */
function textOf({ records }: Target<unknown>, header: CsvHeader | undefined, { columns, format }: CsvStyle): string[] {
  const payloads = records.map((record) => record.payload)
  if (header !== undefined) return [header.endsLine ? '' : '\n', ...rowsText(payloads, header.columns, format)]
  const names = columns ?? columnsOf(payloads[0], format)
  return [headerText(names, format), ...rowsText(payloads, names, format)]
}

async function headerOf(
  { file, records }: Target<unknown>,
  style: CsvStyle,
  added?: AddedFile,
): Promise<CsvHeader | undefined> {
  try {
    style.headers ??= new HeaderReader(style.dialect)
    const header = await (added === undefined ? readHeader(file, style.dialect) : style.headers.read(added))
    if (header !== undefined) checkHeader(header, style, records[0]?.payload)
    return header
  } catch (cause) {
    throw fileError('CsvOutlet', 'add to', file, cause)
  }
}

function checkHeader({ columns: names, quoted }: CsvHeader, { columns, format }: CsvStyle, payload: unknown): void {
  const other = quoted ? undefined : otherDelimiter(names, format.delimiter)
  if (other !== undefined && !isKey(names[0], payload)) throw new Error(`the header has ${other}`)
  if (new Set(names).size !== names.length) throw new Error('its header has a name twice')
  if (columns === undefined) return
  const plain = (list: readonly string[]) => (format.guardFormulas ? list.map(withoutGuard) : list)
  const sorted = (list: readonly string[]) => plain(list).toSorted()
  if (!isDeepStrictEqual(sorted(columns), sorted(names))) {
    throw new Error(`it has the columns ${show(names)}, not ${show(columns)}`)
  }
}

function isKey(name: string | undefined, payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && name !== undefined && Object.hasOwn(payload, name)
}
