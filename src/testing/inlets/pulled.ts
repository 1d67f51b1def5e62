import { isRecord } from '../../core/record.js'

/** List of the records and payloads that a pull gave. */
export function listOf(pulled: unknown): unknown[] {
  return Array.isArray(pulled) ? Array.from(pulled as unknown[]) : [pulled]
}

/** Payloads of the records and payloads that a pull gave. */
export function payloadsOf(pulled: unknown): unknown[] {
  return listOf(pulled).map((item) => (isRecord(item) ? item.payload : item))
}
