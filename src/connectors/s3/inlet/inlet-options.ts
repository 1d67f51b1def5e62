import { checkObject } from '../../../base/check.js'
import type { Duration } from '../../../base/duration.js'
import { InvalidOptionError } from '../../../base/errors.js'
import { count, custom, flag, optionalTime, resolveOptions, word, type Spec } from '../../../base/options.js'
import { INLET_OPTIONS, type InletOptions } from '../../../core/inlet.js'
import { BIG_INTEGERS_OPTIONS, type BigIntegers, type BigIntegersOptions } from '../../big-integers.js'
import { CSV_INLET_OPTIONS, type CsvInletOptions } from '../../csv/csv-inlet.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../../files/text-encoding.js'
import {
  resolveConnection,
  S3_CONNECTION_OPTIONS,
  type S3ConnectionOptions,
  type S3ConnectionSettings,
} from '../connection-options.js'
import { OBJECT_FORMATS, type S3ObjectFormat } from './object-format.js'
import { OBJECT_ORDERS, type S3ObjectOrder, type ObjectPosition } from './position.js'

/** Options of CSV objects, as those of {@link CsvInlet}. */
export type S3InletCsvOptions = Pick<
  CsvInletOptions,
  'delimiter' | 'header' | 'columns' | 'types' | 'guardFormulas' | 'shortRows'
>

/** Treatments of records and objects that cannot be read. */
const BAD = ['error', 'skip'] as const
type Bad = (typeof BAD)[number]

/** Options of {@link S3Inlet}. */
export interface S3InletOptions extends InletOptions, BigIntegersOptions, S3ConnectionOptions {
  /**
   * Beginning of the keys of the objects to read, such as `logs/2026/`.
   * @default '' - all objects of the bucket
   */
  readonly prefix?: string
  /**
   * Pattern of the keys of the objects to read, such as `logs/**\/*.csv`. One without a slash is a pattern of the last part
   * of keys: `*.csv`.
   * @default undefined - all objects
   */
  readonly match?: string
  /**
   * Format of the objects: `lines` of text, `jsonl` (a JSON value a line), `csv`, and of objects that are read at once
   * `json` (an array is many records), `whole` (a text) and `bytes`.
   *
   * By the ending of a key, also before `.gz` or a number, `.jsonl` and `.ndjson` are `jsonl`, `.json` is `json`, `.csv` and
   * `.tsv` (with tabs) are `csv`, `.txt`, `.log` and no ending are `lines`, and any other ending is `bytes`.
   * @default undefined - by the ending of each key
   */
  readonly format?: S3ObjectFormat
  /**
   * Whether objects are packed with gzip: `'auto'` goes by their first bytes, whatever their keys and headers say.
   * @default 'auto'
   */
  readonly gzip?: 'auto' | boolean
  /**
   * Order in which objects are read, by which the inlet knows new ones.
   *
   * - `key`: objects whose keys come after the last one that was read. Keys must grow with time, as those that begin with a
   *   date do. An object that is written to again is not read again.
   * - `modified`: objects that were written to after the last one that was read, whatever their keys are. All keys under the
   *   prefix are listed at each transfer. An object that is written to again is read again.
   * @default 'key'
   */
  readonly order?: S3ObjectOrder
  /**
   * Where the first transfer begins: after this key, or after this time (a Date, or a text of ISO 8601) in the order
   * `modified`.
   * @default undefined - at the first object
   */
  readonly startAfter?: string | Date
  /**
   * Least age of an object that is read, in seconds or as a duration, by the clock of the storage. An object that can be seen
   * only later, and yet comes before one that was read, is never read. So this is longer than the longest upload takes, where
   * several write at a time; in the order `modified` always, as the time of an object is that at which its upload began. There
   * it is at least a second.
   * @default 5 in the order `modified`, otherwise 0
   */
  readonly settle?: number | Duration
  /**
   * Most objects that one transfer reads. `Infinity` is all.
   * @default 1000, and all in the order `modified`
   */
  readonly limit?: number
  /**
   * Encoding of text. A byte order mark at the start of an object decides, whatever is said here. `latin1` is read as on the
   * Web, which means `windows-1252` by it.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * Options of CSV objects: `delimiter`, `header`, `columns`, `types`, `guardFormulas` and `shortRows` of CsvInlet.
   * @default {} - those of CsvInlet
   */
  readonly csv?: S3InletCsvOptions
  /**
   * Most bytes of a line or row, without its line end.
   * @default 1048576 - 1 MiB
   */
  readonly maxLineLength?: number
  /**
   * Most bytes of an object that is read at once, unpacked: one of the format `json`, `whole` or `bytes`.
   * @default 67108864 - 64 MiB
   */
  readonly maxObjectSize?: number
  /**
   * Treatment of a line or row that cannot be read: one that is too long, that is no JSON, or a row of CSV that does not fit.
   * It fails the transfer, at each attempt, once the records before it are transferred; or it is skipped, and counted in the
   * log.
   * @default 'error'
   */
  readonly badRecords?: Bad
  /**
   * Treatment of an object that cannot be read, or not any further: such as one of broken gzip, in another encoding, that is too
   * large, or archived. It fails the transfer, at each attempt, once the records before it are transferred; or the rest of it is
   * skipped, and counted in the log.
   * @default 'error'
   */
  readonly badObjects?: Bad
  /**
   * Whether records that were not delivered are read again. After a failed transfer, the next one begins where that one did.
   * Then records come at least once, in order: a record that an outlet always refuses holds up the others. Otherwise they come
   * at most once, and what was not delivered is dropped.
   * @default true
   */
  readonly redeliver?: boolean
}

/** Table of {@link S3InletCsvOptions}. */
const S3_INLET_CSV_OPTIONS = {
  delimiter: CSV_INLET_OPTIONS.delimiter,
  header: CSV_INLET_OPTIONS.header,
  columns: CSV_INLET_OPTIONS.columns,
  types: CSV_INLET_OPTIONS.types,
  guardFormulas: CSV_INLET_OPTIONS.guardFormulas,
  shortRows: CSV_INLET_OPTIONS.shortRows,
} satisfies Spec<S3InletCsvOptions>

/** Table of the options of {@link S3Inlet}. */
export const S3_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  prefix: custom(readPrefix, "'' - all objects of the bucket"),
  match: custom(readPattern, 'undefined - all objects'),
  format: custom(readFormat, 'undefined - by the ending of each key'),
  gzip: custom(readGzip, "'auto'"),
  order: word(OBJECT_ORDERS, 'key'),
  startAfter: custom(readStart, 'undefined - at the first object'),
  settle: custom(readSettle, '5 in the order `modified`, otherwise 0'),
  limit: count(undefined, { orInfinity: true, shown: '1000, and all in the order `modified`' }),
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  csv: custom(readCsv, '{} - those of CsvInlet'),
  maxLineLength: count(1_048_576, { shown: '1048576 - 1 MiB' }),
  maxObjectSize: count(67_108_864, { shown: '67108864 - 64 MiB' }),
  badRecords: word(BAD, 'error'),
  badObjects: word(BAD, 'error'),
  redeliver: flag(true),
  ...BIG_INTEGERS_OPTIONS,
  ...S3_CONNECTION_OPTIONS,
} satisfies Spec<S3InletOptions>

/** Rules by which objects become records. */
export interface ObjectRules {
  /** Format of all objects; `undefined` for that which the ending of a key names. */
  readonly format: S3ObjectFormat | undefined
  readonly gzip: 'auto' | boolean
  readonly encoding: TextEncoding
  readonly csv: ReturnType<typeof readCsv>
  readonly maxLineLength: number
  readonly maxObjectSize: number
  readonly badRecords: Bad
  readonly bigIntegers: BigIntegers
}

/** {@link S3InletOptions}, resolved. */
export interface S3InletSettings extends ObjectRules {
  readonly prefix: string
  readonly match: string | undefined
  readonly order: S3ObjectOrder
  /** Position behind which the first transfer begins; `undefined` at the first object. */
  readonly start: ObjectPosition | undefined
  /** Least age of objects that are read, in milliseconds. */
  readonly settle: number
  readonly limit: number
  readonly badObjects: Bad
  readonly redeliver: boolean
  readonly connection: S3ConnectionSettings
}

/**
 * Checks and resolves {@link S3InletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveInletOptions(options: S3InletOptions): S3InletSettings {
  const read = resolveOptions('S3Inlet', options, S3_INLET_OPTIONS)
  const { prefix, match, format, gzip, order, startAfter, settle, limit, encoding, csv } = read
  const { maxLineLength, maxObjectSize, badRecords, badObjects, redeliver, bigIntegers } = read
  const isByTime = order === 'modified'
  return Object.freeze({
    prefix,
    match,
    format,
    gzip,
    order,
    start: isByTime ? startAtTime(startAfter) : startAtKey(startAfter),
    settle: isByTime ? settleOfTimes(settle) : (settle ?? 0),
    limit: limit ?? (isByTime ? Infinity : 1000),
    encoding,
    csv,
    maxLineLength,
    maxObjectSize,
    badRecords,
    badObjects,
    redeliver,
    bigIntegers,
    connection: resolveConnection('S3Inlet', read),
  })
}

function settleOfTimes(settle = 5000): number {
  if (settle >= 1000) return settle
  const expected = "at least a second in the order 'modified', as storages tell times in seconds"
  throw new InvalidOptionError('S3Inlet.settle', expected, settle / 1000)
}

function startAtKey(start: string | Date | undefined): ObjectPosition | undefined {
  if (start === undefined) return undefined
  if (typeof start === 'string') return { key: start }
  throw new InvalidOptionError('S3Inlet.startAfter', "a key, as the order is 'key'", start)
}

function startAtTime(start: string | Date | undefined): ObjectPosition | undefined {
  if (start === undefined) return undefined
  const isTime = typeof start !== 'string' || /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(start)
  const modified = isTime ? new Date(start).getTime() : Number.NaN
  // no key comes after this one
  if (!Number.isNaN(modified)) return { key: '\u{10ffff}', modified }
  const expected = "a Date, or a text like '2026-01-31T12:00:00Z', as the order is 'modified'"
  throw new InvalidOptionError('S3Inlet.startAfter', expected, start)
}

function readPrefix(name: string, prefix: string | undefined): string {
  if (prefix === undefined) return ''
  if (typeof prefix !== 'string') throw new InvalidOptionError(name, 'a string', prefix)
  const hint = /^s3:\/\//i.test(prefix) ? 'the bucket is an option of its own' : undefined
  if (hint !== undefined) throw new InvalidOptionError(name, 'the beginning of keys', prefix, { hint })
  return prefix
}

function readPattern(name: string, pattern: string | undefined): string | undefined {
  if (pattern === undefined || (typeof pattern === 'string' && pattern !== '')) return pattern
  throw new InvalidOptionError(name, "a pattern like '*.csv'", pattern)
}

function readSettle(name: string, settle: number | Duration | undefined): number | undefined {
  return settle === 0 ? 0 : optionalTime.read(name, settle)
}

const readWord = word(OBJECT_FORMATS, 'lines').read

function readFormat(name: string, format: S3ObjectFormat | undefined): S3ObjectFormat | undefined {
  return format === undefined ? undefined : readWord(name, format)
}

function readGzip(name: string, gzip: 'auto' | boolean | undefined): 'auto' | boolean {
  if (gzip === undefined || gzip === 'auto' || typeof gzip === 'boolean') return gzip ?? 'auto'
  throw new InvalidOptionError(name, "'auto', true or false", gzip)
}

function readStart(name: string, start: string | Date | undefined): string | Date | undefined {
  if (start === undefined || (typeof start === 'string' && start !== '')) return start
  if (start instanceof Date && !Number.isNaN(start.getTime())) return start
  throw new InvalidOptionError(name, 'a key, or a Date', start)
}

function readCsv(name: string, csv: S3InletCsvOptions | undefined) {
  if (csv !== undefined) checkObject(name, csv)
  const read = resolveOptions(name, csv ?? {}, S3_INLET_CSV_OPTIONS)
  const { header, columns, types } = read
  if (!header && columns === undefined) {
    throw new InvalidOptionError(`${name}.columns`, 'a list of names, as there is no header', undefined)
  }
  const other = columns && [...types.keys()].find((column) => !columns.includes(column))
  if (other !== undefined) throw new InvalidOptionError(`${name}.types.${other}`, 'one of the columns', other)
  // what the ending of a key says counts where the options say nothing
  return { ...read, isDelimiterGiven: csv?.delimiter !== undefined }
}
