import { Buffer } from 'node:buffer'
import { extendedJson } from '../../../base/bson.js'
import type { Steps } from '../../../base/payload-path.js'
import { checkFieldsBeside, noForm } from '../../serialize.js'

/*
 * Texts of values as the server reads them, in JSON and by COPY alike.
 */

/** Most lists within lists that a value may have. */
export const MOST_DIMENSIONS = 64

/** Start of the year 1, and of the year 10000: between them the ISO text of a date is also that of the server. */
const YEAR_1 = -62_135_596_800_000
const YEAR_10000 = 253_402_300_800_000

/** Whether the ISO text of a date is also that of the server. */
export function isIsoDate(date: Date): boolean {
  const time = date.getTime()
  return time >= YEAR_1 && time < YEAR_10000
}

/**
 * Text of a date.
 *
 * @throws {@link LossError} when it is invalid
 */
export function dateText(steps: Steps, date: Date): string {
  if (Number.isNaN(date.getTime())) throw noForm(steps, date)
  checkFieldsBeside(steps, date)
  const iso = date.toISOString()
  if (isIsoDate(date)) return iso
  const [, year = '', rest = ''] = /^([+-]?\d+)(-.*)$/.exec(iso) ?? []
  // the year before 1 is 0 in ISO, and 1 BC for the server
  return Number(year) > 0 ? `${Number(year)}${rest}` : `${String(1 - Number(year)).padStart(4, '0')}${rest} BC`
}

/** Text of any number, also of those that JSON does not have. */
export function numberText(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0' : String(value)
}

/** Whether a value is bytes, as a Buffer is. */
export function isBytes(value: object): value is Uint8Array {
  return value instanceof Uint8Array
}

/** Bytes that a value is or has, as a Buffer and a Binary of BSON do; `undefined` for any other. */
export function bytesOf(value: object): Uint8Array | undefined {
  if (isBytes(value)) return value
  const { $binary } = extendedJson(value) ?? {}
  return $binary === undefined ? undefined : Buffer.from(($binary as { readonly base64: string }).base64, 'base64')
}

/** Digits of bytes, as the server reads them. */
export function hexText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
