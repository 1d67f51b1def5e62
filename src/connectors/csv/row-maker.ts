import type { CsvRow, CsvValue } from './types.js'

/** Makes an object of the values of a row, which are in the order of the columns. */
export type RowMaker = (values: readonly CsvValue[]) => CsvRow

/** Most columns for which code is compiled. Objects with more are slow in any case. */
const COMPILED = 500

/**
 * Maker of the rows of one header. All that it makes are plain objects of one shape: several times as fast to make, and
 * to read, as objects whose names come one by one. A name like `__proto__` is a name like any other.
 */
export function rowMaker(names: readonly string[]): RowMaker {
  return (names.length <= COMPILED ? compiled(names) : undefined) ?? copier(names)
}

/** Maker of compiled code; `undefined` where Node was told not to compile texts. */
function compiled(names: readonly string[]): RowMaker | undefined {
  const fields = names.map((name, index) => {
    const text = JSON.stringify(name)
    // in brackets it is a field, not the prototype
    return `${name === '__proto__' ? `[${text}]` : text}: values[${index}]`
  })
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the names are in it as literals of JSON, nothing else is
    return new Function('values', `return { ${fields.join(', ')} }`) as RowMaker
  } catch {
    return undefined
  }
}

/** Maker that copies a row without values. A name that is a field of it already is set as a field. */
function copier(names: readonly string[]): RowMaker {
  const blank = Object.fromEntries(names.map((name): [string, CsvValue] => [name, null]))
  return (values) => {
    const row = { ...blank }
    for (let index = 0; index < names.length; index++) row[names[index] as string] = values[index] as CsvValue
    return row
  }
}
