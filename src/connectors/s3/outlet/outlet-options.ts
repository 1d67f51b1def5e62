import { InvalidOptionError } from '../../../base/errors.js'
import { count, custom, flag, resolveOptions, word, type Resolved, type Spec } from '../../../base/options.js'
import type { Untyped } from '../../../base/untyped.js'
import { OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../../core/outlet.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { columnNames } from '../../csv/columns.js'
import { delimiter } from '../../csv/delimiter.js'
import { SERIALIZE_OPTIONS, type SerializeOptions } from '../../serialize.js'
import {
  resolveConnection,
  S3_CONNECTION_OPTIONS,
  type S3ConnectionOptions,
  type S3ConnectionSettings,
} from '../connection-options.js'
import type { ContentStyle, S3OutletFormat } from './content-style.js'
import { KeyTemplate, type S3KeyNames } from './key-template.js'

/** Metadata key: key of the object to which a record goes. */
export const KEY_KEY: MetadataKey = 'S3Outlet.S3_KEY'

/** Function that gives the key of the object to which a record goes. */
export type S3Key = (record: Record<Untyped>, update: Update, names: S3KeyNames) => string

/** Options of the CSV that {@link S3Outlet} writes. */
export interface S3OutletCsvOptions {
  /**
   * Names of the columns, in order.
   * @default undefined - the keys of the first record of an object
   */
  readonly columns?: readonly string[]
  /**
   * Treatment of a key that is no column: refuse the record, or leave out the value.
   * @default 'error'
   */
  readonly extraColumns?: 'error' | 'ignore'
  /**
   * Treatment of a payload without a key for a column: refuse the record, or leave the cell empty.
   * @default 'error'
   */
  readonly missingColumns?: 'error' | 'empty'
  /**
   * Whether strings that a spreadsheet would run as formulas get an apostrophe in front, as with `CsvOutlet`.
   * @default true
   */
  readonly guardFormulas?: boolean
  /**
   * Character between cells: one character, but no quote, no line end and no NUL.
   * @default ','
   */
  readonly delimiter?: string
}

/** Options of {@link S3Outlet}. */
export interface S3OutletOptions extends OutletOptions, SerializeOptions, S3ConnectionOptions {
  /**
   * Key of the objects: a template, or a function of a record. Records of a batch with the same key are one object.
   *
   * Fields of a template are `{link}`, `{date}`, `{year}`, `{month}`, `{day}`, `{hour}`, `{minute}` (of the begin of
   * the transfer, in UTC), `{uid}` (another text in each transfer), `{batch}`, `{hash}` (of the content) and those of
   * the payload, such as
   * `{payload.country}`, or `{payload.country|none}` where it may be missing.
   * @default '{link}/{date}/{uid}-{batch}' with the ending of the format
   */
  readonly key?: string | S3Key
  /**
   * Format of the objects: JSON Lines, CSV with a header, one JSON array, or lines of text.
   * @default 'jsonl'
   */
  readonly format?: S3OutletFormat
  /**
   * Whether objects are packed.
   * @default false
   */
  readonly gzip?: boolean
  /**
   * Records that one object holds: those of a batch, or of all batches and rounds of a transfer.
   * @default 'batch'
   */
  readonly object?: 'batch' | 'transfer'
  /**
   * Number of bytes from which on an object is uploaded in parts, and of each part: at least 5 MiB.
   * @default 8_388_608 - 8 MiB
   */
  readonly partSize?: number
  /**
   * Type of the content of objects.
   * @default undefined - that of the format
   */
  readonly contentType?: string
  /**
   * Metadata of the objects, like `{ source: 'shop' }`, and headers of S3, like `{ 'x-amz-storage-class': 'STANDARD_IA'
   * }`.
   * @default {}
   */
  readonly metadataHeaders?: { readonly [name: string]: string }
  /**
   * Options of the format `csv`.
   * @default {}
   */
  readonly csv?: S3OutletCsvOptions
}

/** Table of {@link S3OutletCsvOptions}. */
export const S3_CSV_OPTIONS = {
  columns: columnNames('undefined - the keys of the first record of an object'),
  extraColumns: word(['error', 'ignore'], 'error'),
  missingColumns: word(['error', 'empty'], 'error'),
  guardFormulas: flag(true),
  delimiter: delimiter(),
} satisfies Spec<S3OutletCsvOptions>

/** Least bytes of a part, but for the last one, as S3 has it. */
const LEAST_PART = 5_242_880

/** Table of the options of {@link S3Outlet}. */
export const S3_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  key: custom(readKey, "'{link}/{date}/{uid}-{batch}' with the ending of the format"),
  format: word(['jsonl', 'csv', 'json', 'text'], 'jsonl'),
  gzip: flag(false),
  object: word(['batch', 'transfer'], 'batch'),
  partSize: count(8_388_608, { least: LEAST_PART, shown: '8_388_608 - 8 MiB' }),
  contentType: custom(readContentType, 'undefined - that of the format'),
  metadataHeaders: custom(readHeaders, '{}'),
  csv: custom(readCsv, '{}'),
  ...SERIALIZE_OPTIONS,
  ...S3_CONNECTION_OPTIONS,
} satisfies Spec<S3OutletOptions>

/** {@link S3OutletOptions}, resolved. */
export interface S3OutletSettings {
  readonly key: KeyTemplate | S3Key
  readonly style: ContentStyle
  readonly gzip: boolean
  readonly object: 'batch' | 'transfer'
  readonly partSize: number
  /** Headers of each object, by their names in lower case. */
  readonly headers: { readonly [name: string]: string }
  readonly connection: S3ConnectionSettings
}

const ENDINGS = { jsonl: '.jsonl', csv: '.csv', json: '.json', text: '.txt' } as const
const TYPES = {
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
} as const

/**
 * Checks and resolves {@link S3OutletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveOutletOptions(options: S3OutletOptions): S3OutletSettings {
  const read = resolveOptions('S3Outlet', options, S3_OUTLET_OPTIONS)
  const { format, gzip, object, partSize, serialize, csv, contentType, metadataHeaders } = read
  if (options.csv !== undefined && format !== 'csv') {
    throw new InvalidOptionError('S3Outlet.csv', `none with the format ${format}`, options.csv)
  }
  const number = object === 'batch' ? '-{batch}' : ''
  const key =
    read.key ?? new KeyTemplate('S3Outlet.key', `{link}/{date}/{uid}${number}${ENDINGS[format]}${gzip ? '.gz' : ''}`)
  if (key instanceof KeyTemplate && object === 'transfer') {
    const field = (['batch', 'hash'] as const).find((one) => key.fields.has(one))
    if (field !== undefined) {
      const why = `a key without {${field}} with object: 'transfer', as it is known before the first batch`
      throw new InvalidOptionError('S3Outlet.key', why, String(key))
    }
  }
  return Object.freeze({
    key,
    style: {
      format,
      serialize,
      columns: csv.columns,
      csv: {
        delimiter: csv.delimiter,
        guardFormulas: csv.guardFormulas,
        ignoreExtraColumns: csv.extraColumns === 'ignore',
        allowMissingColumns: csv.missingColumns === 'empty',
        serialize,
      },
    },
    gzip,
    object,
    partSize,
    headers: { 'content-type': contentType ?? (gzip ? 'application/gzip' : TYPES[format]), ...metadataHeaders },
    connection: resolveConnection('S3Outlet', read),
  })
}

function readKey(name: string, key: string | S3Key | undefined): KeyTemplate | S3Key | undefined {
  if (key === undefined || typeof key === 'function') return key
  if (typeof key === 'string') return new KeyTemplate(name, key)
  throw new InvalidOptionError(name, 'a template of keys, or a function that gives a key', key)
}

function readCsv(name: string, csv: S3OutletCsvOptions = {}): Resolved<typeof S3_CSV_OPTIONS> {
  return resolveOptions(name, csv, S3_CSV_OPTIONS)
}

function readContentType(name: string, type: string | undefined): string | undefined {
  if (type === undefined || (typeof type === 'string' && /^[\w!#$&^.+-]+\/[\x20-\x7e]+$/.test(type))) return type
  throw new InvalidOptionError(name, "a type of content like 'text/plain'", type)
}

/** Headers that may be given, beside metadata. */
const HEADERS = /^(?:cache-control|content-disposition|content-language|content-encoding|expires|x-amz-.+)$/
/** Headers that the outlet makes itself, or that S3 wants in other requests, too. */
const OWN =
  /^x-amz-(?:content-sha256|date|security-token|checksum-.*|sdk-.*|copy-.*|server-side-encryption-customer-.*)$/

function readHeaders(option: string, headers: { readonly [name: string]: string } = {}): { [name: string]: string } {
  if (typeof headers !== 'object' || (headers as unknown) === null || Array.isArray(headers)) {
    throw new InvalidOptionError(option, 'an object', headers)
  }
  const sent: { [name: string]: string } = {}
  for (const [given, value] of Object.entries(headers as { readonly [name: string]: unknown })) {
    const name = given.toLowerCase()
    if (!/^[a-z\d][\w.-]*$/.test(name) || OWN.test(name)) {
      throw new InvalidOptionError(option, 'names of metadata, or of headers of S3 for objects', given)
    }
    if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value) || value !== value.trim()) {
      throw new InvalidOptionError(`${option}.${given}`, 'a text of characters of ASCII', value)
    }
    sent[HEADERS.test(name) ? name : `x-amz-meta-${name}`] = value
  }
  return sent
}
