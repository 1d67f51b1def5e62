import type { CustomTypesConfig, FieldDef } from 'pg'
import { DatabaseError } from '../../errors.js'
import { missingColumn } from '../missing.js'
import { isSame, markOf, MOST_SEEN, type Position } from './position.js'
import { MARK, type Order } from './select.js'
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
  /** Names of the cursor column and the keys, or of the column of marks. */
  readonly #names: readonly string[]
  /** Texts of these columns, row by row. */
  #texts: string[][]
  /** Value of the cursor column at the position. */
  readonly #value: string
  /** Rows with that value that were read already, by their marks, and how often. */
  readonly #seen = new Map<string, number>()

  /** @param position - position behind which rows are read */
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
    this.#names = order === undefined ? [] : [order.column, ...(order.keys ?? [MARK])]
    this.#texts = this.#names.map(() => [])
    for (const [place, column] of this.#names.entries()) {
      const at = names.indexOf(column)
      const parser = this.#parsers[at]
      if (parser === undefined) throw missingColumn('PostgresInlet', where, column, names)
      this.#parsers[at] = (text) => {
        this.#texts[place]?.push(text)
        return parser(text)
      }
    }
    this.#value = position?.values[0] ?? ''
    for (const mark of position?.seen ?? []) this.#seen.set(mark, (this.#seen.get(mark) ?? 0) + 1)
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
    if (order === undefined || rows.length === 0) return { rows, position: before }
    const texts = this.#texts
    this.#texts = this.#names.map(() => [])
    const without = texts.findIndex((list) => list.length !== rows.length)
    if (without !== -1) {
      const name = this.#names[without] ?? ''
      throw new DatabaseError(`PostgresInlet: ${this.#where}: a row has no place in the order, as its ${name} is null`)
    }
    const fresh = this.#unseen(rows, texts)
    const given =
      order.keys === undefined
        ? fresh.map((at) => withoutMark(rows[at] ?? {}))
        : fresh.length === rows.length
          ? rows
          : fresh.map((at) => rows[at] ?? {})
    return { rows: given, position: this.#behind(order, texts, fresh, before) }
  }

  /** Places of the rows that were not read already. */
  #unseen(rows: readonly Row[], texts: readonly string[][]): number[] {
    const all = [...rows.keys()]
    if (this.#seen.size === 0) return all
    const [values = []] = texts
    const other = values.findIndex((value) => !isSame(value, this.#value))
    const end = other === -1 ? rows.length : other
    const fresh = all.filter((at) => at >= end || !this.#isSeen(this.#mark(texts, at)))
    // in their order, none with that value follows
    if (other !== -1) this.#seen.clear()
    return fresh
  }

  #isSeen(mark: string): boolean {
    const count = this.#seen.get(mark)
    if (count === undefined) return false
    if (count === 1) this.#seen.delete(mark)
    else this.#seen.set(mark, count - 1)
    return true
  }

  #mark(texts: readonly string[][], at: number): string {
    const keys = texts.slice(1).map((list) => list[at] ?? '')
    // the server has made one
    return this.#order?.keys === undefined ? (keys[0] ?? '') : markOf(keys)
  }

  #behind(
    { keys, isPlain }: Order,
    texts: readonly string[][],
    fresh: readonly number[],
    before: Position | undefined,
  ): Position {
    const [values = []] = texts
    const end = values.length - 1
    const last = values[end] ?? ''
    const ends = keys === undefined ? [last] : texts.map((list) => list[end] ?? '')
    // its values are unique, or may be written in several ways
    if (keys?.length === 0 || !isPlain) return { values: ends, seen: [] }
    const isAtBefore = before !== undefined && isSame(before.values[0] ?? '', last)
    const seen = isAtBefore ? before.seen : []
    // rows with the same value that were read before are known no more
    if (isAtBefore && seen.length === 0 && before.values.length > 1) return { values: ends, seen: [] }
    const marks: string[] = []
    for (const at of fresh) if (isSame(values[at] ?? '', last)) marks.push(this.#mark(texts, at))
    const isMany = keys !== undefined && seen.length + marks.length > MOST_SEEN
    return { values: ends, seen: isMany ? [] : [...seen, ...marks] }
  }
}

function withoutMark({ [MARK]: _mark, ...row }: Row): Row {
  return row
}
