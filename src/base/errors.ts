import { inspect, types } from 'node:util'
import { scrub, scrubData } from './scrub.js'

/** Options of an error of this package. */
export interface DatabayErrorOptions extends ErrorOptions {
  /** Whether what failed may succeed when it is tried again: see {@link DatabayError.retryable}. */
  readonly retryable?: boolean | undefined
}

/**
 * Base class of all errors that this package throws. The `code` is stable across versions, the message is not.
 *
 * A subclass states its code as the static field `code`; every instance carries it, so that it can be compared with
 * errors of another copy of this package, and with errors that came from another thread.
 */
export class DatabayError extends Error {
  /** Code of all errors of the class. */
  static readonly code: string = 'DATABAY'

  /** Value of {@link DatabayError.retryable} of all errors of the class that are not given another. */
  static readonly retryable: boolean | undefined = undefined

  /**
   * Whether what failed may succeed when it is tried again. `false` for an error of a record, which is refused each time;
   * absent for most errors of an outlet or source. A link with `delivery` goes by it.
   */
  declare readonly retryable?: boolean

  /** Stable identifier of the kind of error, like `DATABAY_MISSING_LINK`. */
  readonly code: string

  constructor(message: string, options?: DatabayErrorOptions) {
    super(message, options)
    this.code = new.target.code
    const retryable = options?.retryable ?? new.target.retryable
    if (retryable !== undefined) this.retryable = retryable
    // the class's own name, also under a minifier that renames nothing but locals
    // an assignment fails where the application has frozen Error.prototype
    const name = { value: new.target.name, enumerable: true, configurable: true, writable: true }
    Object.defineProperty(this, 'name', name)
  }
}

/** An option or argument is not what it should be. The message names it, what was expected and what came. */
export class InvalidOptionError extends DatabayError {
  static override readonly code = 'DATABAY_INVALID_OPTION'

  /** Name of the option, like `interval.seconds`. */
  readonly option: string

  /** @param options - `hint`: what was probably meant, for the end of the message */
  constructor(
    option: string,
    expected: string,
    got: unknown,
    options?: ErrorOptions & { readonly hint?: string | undefined },
  ) {
    const hint = options?.hint === undefined ? '' : `: ${options.hint}`
    super(`${option}: expected ${expected}, got ${show(got)}${hint}`, options)
    this.option = option
  }
}

/** The planner does not have the link that it was asked to remove or transfer. */
export class MissingLinkError extends DatabayError {
  static override readonly code = 'DATABAY_MISSING_LINK'
}

/** A value is not the inlet or outlet it was passed as, or the link has that node already, or does not have it. */
export class InvalidNodeError extends DatabayError {
  static override readonly code = 'DATABAY_INVALID_NODE'
}

/** A concrete inlet, outlet, processor, grouper or planner breaks its contract. */
export class ImplementationError extends DatabayError {
  static override readonly code = 'DATABAY_IMPLEMENTATION'
}

/** The interval of a link is shorter than the refresh interval of its planner, so it could not be kept. */
export class ScheduleIntervalError extends DatabayError {
  static override readonly code = 'DATABAY_SCHEDULE_INTERVAL'
}

/** A call does not fit the state of the planner, such as a second start. */
export class PlannerStateError extends DatabayError {
  static override readonly code = 'DATABAY_PLANNER_STATE'
}

/** A link module cannot be used: it is missing or broken, or exports no links. */
export class LinkModuleError extends DatabayError {
  static override readonly code = 'DATABAY_LINK_MODULE'

  /** URL of the module. */
  readonly module: string

  constructor(module: string, message: string, options?: ErrorOptions) {
    super(`${module}: ${message}`, options)
    this.module = module
  }
}

/** A configuration file cannot be used: it is missing or broken, or says what does not hold. */
export class ConfigError extends DatabayError {
  static override readonly code = 'DATABAY_CONFIG'

  /** Path of the file. */
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options)
    this.file = file
  }
}

/** A transfer did not end within its link's `timeout`. */
export class TransferTimeoutError extends DatabayError {
  static override readonly code = 'DATABAY_TRANSFER_TIMEOUT'
}

/** A link or a link module did not start within the planner's `startTimeout`. */
export class StartTimeoutError extends DatabayError {
  static override readonly code = 'DATABAY_START_TIMEOUT'
}

/** A planner or a link did not finish its shutdown within the `shutdownTimeout`; the rest was abandoned. */
export class ShutdownTimeoutError extends DatabayError {
  static override readonly code = 'DATABAY_SHUTDOWN_TIMEOUT'
}

/** A transfer was cancelled: its planner shuts down without waiting, or has hardly any time left for it. */
export class TransferCancelledError extends DatabayError {
  static override readonly code = 'DATABAY_TRANSFER_CANCELLED'
}

/** A worker thread ended while it had work to do. */
export class ThreadLostError extends DatabayError {
  static override readonly code = 'DATABAY_THREAD_LOST'
}

/** A payload cannot be copied: for another outlet, or so that its record can cross to another thread. */
export class UncloneableRecordError extends DatabayError {
  static override readonly code = 'DATABAY_UNCLONEABLE_RECORD'

  static override readonly retryable = false
}

/** An optional package is needed but cannot be loaded. The message says what to install. */
export class MissingDependencyError extends DatabayError {
  static override readonly code = 'DATABAY_MISSING_DEPENDENCY'
}

/** A variable of the environment is missing, or a secret cannot be read. The message has its name, never a value. */
export class EnvironmentError extends DatabayError {
  static override readonly code = 'DATABAY_ENVIRONMENT'

  /** Name of the variable. */
  readonly variable: string

  /** File, line and column that asked for it; `undefined` when they are not known. */
  readonly place: string | undefined

  constructor(variable: string, what: string, place: string | undefined) {
    super(`${variable} ${what}${place === undefined ? '' : ` (${place})`}`)
    this.variable = variable
    this.place = place
  }
}

/** The prototypes of errors of this package, by their codes. */
const PROTOTYPES: ReadonlyMap<string, object> = new Map(
  [
    InvalidOptionError,
    MissingLinkError,
    InvalidNodeError,
    ImplementationError,
    ScheduleIntervalError,
    PlannerStateError,
    LinkModuleError,
    ConfigError,
    TransferTimeoutError,
    StartTimeoutError,
    ShutdownTimeoutError,
    TransferCancelledError,
    ThreadLostError,
    UncloneableRecordError,
    MissingDependencyError,
    EnvironmentError,
  ].map(({ code, prototype }) => [code, prototype]),
)

/**
 * Makes an error that came from another thread one of the class that its code stands for, so that `instanceof` holds for
 * it too. An error of a connector, whose class this thread may not have loaded, becomes a {@link DatabayError}.
 */
export function reviveClass(error: Error & { readonly code?: unknown }): void {
  const { code } = error
  if (typeof code !== 'string' || !code.startsWith(`${DatabayError.code}_`)) return
  Object.setPrototypeOf(error, PROTOTYPES.get(code) ?? DatabayError.prototype)
}

/** Text of a value for a message: short, on one line, without secrets, never a whole payload. Never throws. */
export function show(value: unknown): string {
  const text = scrub(inspected(value)).replaceAll(/\s*\n\s*/g, ' ')
  return text.length > 200 ? `${text.slice(0, 200)}\u2026` : text
}

/**
 * What to do about a class in the place of an instance: `pass an instance: new MyInlet()`; `undefined` for anything that
 * is no class.
 */
export function classAdvice(value: unknown): string | undefined {
  return isClass(value) ? `pass an instance: new ${value.name || 'ItsClass'}()` : undefined
}

/** Whether a value is a class, which cannot be called without `new`. */
export function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

/** Kind of a value, for messages that must not show it, such as a payload: `undefined`, `a string`, `a Date`. */
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
    // before it is cut: a part of a secret would not be known
    return inspect(scrubData(value), { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 100 })
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

/** Turns whatever was thrown into an `Error`. Applied once, where user code is called. Never throws. */
export function toError(thrown: unknown): Error {
  if (isError(thrown)) return thrown
  try {
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return fromLookalike(thrown)
  } catch {
    // not even readable
  }
  return new Error(`something other than an Error was thrown: ${show(thrown)}`, { cause: thrown })
}

/** Makes an `Error` of an object that only looks like one. */
function fromLookalike(thrown: { message: unknown; name?: unknown; code?: unknown }): Error {
  const { message, name, code } = thrown
  const error = new Error(typeof message === 'string' ? message : show(message), { cause: thrown })
  if (typeof name === 'string') error.name = name
  return code === undefined ? error : Object.assign(error, { code })
}
