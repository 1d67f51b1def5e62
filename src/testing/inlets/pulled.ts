import { isRecord } from '../../core/record.js'

/** List of what a pull gave: records, payloads, or both. */
export function listOf(pulled: unknown): unknown[] {
  return Array.isArray(pulled) ? Array.from(pulled as unknown[]) : [pulled]
}

/** Payloads of what a pull gave. */
export function payloadsOf(pulled: unknown): unknown[] {
  return listOf(pulled).map((item) => (isRecord(item) ? item.payload : item))
}
