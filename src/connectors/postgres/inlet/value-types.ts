import { Buffer } from 'node:buffer'
import type { PoolClient } from 'pg'
import { DatabaseError } from '../../errors.js'
import { parseJson } from '../../parse-json.js'
import { lookUpTypes } from './catalog.js'
import type { Pg } from '../driver.js'
import type { TypeSettings } from './type-options.js'

/** Makes a value of the text that the server sends for it. */
export type ValueParser = (text: string) => unknown

/** Types of PostgreSQL whose values the inlet reads in a way of its own, by their numbers in the catalog. */
const OID = {
  bool: 16,
  bytea: 17,
  bigint: 20,
  smallint: 21,
  integer: 23,
  oid: 26,
  json: 114,
  real: 700,
  double: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  jsonb: 3802,
} as const

const OWN: ReadonlySet<number> = new Set(Object.values(OID))

/** Number of the type `timestamptz`. */
export const TIMESTAMPTZ = OID.timestamptz
/** Number of the type `timestamp`. */
export const TIMESTAMP = OID.timestamp

/** Types whose text is their value. All others that are not known here are looked up. */
const TEXTS = [18, 19, 22, 25, 30, 142, 650, 790, 829, 869, 1042, 1043, 1083, 1186, 1266, 2950]

/** Types of arrays, with those of their elements. */
const ARRAYS: readonly (readonly [number, number])[] = [
  ...[
    [1000, OID.bool] as const,
    [1001, OID.bytea] as const,
    [1016, OID.bigint] as const,
    [1005, OID.smallint] as const,
  ],
  ...[[1007, OID.integer] as const, [1028, OID.oid] as const, [199, OID.json] as const, [1021, OID.real] as const],
  ...[[1022, OID.double] as const, [1182, OID.date] as const, [1115, OID.timestamp] as const],
  ...[[1185, OID.timestamptz] as const, [1231, OID.numeric] as const, [3807, OID.jsonb] as const],
  ...[[1009, 25] as const, [1014, 1042] as const, [1015, 1043] as const, [2951, 2950] as const],
]

/** What is known of a type: the type of its elements for an array, that below it for a domain, or that its text is its value. */
type Known = { readonly element: number } | { readonly base: number } | 'text'

const asText: ValueParser = (text) => text
const asNumber: ValueParser = Number
const asBoolean: ValueParser = (text) => text === 't'

/** Types of the values of one server, and how they are read. */
export class ValueTypes {
  readonly #pg: Pg
  readonly #settings: TypeSettings
  readonly #known = new Map<number, Known>()

  constructor(pg: Pg, settings: TypeSettings) {
    this.#pg = pg
    this.#settings = settings
    for (const oid of TEXTS) this.#known.set(oid, 'text')
    for (const [oid, element] of ARRAYS) this.#known.set(oid, { element })
  }

  /** Looks up the types of some columns, as far as they are not known. */
  async learn(client: PoolClient, columns: readonly { readonly dataTypeID: number }[]): Promise<void> {
    const types = new Set(columns.map(({ dataTypeID }) => dataTypeID))
    const unknown = [...types].filter((oid) => !OWN.has(oid) && !this.#known.has(oid))
    if (unknown.length === 0) return
    for (const { oid, element, base, delimiter } of await lookUpTypes(client, unknown)) {
      if (OWN.has(oid)) continue
      const isArray = element !== 0 && delimiter === ','
      this.#known.set(oid, isArray ? { element } : base === 0 ? 'text' : { base })
    }
  }

  /** Way to read the values of a column. */
  parser(column: string, oid: number): ValueParser {
    const known = this.#known.get(oid)
    if (typeof known === 'object' && 'base' in known) return this.parser(column, known.base)
    if (typeof known === 'object') {
      const element = this.parser(column, known.element)
      const { arrayParser } = this.#pg.types as unknown as { readonly arrayParser: ArrayParser }
      return (text) => arrayParser.create(text, element).parse()
    }
    const { bigint, numeric, timestamptz, timestamp, date, json, bytea } = this.#settings
    switch (oid) {
      case OID.bool:
        return asBoolean
      case OID.smallint:
      case OID.integer:
      case OID.oid:
      case OID.real:
      case OID.double:
        return asNumber
      case OID.bigint:
        if (bigint === 'number') return (text) => safeInteger(column, text)
        return bigint === 'bigint' ? BigInt : asText
      case OID.numeric:
        return numeric === 'number' ? asNumber : asText
      case OID.timestamptz:
        return timestamptz === 'date' ? (text) => toDate(column, text) : isoTime
      case OID.timestamp:
        return timestamp === 'date' ? (text) => toDate(column, text) : isoTime
      case OID.date:
        return date === 'date' ? (text) => toDate(column, text) : asText
      case OID.json:
      case OID.jsonb:
        return json === 'parsed' ? (text) => parsedJson(column, text, bigint) : asText
      case OID.bytea:
        return bytea === 'bytes' ? bytesOf : (text) => text.slice(2)
      default:
        return asText
    }
  }
}

/** Part of the driver that reads arrays. */
interface ArrayParser {
  create(text: string, element: ValueParser): { parse(): unknown }
}

function safeInteger(column: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw unreadable(column, "an integer that a number cannot hold: set types: { bigint: 'bigint' } or 'string'")
}

function parsedJson(column: string, text: string, bigint: TypeSettings['bigint']): unknown {
  try {
    return parseJson(text, bigint === 'number' ? 'error' : bigint)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw unreadable(column, 'JSON that cannot be parsed')
    const what = thrown instanceof Error ? thrown.message : 'a number that cannot be read'
    throw unreadable(column, `JSON in which ${what}: set types: { json: 'string' }`)
  }
}

function unreadable(column: string, what: string): DatabaseError {
  return new DatabaseError(`PostgresInlet: column ${column} has ${what}`)
}

/** A time as ISO 8601 writes it. Those that it does not have, such as infinity and years of five digits, stay as they are. */
function isoTime(text: string): string {
  if (text.charCodeAt(10) !== SPACE || text.endsWith('BC')) return text
  const iso = `${text.slice(0, 10)}T${text.slice(11)}`
  const sign = iso.charCodeAt(iso.length - 3)
  return sign === PLUS || sign === MINUS ? `${iso}:00` : iso
}

const [SPACE, PLUS, MINUS] = [32, 43, 45]

const TIME =
  /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?( BC)?$/

function toDate(column: string, text: string): Date {
  const found = TIME.exec(text)
  if (found === null) throw unreadable(column, "a time that is no Date, such as infinity: read it as 'string'")
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0))
  const offset = Number(found[9] ?? 0) * 3600 + Number(found[10] ?? 0) * 60 + Number(found[11] ?? 0)
  const date = new Date(0)
  date.setUTCFullYear(found[12] === undefined ? year : 1 - year, month - 1, day)
  const milliseconds = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3))
  date.setUTCHours(hours, minutes, seconds - (found[8] === '-' ? -offset : offset), milliseconds)
  if (Number.isNaN(date.getTime())) throw unreadable(column, "a time beyond what a Date can hold: read it as 'string'")
  return date
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}
