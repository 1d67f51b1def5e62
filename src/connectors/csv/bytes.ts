import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { show, toError } from '../../base/errors.js'
import { fileError } from '../errors.js'
import { HeaderReader, loadParse, readHeader, type CsvDialect, type CsvHeader } from './header.js'
import type { CsvFormat } from './csv-format.js'
import { RowTaker, type TakenRow } from './row-taker.js'
import { columnsOf, headerText, rowsText } from './rows.js'
import { encode } from '../files/encode.js'
import { otherDelimiter } from './delimiter.js'
import { withoutGuard } from './formulas.js'
import { blameRecords, ofRecord, type RejectedRecord } from '../../core/partial-push.js'
import type { Record } from '../../core/record.js'
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

/** File, and the rows that go there. */
export interface CsvTarget extends Target<unknown> {
  readonly rows: readonly TakenRow[]
}

/** Rows of records: what becomes of payloads later does not show in them. Never throws. */
export function takeRows(records: readonly Record[], { format, columns }: CsvStyle): TakenRow[] {
  const taker = new RowTaker(format, columns)
  return records.map(({ payload }) => taker.take(payload))
}

/** Adds to each target of a batch its rows. */
export function withRows(targets: readonly Target<unknown>[], rows: readonly TakenRow[]): CsvTarget[] {
  return targets.map((target) => {
    const { indices } = target
    if (indices.length === rows.length) return { ...target, rows }
    return { ...target, rows: indices.flatMap((index) => rows[index] ?? []) }
  })
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
export async function csvBytes(target: CsvTarget, style: CsvStyle, added: AddedFile | undefined): Promise<Buffer> {
  const got = style.streams.get(target.file)
  const streamed = got !== undefined && (await isStream(target.file)) ? got : undefined
  const header = target.truncate ? undefined : (streamed ?? (await headerOf(target, style, added)))
  const { encoding } = style.dialect
  try {
    return Buffer.concat(textOf(target, header, style).map((part) => encode('CsvOutlet', part, encoding)))
  } catch (thrown) {
    throw blameRecords(toError(thrown), unwritable(target, header, style))
  }
}

/** Records that make no row of a file, alone. */
function unwritable({ rows, indices }: CsvTarget, header: CsvHeader | undefined, style: CsvStyle): RejectedRecord[] {
  const [first] = rows
  const blamed: RejectedRecord[] = []
  const blame = (at: number, thrown: unknown) => {
    const index = indices[at]
    if (index !== undefined) blamed.push({ index, error: ofRecord(toError(thrown)) })
  }
  try {
    const columns = header?.columns ?? style.columns ?? (first === undefined ? [] : columnsOf(first))
    if (header === undefined && style.columns === undefined) {
      encode('CsvOutlet', headerText(columns, style.format), style.dialect.encoding)
    }
    for (const [at, row] of rows.entries()) {
      try {
        for (const part of rowsText([row], columns, style.format)) encode('CsvOutlet', part, style.dialect.encoding)
      } catch (thrown) {
        blame(at, thrown)
      }
    }
  } catch (thrown) {
    // it was to say which columns the file has
    blame(0, thrown)
  }
  return blamed
}

/** Notes that a file has got its bytes: a pipe gets no second header. */
export function noteWritten({ file, rows, truncate }: CsvTarget, isKept: boolean, style: CsvStyle): void {
  const { columns, streams } = style
  const [first] = rows
  if (isKept) streams.delete(file)
  else if (!truncate && !streams.has(file) && first !== undefined) {
    const names = columns ?? columnsOf(first)
    streams.set(file, { columns: names, quoted: false, endsLine: true })
  }
}

/**
 * Bytes of a file without rows: its header. Without `columns` it is the header that the file has.
 *
 * @throws {@link FileError} when the header of the file does not fit
 */
export async function csvBytesOfNone(target: Target<unknown>, style: CsvStyle): Promise<Buffer> {
  const found = style.columns === undefined ? (await headerOf({ ...target, rows: [] }, style))?.columns : undefined
  const columns = style.columns ?? (style.format.guardFormulas ? found?.map(withoutGuard) : found)
  return columns === undefined
    ? Buffer.alloc(0)
    : encode('CsvOutlet', headerText(columns, style.format), style.dialect.encoding)
}

/** Text of the bytes, in parts, see {@link rowsText}. */
function textOf({ rows }: CsvTarget, header: CsvHeader | undefined, { columns, format }: CsvStyle): string[] {
  if (header !== undefined) return [header.endsLine ? '' : '\n', ...rowsText(rows, header.columns, format)]
  const [first] = rows
  const names = columns ?? (first === undefined ? [] : columnsOf(first))
  return [headerText(names, format), ...rowsText(rows, names, format)]
}

async function headerOf({ file, rows }: CsvTarget, style: CsvStyle, added?: AddedFile): Promise<CsvHeader | undefined> {
  try {
    style.headers ??= new HeaderReader(style.dialect)
    const header = await (added === undefined ? readHeader(file, style.dialect) : style.headers.read(added))
    if (header !== undefined) checkHeader(header, style, rows[0])
    return header
  } catch (cause) {
    throw fileError('CsvOutlet', 'add to', file, cause)
  }
}

function checkHeader(
  { columns: names, quoted }: CsvHeader,
  { columns, format }: CsvStyle,
  row: TakenRow | undefined,
): void {
  const other = quoted ? undefined : otherDelimiter(names, format.delimiter)
  if (other !== undefined && (names[0] === undefined || row?.keys.includes(names[0]) !== true))
    throw new Error(`the header has ${other}`)
  if (new Set(names).size !== names.length) throw new Error('its header has a name twice')
  if (columns === undefined) return
  const plain = (list: readonly string[]) => (format.guardFormulas ? list.map(withoutGuard) : list)
  const sorted = (list: readonly string[]) => plain(list).toSorted()
  if (!isDeepStrictEqual(sorted(columns), sorted(names))) {
    throw new Error(`it has the columns ${show(names)}, not ${show(columns)}`)
  }
}
