import { crc32 } from 'node:zlib'
import type { SqlValue } from './sqlite.js'

/*
 * SQLite does not notice when a byte of a row changes on the disk. So each row has a checksum of its other columns.
 */

/** Checksum of the values of a row, in the order of their columns. */
export function checksum(values: readonly SqlValue[]): number {
  let text = ''
  for (const value of values) {
    if (value === null) text += 'n,'
    else if (typeof value === 'number') text += `${value},`
    // a text has its length before it, so that no two rows have the same text
    else if (typeof value === 'string') text += `${value.length}:${value},`
    else text += `${crc32(value)}b,`
  }
  return crc32(text)
}

/** Values of a row as they are stored, and their checksum behind them. */
export function sealed(values: readonly SqlValue[]): SqlValue[] {
  const stored = values.map((value) =>
    // libsql ends a text at the first NUL
    typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value,
  )
  stored.push(checksum(stored))
  return stored
}
