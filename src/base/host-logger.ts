import { InvalidOptionError } from './errors.js'
import { setLogDestination, type LogLevel } from './log.js'

/** Logs one line: fields, and a text. */
export type HostLogMethod = (fields: object, message: string) => void

/** Logger of the application that databay is part of: one of pino, `app.log` of fastify, or another with these methods. */
export interface HostLogger {
  readonly trace: HostLogMethod
  readonly debug: HostLogMethod
  readonly info: HostLogMethod
  readonly warn: HostLogMethod
  readonly error: HostLogMethod
  readonly fatal: HostLogMethod
  /** Makes a logger that adds fields to every line. */
  child(fields: { readonly [name: string]: unknown }): HostLogger
  /** Gives the fields that this logger adds to every line. A logger need not have it. */
  bindings?(): object
}

const METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const satisfies readonly LogLevel[]

/** A log line of ours, as JSON has it. */
interface Entry {
  readonly level: number
  readonly name: string
  readonly msg?: string
  readonly err?: unknown
  /** What the other logger adds by itself. */
  readonly time?: number
}

/**
 * Sends the log to a logger of the application: each line, those from the threads too, with its level, its text and its fields
 * (`name`, `thread`, `err` and others). So redaction, transports and the format are those of the application. A line is logged
 * that passes both levels: the application's, and the one of {@link setLogLevel}.
 *
 * The name of the logger, like `databay.Link`, is the field `name`, or `logger` where the application's logger has a `name`.
 *
 * @param logger - a logger of pino or fastify, or one with these methods; `undefined` is standard error again
 * @throws {@link InvalidOptionError} when it lacks a method
 */
export function setLogger(logger: HostLogger | undefined): void {
  if (logger === undefined) {
    setLogDestination(undefined)
    return
  }
  const given = logger as Partial<HostLogger> | null
  const lacking = [...METHODS, 'child' as const].find((name) => typeof given?.[name] !== 'function')
  if (lacking !== undefined) {
    const expected = `a logger with methods ${METHODS.join(', ')} and child, as of pino, or undefined`
    throw new InvalidOptionError('logger', expected, logger, { hint: `it has no ${lacking}()` })
  }
  const children = new Map<string, HostLogger>()
  const nameField = 'name' in (logger.bindings?.() ?? {}) ? 'logger' : 'name'
  const loggerOf = (name: string) => {
    let child = children.get(name)
    if (child === undefined) {
      child = logger.child({ [nameField]: name })
      children.set(name, child)
    }
    return child
  }
  setLogDestination({
    write: (line) => {
      const entry = parse(line)
      if (entry === undefined) {
        logger.warn({}, line.trimEnd()) // no logger wrote it
        return
      }
      const { level, name, msg = '', err, time: _time, ...fields } = entry
      const method = METHODS[Math.min(Math.max(Math.floor(level / 10), 1), METHODS.length) - 1] ?? 'info'
      loggerOf(name)[method](err === undefined ? fields : { ...fields, err: restored(err) }, msg)
    },
  })
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null
    return typeof entry?.level === 'number' && typeof entry.name === 'string' ? (entry as Entry) : undefined
  } catch {
    return undefined
  }
}

/** An error of a line as one of a class of its name: serializers show that as its type. */
function restored(err: unknown): unknown {
  if (typeof err !== 'object' || err === null || !('message' in err)) return err
  const { type = 'Error', message, ...others } = err as { readonly type?: unknown; readonly message: unknown }
  const name = String(type)
  const classes: { readonly [name: string]: new (message: string) => Error } = { [name]: class extends Error {} }
  const error = new (classes[name] ?? Error)(String(message))
  for (const [key, value] of Object.entries({ stack: undefined, ...others })) {
    Object.defineProperty(error, key, { value, enumerable: key !== 'stack', configurable: true, writable: true })
  }
  return error
}
