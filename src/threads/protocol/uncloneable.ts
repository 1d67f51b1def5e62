import { UncloneableRecordError } from '../../base/errors.js'
import { Record } from '../../core/record.js'

/**
 * Makes the error for records that a structured clone refused: it names the inlet, and the place in the record.
 *
 * @param cause - what the clone threw
 */
export function uncloneable(records: readonly Record[], cause: unknown): Error {
  for (const [index, record] of records.entries()) {
    const path = findUncloneable(record.payload, 'payload') ?? findUncloneable(record.metadata, 'metadata')
    if (path === undefined) continue
    const inlet = record.metadata['__inlet__']
    const from = typeof inlet === 'string' ? ` of ${inlet}` : ''
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    return new UncloneableRecordError(
      `record ${index}${from} cannot cross to a thread: ${path} cannot be cloned${why}`,
      {
        cause,
      },
    )
  }
  return new UncloneableRecordError('records cannot cross to a thread: something in them cannot be cloned', { cause })
}

/** Finds the innermost part of `value` that cannot be cloned. Gives its path, or `undefined` when all can be cloned. */
function findUncloneable(value: unknown, path: string, seen = new Set<unknown>()): string | undefined {
  if (clones(value)) return undefined
  if (typeof value !== 'object' || value === null || seen.has(value)) return path
  seen.add(value)
  for (const key of Object.keys(value)) {
    const inner = path + (Array.isArray(value) ? `[${key}]` : `.${key}`)
    let found: string | undefined
    try {
      const part = (value as { readonly [key: string]: unknown })[key]
      if (!seen.has(part)) found = findUncloneable(part, inner, seen)
    } catch {
      found = inner // reading it throws
    }
    if (found !== undefined) return found
  }
  return path
}

function clones(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
