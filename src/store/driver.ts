import { createRequire } from 'node:module'
import process from 'node:process'
import { loadOptional } from '../base/optional-packages.js'
import type { Changes, Database, Row, SqlValue, Statement } from './sqlite.js'

/*
 * The one place that knows the libraries of SQLite: that of Node, where it has one, or libsql. Their types are declared
 * here: those of Node 20 have no SQLite.
 */

/** Names of the drivers. */
export type DriverName = 'node:sqlite' | 'libsql'

/** A library of SQLite. */
export interface Driver {
  readonly name: DriverName
  /** Opens a file, and makes it when it is missing. */
  open(file: string): Database
}

/** A connection of `node:sqlite`, as far as it is used. It takes parameters one by one, and gives blobs as bytes. */
interface NodeDatabase {
  exec(sql: string): void
  prepare(sql: string): {
    run(...values: readonly SqlValue[]): Changes
    get(...values: readonly SqlValue[]): Row | undefined
    all(...values: readonly SqlValue[]): Row[]
  }
  close(): void
}

/** A connection of libsql, as far as it is used. It takes all parameters as one list: a lone blob ends the process. */
interface LibsqlDatabase {
  exec(sql: string): void
  prepare(sql: string): {
    run(values: readonly SqlValue[]): Changes
    get(values: readonly SqlValue[]): LibsqlRow | undefined
    all(values: readonly SqlValue[]): LibsqlRow[]
  }
  close(): void
}

interface LibsqlRow {
  [column: string]: SqlValue | ArrayBuffer | { readonly duration: number }
}

const require = createRequire(import.meta.url)

/**
 * Loads the library of SQLite: that of Node, or else libsql.
 *
 * @param only - the one to load, whatever Node has
 * @throws {@link MissingDependencyError} that says what to install
 */
export async function loadDriver(only?: DriverName): Promise<Driver> {
  const ofNode = only === 'libsql' ? undefined : nodeDriver()
  return ofNode ?? (await libsqlDriver())
}

/** The library of Node; `undefined` where it has none. */
function nodeDriver(): Driver | undefined {
  let Opened: new (file: string) => NodeDatabase
  try {
    Opened = withoutItsWarning(() => (require('node:sqlite') as { DatabaseSync: typeof Opened }).DatabaseSync)
  } catch {
    return undefined
  }
  return {
    name: 'node:sqlite',
    open: (file) => {
      const database = new Opened(file)
      return {
        file,
        exec: (sql) => {
          database.exec(sql)
        },
        prepare: (sql) => database.prepare(sql),
        close: () => {
          database.close()
        },
      }
    },
  }
}

async function libsqlDriver(): Promise<Driver> {
  const loaded: unknown = await loadOptional(
    { name: 'libsql', range: '^0.5.29', load: () => import('libsql') },
    `Node ${process.versions.node} has no SQLite for a store, as Node 22.13 has; it`,
  )
  const { default: Opened } = loaded as { readonly default: new (file: string) => LibsqlDatabase }
  return {
    name: 'libsql',
    open: (file) => {
      const database = new Opened(file)
      return {
        file,
        exec: (sql) => {
          database.exec(sql)
        },
        // the database is kept beside its statements, which do not keep it alive
        prepare: (sql) => statementOf(database, sql),
        close: () => {
          database.close()
        },
      }
    },
  }
}

function statementOf(database: LibsqlDatabase, sql: string): Statement & { readonly database: LibsqlDatabase } {
  const statement = database.prepare(sql)
  return {
    database,
    run: (...values) => statement.run(values),
    get: (...values) => {
      const row = statement.get(values)
      return row === undefined ? undefined : plainRow(row)
    },
    all: (...values) => statement.all(values).map(plainRow),
  }
}

/** A row of libsql without its notes, and with blobs as bytes. */
function plainRow(row: LibsqlRow): Row {
  delete row['_metadata']
  for (const column in row) {
    const value = row[column]
    if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value)
  }
  return row as Row
}

/** Loads `node:sqlite` without the warning of Node 22 that it is an experiment. Other warnings are shown. */
function withoutItsWarning<T>(load: () => T): T {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the process
  const { emitWarning } = process
  process.emitWarning = (...args: readonly unknown[]) => {
    if (!String(args[0]).startsWith('SQLite is an experimental feature')) Reflect.apply(emitWarning, process, args)
  }
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
