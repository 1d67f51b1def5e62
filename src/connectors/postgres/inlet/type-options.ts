import { resolveOptions, word, type Spec } from '../../../base/options.js'

/** What values of some types of PostgreSQL become in records. Elements of arrays follow their type, and null is null. */
export interface PostgresTypes {
  /**
   * Values of `bigint`. One that a number cannot hold is an error with `'number'`.
   * @default 'number'
   */
  readonly bigint?: 'number' | 'bigint' | 'string'
  /**
   * Values of `numeric`. `'number'` is as near as a number comes.
   * @default 'string'
   */
  readonly numeric?: 'string' | 'number'
  /**
   * Values of `timestamptz`: ISO 8601 text, to the microsecond, or a `Date`, to the millisecond.
   * @default 'string'
   */
  readonly timestamptz?: 'string' | 'date'
  /**
   * Values of `timestamp`: as of `timestamptz`, without a time zone. A `Date` takes them for UTC.
   * @default 'string'
   */
  readonly timestamp?: 'string' | 'date'
  /**
   * Values of `date`: a text such as `'2026-11-29'`, or a `Date` of its midnight in UTC.
   * @default 'string'
   */
  readonly date?: 'string' | 'date'
  /**
   * Values of `json` and `jsonb`: as `JSON.parse` gives them, or their text. Integers in them that a number cannot hold are as
   * `bigint` says.
   * @default 'parsed'
   */
  readonly json?: 'parsed' | 'string'
  /**
   * Values of `bytea`: a `Uint8Array`, or hexadecimal digits.
   * @default 'bytes'
   */
  readonly bytea?: 'bytes' | 'hex'
}

const TYPES_OPTIONS = {
  bigint: word(['number', 'bigint', 'string'], 'number'),
  numeric: word(['string', 'number'], 'string'),
  timestamptz: word(['string', 'date'], 'string'),
  timestamp: word(['string', 'date'], 'string'),
  date: word(['string', 'date'], 'string'),
  json: word(['parsed', 'string'], 'parsed'),
  bytea: word(['bytes', 'hex'], 'bytes'),
} satisfies Spec<PostgresTypes>

/** {@link PostgresTypes}, resolved. */
export type TypeSettings = Required<PostgresTypes>

/** Checks the option `types`. */
export function checkTypes(name: string, types: PostgresTypes | undefined): TypeSettings {
  return resolveOptions(name, types ?? {}, TYPES_OPTIONS)
}
