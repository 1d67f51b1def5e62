import { InvalidOptionError } from '../base/errors.js'

/** A time in the past: so many milliseconds ago, or a time in milliseconds since 1970. */
export type Past = { readonly ago: number } | { readonly at: number }

const UNITS: { readonly [unit: string]: number } = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads a time in the past: a length of time, or a date. */
export function checkPast(option: string, text: string): Past {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(s|min|h|d)$/.exec(text) ?? []
  if (number !== undefined) return { ago: Number(number) * (UNITS[unit] ?? 0) }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return { at }
  const expected = 'a length of time such as 90s, 10min, 1h or 7d, or a date such as 2026-01-31 or 2026-01-31T14:00:00Z'
  throw new InvalidOptionError(option, expected, text)
}

/** A time in the past, in milliseconds since 1970. */
export function timeOf(past: Past, now: number): number {
  return 'at' in past ? past.at : now - past.ago
}
