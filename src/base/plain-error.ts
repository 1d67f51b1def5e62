import { isError, reviveClass, show, toError } from './errors.js'
import { scrub } from './scrub.js'

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

/** Most characters of a message or a stack, and of the texts that identify an error. */
const LONG_TEXT = 10_000
const SHORT_TEXT = 200

/** Characters of a text in which secrets are looked for: far more than what is left of it. */
const LONGEST_SCRUBBED = 1_048_576

/** Most own fields of an error, and most characters of one that is a text. */
const MAX_FIELDS = 50
const LONG_FIELD = 1000

/** Most errors on the way from an error to one of its causes. */
const MAX_DEPTH = 8

/**
 * What may still be said of errors: however many there are, and whatever their shape, a report or a log line stays
 * small. What is left out is said to be.
 */
export interface ErrorBudget {
  /** Number of characters. When none is left, an error is still told by its name and the beginning of its message. */
  characters: number
  /** Number of further errors: causes, and those of an `AggregateError`. */
  errors: number
}

/** The budget of one error with all its parts. */
export function errorBudget(): ErrorBudget {
  return { characters: 64 * 1024, errors: 1000 }
}

/**
 * Whatever was thrown, as plain data that survives a structured clone. Never throws.
 *
 * @param budget - what may be said of it; less is left afterwards
 */
export function plainError(thrown: unknown, budget: ErrorBudget = errorBudget()): PlainError {
  return describe(toError(thrown), [], budget)
}

/** @param above - the errors that this one is a part of, so that a circle ends */
function describe(error: Error, above: readonly Error[], budget: ErrorBudget): PlainError {
  const path = [...above, error]
  const isShown = (part: Error) => path.length <= MAX_DEPTH && !path.includes(part) && budget.errors > 0
  const nested = (part: Error): PlainError[] => {
    if (!isShown(part)) return []
    budget.errors--
    return [describe(part, path, budget)]
  }
  const name = text(read(error, 'name'), 'Error', SHORT_TEXT, budget)
  const message = text(read(error, 'message'), 'an error without a readable message', LONG_TEXT, budget)
  const [code, stack, reason, errors] = ['code', 'stack', 'cause', 'errors'].map((key) => read(error, key))
  const shownStack = typeof stack === 'string' && budget.characters > 0 ? cut(stack, LONG_TEXT, budget) : undefined
  const fields = primitiveFields(error, budget)
  const [cause] = isError(reason) ? nested(reason) : []
  return {
    name,
    message,
    ...(typeof code === 'number' ? { code } : typeof code === 'string' ? { code: cut(code, SHORT_TEXT, budget) } : {}),
    ...(shownStack === undefined ? {} : { stack: shownStack }),
    ...(cause === undefined ? {} : { cause }),
    ...(Array.isArray(errors) && isAggregate(error) ? { errors: partsOf(errors, nested) } : {}),
    ...(fields === undefined ? {} : { fields }),
  }
}

/** The errors of an `AggregateError`, as far as the budget allows, and how many more there are. */
function partsOf(errors: readonly unknown[], nested: (part: Error) => PlainError[]): PlainError[] {
  const parts: PlainError[] = []
  for (const [at, one] of errors.entries()) {
    const [part] = nested(toError(one))
    if (part !== undefined) parts.push(part)
    else return [...parts, { name: 'Error', message: `${errors.length - at} more errors, which are left out` }]
  }
  return parts
}

/** A text without secrets, cut to what a limit and the budget allow. */
function cut(whole: string, limit: number, budget: ErrorBudget): string {
  const value = scrub(whole.slice(0, LONGEST_SCRUBBED))
  const most = Math.max(Math.min(limit, budget.characters), Math.min(limit, SHORT_TEXT))
  budget.characters -= Math.min(value.length, most)
  return value.length > most ? `${value.slice(0, most)}\u2026 (${whole.length} characters)` : value
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
function text(value: unknown, otherwise: string, limit: number, budget: ErrorBudget): string {
  if (value === undefined) return otherwise
  return cut(typeof value === 'string' ? value : show(value), limit, budget)
}

function primitiveFields(error: Error, budget: ErrorBudget): PlainError['fields'] {
  const fields: [string, string | number | boolean | null][] = []
  for (const key of ownKeys(error)) {
    if (KNOWN_FIELDS.has(key) || key.length > SHORT_TEXT) continue
    const value = read(error, key)
    const isPrimitive = value === null || ['string', 'number', 'boolean'].includes(typeof value)
    if (!isPrimitive) continue
    if (fields.length === MAX_FIELDS || budget.characters <= 0) break
    fields.push([key, typeof value === 'string' ? cut(value, LONG_FIELD, budget) : (value as number | boolean | null)])
  }
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

function ownKeys(error: Error): string[] {
  try {
    return Object.keys(error)
  } catch {
    return []
  }
}

/**
 * The `Error` that {@link plainError} was made from: name, code, stack, cause and fields are as they were, and an error of
 * this package is of its class again.
 */
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
  if (plain.errors === undefined) reviveClass(error)
  const { node, stage, round } = plain as { readonly node?: string; readonly stage?: string; readonly round?: number }
  const place = round === undefined ? { node, stage } : { node, stage, round }
  return Object.assign(error, plain.fields, node === undefined ? {} : place)
}
