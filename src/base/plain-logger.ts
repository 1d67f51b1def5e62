import { format } from 'node:util'
import { toError } from './errors.js'
import { plainError } from './plain-error.js'

/** Names of the methods of a logger, with the level that stands in its lines. */
const METHODS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const

/** Logger of the fields that every line has. */
export type PlainLogger = { readonly [method in keyof typeof METHODS | 'silent']: (...args: unknown[]) => void }

/**
 * Logger that needs no library, for when that cannot be loaded. It writes lines like the other's, and takes the same
 * arguments: fields or an error, if any, then a format with its values.
 *
 * @param base - fields of every line
 * @param isLogged - whether lines of a level are logged
 * @param write - takes the lines
 */
export function plainLogger(
  base: object,
  isLogged: (level: keyof typeof METHODS) => boolean,
  write: (line: string) => void,
): PlainLogger {
  const methods = Object.entries(METHODS).map(([name, level]) => {
    const log = (...args: unknown[]) => {
      if (isLogged(name as keyof typeof METHODS)) write(lineOf({ level, time: Date.now(), ...base }, args))
    }
    return [name, log] as const
  })
  return { ...(Object.fromEntries(methods) as Omit<PlainLogger, 'silent'>), silent: () => undefined }
}

function lineOf(base: object, [first, ...others]: unknown[]): string {
  try {
    const hasFields = typeof first === 'object' && first !== null
    const fields = first instanceof Error ? { err: first, msg: first.message } : hasFields ? first : {}
    const text = hasFields ? others : [first, ...others]
    const msg = text.length === 0 ? {} : { msg: format(...text) }
    return `${JSON.stringify({ ...base, ...fields, ...msg }, showError)}\n`
  } catch (thrown) {
    return `${JSON.stringify({ ...base, msg: `a line could not be logged: ${toError(thrown).message}` })}\n`
  }
}

function showError(_: string, value: unknown): unknown {
  return value instanceof Error ? plainError(value) : value
}
