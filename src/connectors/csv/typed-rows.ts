import type { CsvRow, CsvType } from './types.js'

/** Types of columns, by name. */
export type CsvTypes = { readonly [column: string]: CsvType }

/** Treatment of rows with fewer cells than columns. */
export type ShortRows = 'error' | 'fill'

/** The types of columns where none are given. */
export type AllText = { readonly [column: string]: 'string' }

/** The options that say what rows look like. */
export interface CsvTyping<C, S, B, Y> {
  readonly columns?: C
  readonly shortRows?: S
  readonly bigIntegers?: B
  readonly types?: Y
}

/**
 * Type of the rows of a file: exactly the columns that are listed, or else those that have a type, beside others. It is
 * {@link CsvRow} where neither is written out.
 *
 * @typeParam C - names of all columns
 * @typeParam S - treatment of rows with fewer cells than columns
 * @typeParam B - treatment of integers that a number cannot hold
 * @typeParam Y - types of columns, by name
 */
export type CsvRowOf<C extends readonly string[], S, B, Y extends CsvTypes> = string extends C[number]
  ? string extends keyof Y
    ? CsvRow
    : { readonly [K in keyof Y]: Cell<Y[K], S, B> } & CsvRow
  : { readonly [K in C[number]]: Cell<K extends keyof Y ? Y[K] : 'string', S, B> }

/** Values of the cells of a column. Only a cell of text may not be empty. */
type Cell<T, S, B> = T extends 'string' ? string | Missing<S> : Typed<B>[T & keyof Typed<B>] | null

/** What stands for a cell that a row does not have. */
type Missing<S> = [S] extends ['fill'] ? null : never

interface Typed<B> {
  number: number | Big<B>
  bigint: bigint
  boolean: boolean
  date: Date
}

/** What integers are read as that a number cannot hold. */
type Big<B> = [B] extends ['bigint'] ? bigint : [B] extends ['string'] ? string : never
