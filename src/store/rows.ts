import { crc32 } from 'node:zlib'
import type { Body } from './codec.js'
import { insertInto, isIntact, valuesOf, type Table } from './schema.js'
import { sealed } from './sealed.js'
import { corrupt, storeError, type Changes, type Database, type Row, type SqlValue, type Statement } from './sqlite.js'

/** The rows of a table: checked when they are read, sealed when they are written. Statements are prepared at first use. */
export class Rows {
  readonly #database: Database
  readonly #table: Table
  readonly #put: string
  readonly #statements = new Map<string, Statement>()

  constructor(database: Database, table: Table) {
    this.#database = database
    this.#table = table
    this.#put = insertInto(table, 'OR REPLACE')
  }

  /** Reads rows, as they are. @param sql - with `$` for the columns without the body */
  all(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#do(sql, (statement) => statement.all(...values))
  }

  /** Reads one row, as it is. */
  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#do(sql, (statement) => statement.get(...values))
  }

  /** A row that was read, when it is what was written. @throws {@link StoreCorruptError} */
  checked(row: Row): Row {
    if (this.isIntact(row)) return row
    const key = this.#table.key.map((column) => String(row[column])).join(', ')
    throw corrupt(this.#database.file, `${this.#table.name} ${key} is not what was written`)
  }

  /** Whether a row that was read is what was written. */
  isIntact(row: Row): boolean {
    return isIntact(this.#table, row)
  }

  /** Changes columns of a row that was read, and its checksum. @param changes - the same columns each time */
  change(row: Row, changes: Row): Changes {
    const { name, key, columns } = this.#table
    const values = sealed(valuesOf(this.#table, { ...row, ...changes }))
    const changed = Object.keys(changes)
    const sets = [...changed, 'crc'].map((column) => `"${column}" = ?`).join(', ')
    const where = key.map((column) => `"${column}" = ?`).join(' AND ')
    const stored = [...changed.map((column) => values[columns.indexOf(column)] ?? null), values.at(-1) ?? null]
    return this.run(`UPDATE ${name} SET ${sets} WHERE ${where}`, ...stored, ...key.map((column) => row[column] ?? null))
  }

  /** Writes a row, in the place of one with the same key. */
  put(values: readonly SqlValue[], body?: Uint8Array | null): Changes {
    const row = sealed(values)
    if (body !== undefined) row.push(body)
    return this.run(this.#put, ...row)
  }

  /** Changes or deletes rows. */
  run(sql: string, ...values: readonly SqlValue[]): Changes {
    return this.#do(sql, (statement) => statement.run(...values))
  }

  #do<T>(sql: string, work: (statement: Statement) => T): T {
    try {
      return work(this.#statement(sql))
    } catch (error) {
      // of libsql, a statement that has failed once fails for ever
      this.#statements.delete(sql)
      throw storeError(error, this.#database.file)
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      const columns = [...this.#table.columns, 'crc'].map((column) => `"${column}"`).join(', ')
      statement = this.#database.prepare(sql.replace('$', columns))
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Checksum of a body, for the column beside it; `null` where there is none. */
export function bodyChecksum(body: Body | undefined): number | null {
  return body === undefined ? null : crc32(body.bytes)
}

/** Body of a row, `undefined` where it has none. */
export function bodyOf({ codec, body }: Row): Body | undefined {
  return body instanceof Uint8Array ? { codec: Number(codec), bytes: body } : undefined
}

/** A number of a row. */
export function numberOf(row: Row, column: string): number {
  return Number(row[column])
}

/** A text of a row. */
export function textOf(row: Row, column: string): string {
  return String(row[column])
}

/** A number of a row that may have none. */
export function optionalNumber(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : numberOf(row, column)
}

/** A text of a row that may have none. */
export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column)
}
