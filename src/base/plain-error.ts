import { isError, show, toError } from './errors.js'

/** An error as plain data: what a structured clone would lose (name, code, own fields) is kept. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly code?: string | number
  readonly stack?: string
  readonly cause?: PlainError
  /** The errors of an `AggregateError`. */
  readonly errors?: readonly PlainError[]
  /** Further own fields, where they are primitive. */
  readonly fields?: { readonly [key: string]: string | number | boolean | null }
}

// `data` is where parsers put what they could not parse: it may be anything, secrets too
const KNOWN_FIELDS = new Set(['name', 'message', 'code', 'stack', 'cause', 'errors', 'data'])

/** Longer texts are cut, in characters. */
const MAX_TEXT = 10_000

const MAX_DEPTH = 8

const MAX_ERRORS = 1000

/** Whatever was thrown, as plain data that survives a structured clone. Never throws. */
export function plainError(thrown: unknown): PlainError {
  return describe(toError(thrown), [], { left: MAX_ERRORS })
}

/**
 * @param above - the errors that this one is a part of, so that a circle ends
 * @param budget - how many more errors may be described, so that a web of errors ends too
 */
function describe(error: Error, above: readonly Error[], budget: { left: number }): PlainError {
  const path = [...above, error]
  const nested = (part: Error): PlainError[] =>
    path.length > MAX_DEPTH || path.includes(part) || budget.left-- <= 0 ? [] : [describe(part, path, budget)]
  const [code, stack, reason, errors] = ['code', 'stack', 'cause', 'errors'].map((key) => read(error, key))
  const [cause] = isError(reason) ? nested(reason) : []
  const fields = primitiveFields(error)
  return {
    name: text(read(error, 'name'), 'Error'),
    message: text(read(error, 'message'), 'an error without a readable message'),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(Array.isArray(errors) && isAggregate(error) ? { errors: errors.flatMap((one) => nested(toError(one))) } : {}),
    ...(fields === undefined ? {} : { fields }),
  }
}

/** A field of an error, `undefined` where it cannot be read. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as { readonly [key: string]: unknown })[key]
  } catch {
    return undefined
  }
}

function isAggregate(error: Error): boolean {
  try {
    return error instanceof AggregateError
  } catch {
    return false
  }
}

/** A field that is a string by its type; an error's author can still have put something else there. */
function text(value: unknown, otherwise: string): string {
  if (value === undefined) return otherwise
  if (typeof value !== 'string') return show(value)
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}\u2026 (${value.length} characters)` : value
}

function primitiveFields(error: Error): PlainError['fields'] {
  const fields = ownKeys(error)
    .filter((key) => !KNOWN_FIELDS.has(key))
    .map((key) => [key, read(error, key)] as const)
    .filter((entry): entry is [string, string | number | boolean | null] => {
      return entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1])
    })
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function ownKeys(error: Error): string[] {
  try {
    return Object.keys(error)
  } catch {
    return []
  }
}

/** The `Error` that {@link plainError} was made from: name, code, stack, cause and fields are as they were. */
export function restoreError(plain: PlainError): Error {
  const options = plain.cause === undefined ? {} : { cause: restoreError(plain.cause) }
  const error =
    plain.errors === undefined
      ? new Error(plain.message, options)
      : new AggregateError(plain.errors.map(restoreError), plain.message, options)
  const hidden = { configurable: true, enumerable: false, writable: true }
  Object.defineProperty(error, 'name', { ...hidden, value: plain.name })
  if (plain.stack !== undefined) Object.defineProperty(error, 'stack', { ...hidden, value: plain.stack })
  if (plain.code !== undefined) Object.assign(error, { code: plain.code })
  const { node, stage } = plain as { readonly node?: string; readonly stage?: string }
  return Object.assign(error, plain.fields, node === undefined ? {} : { node, stage })
}
