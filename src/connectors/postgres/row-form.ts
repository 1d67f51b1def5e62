import type { CustomTypesConfig, FieldDef } from 'pg'
import { DatabaseError } from '../errors.js'
import { missingColumn } from './catalog.js'
import { advanced, type Position } from './position.js'
import { DIGEST, type Order } from './select.js'
import type { ValueParser, ValueTypes } from './value-types.js'

/** A row, as it is in the payload of a record. */
export interface Row {
  readonly [column: string]: unknown
}

/**
 * The columns of a result, and how their values are read, which is chosen once. The texts of those by which rows are ordered are
 * noted on the way, as positions are made of them.
 */
export class RowForm {
  readonly #where: string
  readonly #order: Order | undefined
  readonly #parsers: ValueParser[]
  /** Texts of the columns by which rows are ordered, of the row that was read last. */
  readonly #last: string[]
  /** Number of values that each of them had in the list: those that are null are not read. */
  readonly #counts: number[]
  /** Without keys, texts of the cursor column, and digests. */
  #values: string[] = []
  #digests: string[] = []
  /** Rows at the position that were read already, by their digests, and how often. */
  readonly #seen = new Map<string, number>()

  constructor(
    where: string,
    order: Order | undefined,
    fields: readonly FieldDef[],
    types: ValueTypes,
    position: Position | undefined,
  ) {
    const names = fields.map(({ name }) => name)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) {
      throw new DatabaseError(`PostgresInlet: ${where} has two columns named ${twice}: name one of them by AS`)
    }
    this.#where = where
    this.#order = order
    this.#parsers = fields.map(({ name, dataTypeID }) => types.parser(name, dataTypeID))
    const ordered = order === undefined ? [] : [order.column, ...(order.keys ?? [])]
    this.#last = ordered.map(() => '')
    this.#counts = ordered.map(() => 0)
    for (const [place, column] of ordered.entries()) {
      const at = names.indexOf(column)
      const parser = this.#parsers[at]
      if (parser === undefined) throw missingColumn('PostgresInlet', where, column, names)
      this.#parsers[at] = this.#noting(place, parser)
    }
    if (order !== undefined && order.keys === undefined) this.#noteDigests(names)
    for (const digest of position?.seen ?? []) this.#seen.set(digest, (this.#seen.get(digest) ?? 0) + 1)
  }

  /** How the driver reads the values of a list. */
  types(): CustomTypesConfig {
    let at = 0
    const next = () => this.#parsers[at++]
    return { getTypeParser: next as CustomTypesConfig['getTypeParser'] }
  }

  /**
   * Takes a list of rows as the driver has read it.
   *
   * @param before - position before it
   * @returns those that were not read already, and the position behind them
   */
  take(rows: Row[], before: Position | undefined): { readonly rows: Row[]; readonly position: Position | undefined } {
    const order = this.#order
    if (order === undefined) return { rows, position: undefined }
    if (order.keys === undefined) return this.#takeUnseen(rows, before)
    if (rows.length === 0) return { rows, position: before }
    const without = this.#counts.findIndex((count) => count !== rows.length)
    this.#counts.fill(0)
    if (without !== -1) {
      const key = [order.column, ...order.keys][without] ?? ''
      throw new DatabaseError(
        `PostgresInlet: ${this.#where}: ${key} is null, so that the row has no place in the order`,
      )
    }
    return { rows, position: { values: [...this.#last], seen: [] } }
  }

  #noting(place: number, parser: ValueParser): ValueParser {
    const [last, counts] = [this.#last, this.#counts]
    return (text) => {
      last[place] = text
      counts[place] = (counts[place] ?? 0) + 1
      return parser(text)
    }
  }

  /** Has the value of the cursor column and the digest of each row noted. */
  #noteDigests(names: readonly string[]): void {
    const column = names.indexOf(this.#order?.column ?? '')
    const value = this.#parsers[column]
    if (value === undefined) return
    this.#parsers[column] = (text) => {
      this.#values.push(text)
      return value(text)
    }
    this.#parsers[names.indexOf(DIGEST)] = (text) => this.#digests.push(text)
  }

  #takeUnseen(rows: readonly Row[], before: Position | undefined) {
    const [values, digests] = [this.#values, this.#digests]
    this.#values = []
    this.#digests = []
    const places = [...rows.keys()].filter((place) => !this.#isSeen(digests[place] ?? ''))
    const text = (list: readonly string[]) => places.map((place) => list[place] ?? '')
    return {
      rows: places.map((place) => withoutDigest(rows[place] ?? {})),
      position: advanced(before, text(values), text(digests)),
    }
  }

  #isSeen(digest: string): boolean {
    const count = this.#seen.get(digest) ?? 0
    if (count > 0) this.#seen.set(digest, count - 1)
    return count > 0
  }
}

function withoutDigest({ [DIGEST]: _digest, ...row }: Row): Row {
  return row
}
