import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { InvalidOptionError, toError } from '../../base/errors.js'
import type { GivenRecord } from '../../threads/protocol/explanation.js'

/**
 * Reads records from a file: JSON lines, a JSON array, or one JSON value. A value with nothing but `payload` and `metadata` is a
 * record, any other one a payload.
 *
 * @param file - path, or `-` for standard input
 * @throws {@link InvalidOptionError} when it cannot be read or is no JSON
 */
export async function givenRecords(file: string): Promise<GivenRecord[]> {
  let text: string
  try {
    text = file === '-' ? await textOf(process.stdin) : readFileSync(file, 'utf8')
  } catch (thrown) {
    const cause = toError(thrown)
    throw new InvalidOptionError('--record', `a file that can be read (${cause.message})`, file, { cause })
  }
  return valuesIn(text.replace(/^\uFEFF/, ''), file).map(recordOf)
}

function valuesIn(text: string, file: string): readonly unknown[] {
  try {
    const whole: unknown = JSON.parse(text)
    return Array.isArray(whole) ? whole : [whole]
  } catch {
    const lines = text.split(/\r?\n/)
    return lines.flatMap((line, at) => {
      if (line.trim() === '') return []
      try {
        return [JSON.parse(line) as unknown]
      } catch (thrown) {
        const cause = toError(thrown)
        const expected = `JSON lines or a JSON array: line ${at + 1} is none`
        throw new InvalidOptionError('--record', expected, file, { cause })
      }
    })
  }
}

function recordOf(value: unknown): GivenRecord {
  if (typeof value !== 'object' || value === null || !('payload' in value)) return { payload: value }
  const { payload, metadata, ...others } = value as { payload: unknown; metadata?: unknown }
  if (Object.keys(others).length > 0) return { payload: value }
  if (metadata === undefined) return { payload }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return { payload: value }
  return { payload, metadata: metadata as NonNullable<GivenRecord['metadata']> }
}
