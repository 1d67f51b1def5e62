import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { StoreVersionError } from './errors.js'
import { checksum, sealed } from './sealed.js'
import { corrupt, inTransaction, type Database, type SqlValue } from './sqlite.js'

/** Table of the store. */
export interface Table {
  readonly name: string
  /** Columns by which a row is found. */
  readonly key: readonly string[]
  /** Columns of which the column `crc` is the checksum, in its order. */
  readonly columns: readonly string[]
  /** Whether there is a column `body`, with a checksum of its own in `body_crc`, so that the rest can be read without it. */
  readonly hasBody?: boolean
}

/** The tables, each with a checksum in each row. */
export const TABLES = {
  meta: { name: 'meta', key: ['key'], columns: ['key', 'value'] },
  link: {
    name: 'link',
    key: ['id'],
    columns: [
      ...['id', 'epoch', 'uid', 'number', 'last_scheduled_at'],
      ...['pulled', 'added', 'filtered', 'dropped', 'dead', 'delivered'],
    ],
  },
  cursor: { name: 'cursor', key: ['link', 'inlet'], columns: ['link', 'inlet', 'version', 'value', 'at'] },
  parcel: {
    name: 'parcel',
    key: ['seq'],
    columns: [
      ...['link', 'at', 'kind', 'stage', 'n', 'codec'],
      ...['progress', 'attempts', 'next_at', 'error', 'body_crc'],
    ],
    hasBody: true,
  },
  state: {
    name: 'state',
    key: ['link', 'part', 'kind'],
    columns: ['link', 'part', 'kind', 'codec', 'body_crc'],
    hasBody: true,
  },
  dead: {
    name: 'dead',
    key: ['id'],
    columns: [
      ...['link', 'outlet', 'stage', 'node', 'place', 'grp', 'key', 'at'],
      ...['attempts', 'code', 'error', 'codec', 'replay', 'body_crc'],
    ],
    hasBody: true,
  },
  window: {
    name: 'window',
    key: ['link', 'run', 'from'],
    columns: ['link', 'run', 'from', 'to', 'state', 'attempts', 'error'],
  },
} as const satisfies { readonly [name: string]: Table }

/*
 * Steps of the schema: the first makes a new store, each further one changes a store of the version before it. A step that
 * has been published stays as it is. Types are STRICT, so that a check notices a value of another type.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE link(
    id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, uid TEXT NOT NULL, number INTEGER NOT NULL, last_scheduled_at INTEGER,
    pulled INTEGER NOT NULL, added INTEGER NOT NULL, filtered INTEGER NOT NULL, dropped INTEGER NOT NULL,
    dead INTEGER NOT NULL, delivered INTEGER NOT NULL, crc INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE cursor(
    link TEXT, inlet TEXT, version INTEGER NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY(link, inlet)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE parcel(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, link TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, stage TEXT,
    n INTEGER NOT NULL, codec INTEGER NOT NULL, progress TEXT NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER,
    error TEXT, body_crc INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX parcel_link ON parcel(link, seq);
  CREATE TABLE state(
    link TEXT NOT NULL, part TEXT NOT NULL, kind TEXT NOT NULL, codec INTEGER NOT NULL, body_crc INTEGER NOT NULL,
    crc INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(link, part, kind)
  ) STRICT;
  CREATE TABLE dead(
    id INTEGER PRIMARY KEY AUTOINCREMENT, link TEXT NOT NULL, outlet TEXT, stage TEXT NOT NULL, node TEXT NOT NULL,
    place TEXT NOT NULL, grp TEXT, key TEXT, at INTEGER NOT NULL, attempts INTEGER NOT NULL, code TEXT,
    error TEXT NOT NULL, codec INTEGER NOT NULL, replay INTEGER NOT NULL, body_crc INTEGER, crc INTEGER NOT NULL, body BLOB
  ) STRICT;
  CREATE INDEX dead_link ON dead(link);
  CREATE INDEX dead_replay ON dead(link) WHERE replay = 1;
  CREATE INDEX dead_group ON dead(link, grp) WHERE grp IS NOT NULL;
  CREATE INDEX dead_age ON dead(link, at);
  CREATE TABLE window(
    link TEXT, run TEXT, "from" INTEGER, "to" INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    error TEXT, crc INTEGER NOT NULL, PRIMARY KEY(link, run, "from")
  ) STRICT, WITHOUT ROWID;
  `,
]

/** Version of the schema that this package knows. */
export const SCHEMA_VERSION = STEPS.length

/** SQL that makes the objects of the newest schema, for a comparison. */
export const SCHEMA = STEPS.join('\n')

/**
 * Brings the schema of a database up to this version, in one transaction. A new database becomes a store.
 *
 * @throws {@link StoreVersionError} when a newer databay has written it, or it is no store
 */
export function migrate(database: Database, steps = STEPS): void {
  inTransaction(database, () => {
    const version = schemaVersion(database)
    if (version > steps.length) throw newer(database.file, version, steps.length)
    if (version === steps.length) return
    for (const step of steps.slice(version)) database.exec(step)
    if (version === 0) writeMeta(database, 'id', randomBytes(9).toString('base64url'))
    writeMeta(database, 'schema', String(steps.length))
  })
}

/**
 * Checks that a store has the schema of this version.
 *
 * @throws {@link StoreVersionError} when it is newer or older, or no store
 */
export function checkSchema(database: Database): void {
  const version = schemaVersion(database)
  if (version > SCHEMA_VERSION) throw newer(database.file, version, SCHEMA_VERSION)
  if (version === 0) {
    throw new StoreVersionError(
      `${database.file}: there is nothing in it yet: the next start of a planner makes the store`,
    )
  }
  if (version < SCHEMA_VERSION) {
    throw new StoreVersionError(
      `${database.file}: the store is of version ${version}, of an older databay: run its links once with this one`,
    )
  }
}

/** Version of the schema in a database; 0 when there is nothing in it. */
function schemaVersion(database: Database): number {
  const names = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
  if (names.length === 0) return 0
  if (!names.some(({ name }) => name === 'meta')) {
    throw new StoreVersionError(`${database.file}: the file is a database, but no store of databay`)
  }
  const version = Number(readMeta(database, 'schema'))
  if (!Number.isSafeInteger(version) || version < 1) throw corrupt(database.file, 'its version cannot be read')
  return version
}

function newer(file: string, version: number, known: number): StoreVersionError {
  return new StoreVersionError(
    `${file}: the store is of version ${version}, of a newer databay; this one knows version ${known}: update databay`,
  )
}

/** Reads a fact about the store; `undefined` when it has none of that name. */
export function readMeta(database: Database, key: string): string | undefined {
  const row = database.prepare('SELECT value, crc FROM meta WHERE key = ?').get(key)
  if (row === undefined) return undefined
  const { value = null, crc } = row
  if (typeof value !== 'string' || checksum([key, value]) !== crc) {
    throw corrupt(database.file, `its ${key} is not what was written`)
  }
  return value
}

/** Writes a fact about the store. */
export function writeMeta(database: Database, key: string, value: string): void {
  database.prepare(insertInto(TABLES.meta, 'OR REPLACE')).run(...sealed([key, value]))
}

/** SQL that inserts a row of a table: its columns, their checksum, and its body. */
export function insertInto({ name, columns, hasBody = false }: Table, conflict = ''): string {
  const names = [...columns, 'crc', ...(hasBody ? ['body'] : [])].map((column) => `"${column}"`)
  return `INSERT ${conflict} INTO ${name}(${names.join(', ')}) VALUES(${names.map(() => '?').join(', ')})`
}

/** Values of a row that {@link sealed} takes, in their order. */
export function valuesOf({ columns }: Table, row: { readonly [column: string]: SqlValue }): SqlValue[] {
  return columns.map((column) => row[column] ?? null)
}

/** Whether a row is what was written; its body too, if it was read. */
export function isIntact(table: Table, row: { readonly [column: string]: SqlValue }): boolean {
  if (checksum(valuesOf(table, row)) !== row['crc']) return false
  const { body, body_crc: expected } = row
  if (body === undefined) return true
  return (body instanceof Uint8Array ? crc32(body) : null) === expected
}
