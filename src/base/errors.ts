import { inspect, types } from 'node:util'

/**
 * Base class of the errors that this package throws. `code` is stable across versions, the message is not.
 */
export class DatabayError extends Error {
  /** Stable identifier of the kind of error, like `DATABAY_MISSING_LINK`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    // the class's own name, also under a minifier that renames nothing but locals
    this.name = new.target.name
  }
}

/** An option or argument is not what it should be. The message names it, what was expected and what came. */
export class InvalidOptionError extends DatabayError {
  /** Name of the option, like `interval.seconds`. */
  readonly option: string

  constructor(option: string, expected: string, got: unknown, options?: ErrorOptions) {
    super('DATABAY_INVALID_OPTION', `${option}: expected ${expected}, got ${show(got)}`, options)
    this.option = option
  }
}

/** A link that is not in the planner was to be removed or transferred. */
export class MissingLinkError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_MISSING_LINK', message, options)
  }
}

/** What was given as an inlet or outlet is none, is already in the link, or is not in it. */
export class InvalidNodeError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_INVALID_NODE', message, options)
  }
}

/** A concrete inlet, outlet, processor, grouper or planner breaks its contract. */
export class ImplementationError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_IMPLEMENTATION', message, options)
  }
}

/** A link's interval is smaller than the refresh interval of its planner, so it could not be kept. */
export class ScheduleIntervalError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_SCHEDULE_INTERVAL', message, options)
  }
}

/** The planner is in a state in which the call makes no sense, such as started twice. */
export class PlannerStateError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_PLANNER_STATE', message, options)
  }
}

/** A link module cannot be used: missing, broken, or without links. */
export class LinkModuleError extends DatabayError {
  /** URL of the module. */
  readonly module: string

  constructor(module: string, message: string, options?: ErrorOptions) {
    super('DATABAY_LINK_MODULE', `${module}: ${message}`, options)
    this.module = module
  }
}

/** A transfer did not end within its link's `timeout`. */
export class TransferTimeoutError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_TRANSFER_TIMEOUT', message, options)
  }
}

/** A link or a link module did not start within the planner's `startTimeout`. */
export class StartTimeoutError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_START_TIMEOUT', message, options)
  }
}

/** What a planner, or a link, did not bring to an end within the `shutdownTimeout` was abandoned. */
export class ShutdownTimeoutError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_SHUTDOWN_TIMEOUT', message, options)
  }
}

/** A transfer was told to stop, because its planner shuts down without waiting, or the time for that is nearly over. */
export class TransferCancelledError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_TRANSFER_CANCELLED', message, options)
  }
}

/** A worker thread ended while it had work to do. */
export class ThreadLostError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_THREAD_LOST', message, options)
  }
}

/** A payload cannot be cloned, so its record cannot cross to another thread. */
export class UncloneableRecordError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_UNCLONEABLE_RECORD', message, options)
  }
}

/** Why an HTTP request came to nothing. */
export type HttpFailure = 'connection' | 'timeout' | 'status' | 'body' | 'redirect' | 'pages'

export interface HttpErrorOptions extends ErrorOptions {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
}

/**
 * A request failed, or its response cannot be used. The message names the URL without what may be secret in it:
 * credentials and query.
 */
export class HttpError extends DatabayError {
  /**
   * What failed: the `connection` (also DNS and TLS), the time ran out (`timeout`), the response's `status` is not
   * accepted, its `body` cannot be used, it leads where it must not (`redirect`), or there is no end of `pages`.
   */
  readonly failure: HttpFailure
  /** Status of the response; `undefined` when there is none. */
  readonly status: number | undefined
  /** How long the server asked to wait before another try, in milliseconds; `undefined` when it did not. */
  readonly retryAfter: number | undefined

  constructor(failure: HttpFailure, message: string, options?: HttpErrorOptions) {
    super('DATABAY_HTTP', message, options)
    this.failure = failure
    this.status = options?.status
    this.retryAfter = options?.retryAfter
  }
}

/** A file cannot be read or written. `cause` is the error of the system. */
export class FileError extends DatabayError {
  /** Path of the file. */
  readonly path: string

  constructor(path: string, message: string, options?: ErrorOptions) {
    super('DATABAY_FILE', message, options)
    this.path = path
  }
}

/**
 * A database cannot be reached, or refuses what it was asked to do. The message names the connector and where, and shows
 * neither credentials nor documents. `cause` is the error of the driver, unless that holds documents.
 */
export class DatabaseError extends DatabayError {
  /** Number under which the database knows the error, like 11000 for a duplicate key; `undefined` when it gave none. */
  readonly serverCode: number | undefined

  constructor(message: string, options?: ErrorOptions & { readonly serverCode?: number | undefined }) {
    super('DATABAY_DATABASE', message, options)
    this.serverCode = options?.serverCode
  }
}

/** A record is for a MongoDB collection that does not exist, and that is not to be made. */
export class MongoCollectionNotFound extends DatabayError {
  /** Name of the collection. */
  readonly collection: string

  constructor(collection: string, message: string, options?: ErrorOptions) {
    super('DATABAY_MONGO_COLLECTION_NOT_FOUND', message, options)
    this.collection = collection
  }
}

/** An outlet cannot take a record because of its payload. The message never shows the payload. */
export class InvalidPayloadError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_INVALID_PAYLOAD', message, options)
  }
}

const PARTIAL_PUSH = 'DATABAY_PARTIAL_PUSH'

/** A record that an outlet did not take. */
export interface RejectedRecord {
  /** Its place in the batch. */
  readonly index: number
  readonly error: Error
}

/** How many reasons, and how many places of records for each of them, the message of a {@link PartialPushError} names. */
const SHOWN_REASONS = 3
const SHOWN_PLACES = 10

/**
 * What an outlet's `push` rejects with when it took some records of its batch and not the others. A transfer counts
 * those that were taken as pushed, and the rest as dropped. The message names the places of a few of them in the batch,
 * from 0, and why they were not taken. The first of their errors is the `cause`.
 */
export class PartialPushError extends DatabayError {
  /** How many records of the batch were taken. */
  readonly taken: number
  /** Not enumerable, so that no log line holds all of them: they can be as many as the records of a batch. */
  declare readonly rejected: readonly RejectedRecord[]

  /** @param outlet - name of the outlet, for the message */
  constructor(outlet: string, taken: number, rejected: readonly RejectedRecord[]) {
    const total = taken + rejected.length
    const message = [`${outlet}: ${rejected.length} of ${total} records were not taken`, ...reasons(rejected)].join(
      ': ',
    )
    super(PARTIAL_PUSH, message, { cause: rejected[0]?.error })
    this.taken = taken
    Object.defineProperty(this, 'rejected', { value: rejected })
  }
}

function reasons(rejected: readonly RejectedRecord[]): string[] {
  if (rejected.length === 0) return []
  const places = new Map<string, number[]>()
  for (const { index, error } of rejected) {
    const same = places.get(error.message)
    if (same === undefined) places.set(error.message, [index])
    else same.push(index)
  }
  const texts = [...places].slice(0, SHOWN_REASONS).map(([why, indices]) => {
    const more = indices.length > SHOWN_PLACES ? ', \u2026' : ''
    return `${why} (${indices.length === 1 ? 'record' : 'records'} ${indices.slice(0, SHOWN_PLACES).join(', ')}${more})`
  })
  return [texts.join('; ') + (places.size > SHOWN_REASONS ? '; \u2026' : '')]
}

/** An optional package is needed and not installed. The message says what to install. */
export class MissingDependencyError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_MISSING_DEPENDENCY', message, options)
  }
}

/** How many records of its batch a `push` took all the same, that rejected with `error`, of this or of another copy of this package. */
export function takenDespite(error: unknown): number {
  if (!isError(error) || !('code' in error) || error.code !== PARTIAL_PUSH) return 0
  return 'taken' in error && Number.isSafeInteger(error.taken) ? (error.taken as number) : 0
}

/** A value for a message: short, on one line, never a whole payload. Never throws. */
export function show(value: unknown): string {
  const text = inspected(value).replaceAll(/\s*\n\s*/g, ' ')
  return text.length > 200 ? `${text.slice(0, 200)}\u2026` : text
}

/** What sort of value it is, for messages that must not show it, such as a payload: `undefined`, `a string`, `a Date`. */
export function sortOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  try {
    const { name } = value.constructor as { readonly name?: unknown }
    if (typeof name === 'string' && name !== '' && name !== 'Object')
      return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
  } catch {
    // it has no prototype, or does not tell
  }
  return 'an object'
}

function inspected(value: unknown): string {
  try {
    if (isError(value)) return String(value) // without its stack
    if (value instanceof URL) return `URL ${value.origin}${value.pathname}` // without credentials and query
    return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 100 })
  } catch {
    return `something that cannot be shown (${typeof value})`
  }
}

/** Whether `value` is an `Error`, of this or of another realm. Never throws. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || types.isNativeError(value)
  } catch {
    return false // a proxy may throw at whatever it is asked
  }
}

/** Whatever was thrown, as an `Error`. Applied once, where user code is called. Never throws. */
export function toError(thrown: unknown): Error {
  if (isError(thrown)) return thrown
  try {
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return fromLookalike(thrown)
  } catch {
    // not even readable
  }
  return new Error(`something other than an Error was thrown: ${show(thrown)}`, { cause: thrown })
}

/** An `Error` from an object that only looks like one. */
function fromLookalike(thrown: { message: unknown; name?: unknown; code?: unknown }): Error {
  const { message, name, code } = thrown
  const error = new Error(typeof message === 'string' ? message : show(message), { cause: thrown })
  if (typeof name === 'string') error.name = name
  return code === undefined ? error : Object.assign(error, { code })
}
