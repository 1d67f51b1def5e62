import type { Buffer } from 'node:buffer'
import { unitAt, type TextUnits } from './text-units.js'

/**
 * End of a run of NULs. Such a run precedes a line when a file was truncated while its writer went on at the old place,
 * as `copytruncate` has it, or when a machine lost power.
 */
export function endOfNuls(bytes: Buffer, start: number, units: TextUnits): number {
  const { size } = units
  let at = start
  while (at + size <= bytes.length && unitAt(bytes, at, units) === 0) at += size
  return at
}
