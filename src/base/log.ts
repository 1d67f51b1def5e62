import type { LogFn, Logger as PinoLogger } from 'pino'
import { InvalidOptionError, isError, toError } from './errors.js'
import { lazy } from './libraries.js'
import { isPromiseLike } from './maybe-promise.js'
import { plainError, restoreError } from './plain-error.js'
import { plainLogger } from './plain-logger.js'
import { printable, printableLines } from './printable.js'
import { scrubJson } from './scrub.js'

const pino = lazy<typeof import('pino')>('pino')

/** Severities, least severe first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Logs one line: a text with its values, as `util.format` takes them, or fields (or an error) and a text. */
export interface LogMethod {
  (message: string, ...values: unknown[]): void
  (fields: object, message?: string, ...values: unknown[]): void
}

/** Logger of a name: a logger of pino, as far as programs need it. */
export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** Logs nothing. */
  readonly silent: LogMethod
  /** Level from which this logger logs. {@link setLogLevel} sets it in all threads. */
  level: LogLevel
  /** Whether a line of a level would be logged. */
  isLevelEnabled(level: LogLevel): boolean
  /** Makes a logger that adds fields to every line. */
  child(fields: object): Logger
}

/** Takes finished log lines: one JSON object each, with its line end. */
export interface LogDestination {
  write(line: string): unknown
}

/** Levels of loggers that have one of their own, as a thread gets them when it starts. */
export type LogLevels = readonly (readonly [name: string, level: LogLevel])[]

const ROOT = 'databay'

/**
 * The tree of loggers of this thread. Logging is one for a process, as are its standard streams; everything else in
 * this package belongs to a planner.
 */
const tree = {
  levels: new Map<string, LogLevel>([[ROOT, 'warn']]),
  loggers: new Map<string, Logger>(),
  /** Names of loggers that are not made yet and would not log details. */
  terse: new Set<string>(),
  destination: undefined as LogDestination | undefined,
  context: {} as { readonly thread?: number },
  onLevels: new Set<() => void>(),
}

const sink: LogDestination = {
  write: (given) => {
    // before it is cut: a part of a secret would not be known
    const shown = scrubJson(given)
    const line = shown.length > LONGEST_LINE ? shortenLine(shown) : shown
    try {
      if (tree.destination !== undefined) {
        const writing = tree.destination.write(line)
        if (isPromiseLike(writing)) {
          writing.then(undefined, () => {
            writeToStandardError(line)
          })
        }
        return
      }
    } catch {
      // what logs must not fail with its log: the line goes where lines go otherwise
    }
    writeToStandardError(line)
  },
}

function writeToStandardError(line: string): void {
  try {
    const { stderr } = process
    stderr.write(stderr.isTTY ? formatLine(line) : line, (error) => {
      // nobody reads it any more: that must not end the process
      if (error != null && stderr.listenerCount('error') === 0) stderr.once('error', () => undefined)
    })
  } catch {
    // there is no standard error, or it cannot be opened: there is nobody to tell
  }
}

/**
 * The logger of a name, made at the first call. Names are dotted, and all start with `databay`: a logger without a
 * level of its own has the one of the nearest name above it.
 *
 * @param name - `databay`, or `databay.` and more, like `databay.Link`
 * @throws {@link InvalidOptionError} on another name
 */
export function getLogger(name: string = ROOT): Logger {
  let logger = tree.loggers.get(name)
  if (logger === undefined) {
    checkName(name)
    const options = {
      level: levelOf(name),
      base: { name, ...tree.context },
      serializers: { err: serializeError },
      hooks: { logMethod },
    }
    try {
      logger = pino().pino(options, sink) as unknown as Logger
    } catch (thrown) {
      return withoutLibrary(name, toError(thrown))
    }
    tree.loggers.set(name, logger)
  }
  return logger
}

/**
 * Logs a detail: what did what. Its logger is made only when it is to log it: most threads never log, and a logger takes a megabyte of
 * each.
 * @internal
 */
export function logDetail(name: string, subject: unknown, what: string): void {
  const logger = tree.loggers.get(name)
  if (logger !== undefined) logger.debug('%s %s', subject, what)
  else if (!tree.terse.has(name)) {
    if (LOG_LEVELS.indexOf(levelOf(name)) <= LOG_LEVELS.indexOf('debug')) getLogger(name).debug('%s %s', subject, what)
    else tree.terse.add(name)
  }
}

/**
 * Sets the level from which a logger and those below it log, here and in the threads of every planner.
 *
 * @param level - least severity that is logged. The default of `databay` is `warn`
 * @param name - the logger. Default: `databay`, so all
 * @throws {@link InvalidOptionError} on another level or name
 */
export function setLogLevel(level: LogLevel, name: string = ROOT): void {
  checkName(name)
  if (!LOG_LEVELS.includes(level)) throw new InvalidOptionError('level', `one of ${LOG_LEVELS.join(', ')}`, level)
  tree.levels.set(name, level)
  applyLevels()
}

/**
 * Sends the log elsewhere than to standard error. Lines from the threads go there too, in order.
 *
 * @param destination - takes the lines; `undefined` is standard error again, where they are readable on a terminal
 * and JSON otherwise
 * @throws {@link InvalidOptionError} when it has no method `write`
 */
export function setLogDestination(destination: LogDestination | undefined): void {
  if (destination !== undefined && typeof (destination as Partial<LogDestination> | null)?.write !== 'function') {
    throw new InvalidOptionError('destination', 'an object with a method write(), or undefined', destination)
  }
  tree.destination = destination
}

/** @internal Where the log goes; `undefined` is standard error. */
export function logDestination(): LogDestination | undefined {
  return tree.destination
}

/** @internal Writes a line that a thread logged. */
export function writeLogLine(line: string): void {
  sink.write(line)
}

/** @internal Every logger with a level of its own. */
export function logLevels(): LogLevels {
  return [...tree.levels]
}

/** @internal Takes over the levels of the main thread. */
export function adoptLogLevels(levels: LogLevels): void {
  tree.levels = new Map(levels)
  applyLevels()
}

/** @internal Calls `listener` when a level changes, until the returned function is called. */
export function onLogLevels(listener: () => void): () => void {
  tree.onLevels.add(listener)
  return () => tree.onLevels.delete(listener)
}

/** @internal Names the thread in every line from now on. */
export function setLogThread(thread: number): void {
  tree.context = { thread }
  tree.loggers.clear()
}

function applyLevels(): void {
  tree.terse.clear()
  for (const [name, logger] of tree.loggers) logger.level = levelOf(name)
  for (const listener of tree.onLevels) listener()
}

function levelOf(name: string): LogLevel {
  for (let at = name; ; at = at.slice(0, at.lastIndexOf('.'))) {
    const level = tree.levels.get(at)
    if (level !== undefined) return level
    if (!at.includes('.')) return 'warn'
  }
}

/** Writes a line, whatever is logged: what cannot be shown fails no caller. */
function logMethod(this: PinoLogger, args: Parameters<LogFn>, method: LogFn): void {
  try {
    method.apply(this, args)
  } catch (thrown) {
    method.call(this, `a line could not be logged: ${toError(thrown).message}`)
  }
}

/**
 * Logger for while the library of loggers cannot be loaded: the next call tries again. Its lines say why.
 *
 * @param reason - why the library cannot be loaded
 */
function withoutLibrary(name: string, { message }: Error): Logger {
  const base = { name, ...tree.context, logger: message }
  const isLogged = (level: LogLevel) => LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(levelOf(name))
  const logger = plainLogger(base, isLogged, (line) => sink.write(line))
  const whole: Logger = { ...logger, level: levelOf(name), isLevelEnabled: isLogged, child: () => whole }
  return whole
}

/**
 * Serializes an error as pino does, and never throws. An error is made plain before: an endless chain of causes, or a
 * huge text, takes no time, and objects in its fields, such as a request with its credentials, are left out.
 */
function serializeError(error: Error): object {
  if (!isError(error)) return error
  const plain = restoreError(plainError(error))
  return { ...pino().stdSerializers.err(plain), type: classOf(error) ?? plain.name }
}

function classOf(error: Error): string | undefined {
  try {
    return error.constructor.name
  } catch {
    return undefined
  }
}

/** Most characters of a log line. */
const LONGEST_LINE = 64 * 1024

/** Most characters of the message of a line that is too long. */
const LONGEST_MESSAGE = 8 * 1024

/**
 * A log line that fits, whatever makes it long: its texts are cut, and its longest lists and objects end early. The
 * message has a share of its own, as the error beside it may be as long.
 */
function shortenLine(line: string): string {
  try {
    const { msg, ...entry } = JSON.parse(line) as { readonly msg?: unknown }
    const short = shorten(entry, { characters: LONGEST_LINE / 2, values: 1000 }) as object
    const message = shorten(msg, { characters: LONGEST_MESSAGE, values: 1 })
    return `${JSON.stringify({ ...short, msg: message })}\n`
  } catch {
    return `${line.slice(0, LONGEST_LINE)}\u2026 (${line.length} characters)\n` // no logger wrote it
  }
}

function shorten(value: unknown, budget: { characters: number; values: number }): unknown {
  budget.values--
  if (typeof value === 'string') {
    const most = Math.max(0, Math.min(LONGEST_LINE / 4, budget.characters))
    budget.characters -= Math.min(value.length, most)
    return value.length > most ? `${value.slice(0, most)}\u2026 (${value.length} characters)` : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const kept: unknown[] = []
    for (const one of value) {
      if (budget.values <= 0) return [...kept, `\u2026 (${value.length - kept.length} more)`]
      kept.push(shorten(one, budget))
    }
    return kept
  }
  const kept: [string, unknown][] = []
  const entries = Object.entries(value)
  for (const [key, one] of entries) {
    if (budget.values <= 0) {
      kept.push(['\u2026', `${entries.length - kept.length} more`])
      break
    }
    kept.push([key.slice(0, 200), shorten(one, budget)])
  }
  return Object.fromEntries(kept)
}

function checkName(name: string): void {
  if (typeof name !== 'string' || (name !== ROOT && !name.startsWith(`${ROOT}.`))) {
    throw new InvalidOptionError('name', `'${ROOT}' or a name that starts with '${ROOT}.'`, name)
  }
}

const LETTERS: { readonly [level: number]: string } = { 10: 'T', 20: 'D', 30: 'I', 40: 'W', 50: 'E', 60: 'F' }

/**
 * A JSON log line as people read it: `2020-07-30 19:51:41.318|D| http_to_mongo.0 transfer (databay.Link)`, in local
 * time, with the stack of an error on the lines that follow.
 */
export function formatLine(line: string): string {
  const entry = parseEntry(line)
  if (entry === undefined) return line
  const stack = typeof entry.err?.stack === 'string' ? `\n  ${printableLines(entry.err.stack)}` : ''
  const letter = LETTERS[entry.level] ?? String(entry.level)
  const text = printable(`${entry.msg ?? ''} (${entry.name ?? ROOT})`)
  return `${localTime(new Date(entry.time))}|${letter}| ${text}${stack}\n`
}

interface LogEntry {
  readonly level: number
  readonly time: number
  readonly name?: string
  readonly msg?: string
  readonly err?: { readonly stack?: string }
}

/** `undefined` for a line that no logger wrote. */
function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry> | null
    return typeof entry?.level === 'number' && typeof entry.time === 'number' ? (entry as LogEntry) : undefined
  } catch {
    return undefined
  }
}

function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 23).replace('T', ' ')
}
