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

/** An optional package is needed and not installed. The message says what to install. */
export class MissingDependencyError extends DatabayError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATABAY_MISSING_DEPENDENCY', message, options)
  }
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
