import { toError } from '../../base/errors.js'
import { failureClass } from '../../core/failure-class.js'
import { certificateHint, isOfCertificate } from '../certificates.js'
import { DatabaseError } from '../errors.js'

/** What a server says of an error. */
interface ServerError extends Error {
  /** SQLSTATE: five digits and capital letters, of which the first two are its class. */
  readonly code: string
  readonly severity: string
  readonly constraint?: string
  readonly column?: string
  readonly table?: string
  readonly hint?: string
  /** Functions that were called. */
  readonly where?: string
  /** Function of the server's own code that found the error. */
  readonly routine?: string
}

/** Code of a table that is not there. */
export const NO_TABLE = '42P01'

/** Code of a column that is not there. */
export const NO_COLUMN = '42703'

/** Whether an error was sent by a server. Those of sockets have codes too, and some of five capital letters. */
export function isServerError(error: unknown): error is ServerError {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return false
  return typeof error.code === 'string' && /^[\dA-Z]{5}$/.test(error.code)
}

/** Code with which the server told of an error; `undefined` when it did not. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return typeof error.serverCode === 'string' ? error.serverCode : undefined
  return isServerError(error) ? error.code : undefined
}

/**
 * Codes, or classes of them, of what passes soon: a broken connection, a server that shuts down or starts, too few resources, a
 * conflict with another transaction, a lock that is held, a server that became a standby, a transaction that was idle for too long.
 */
const PASSING = /^(08(?!P01)|53|57P0|40001|40P01|55P03|25006|25P0[34])/

/** Codes of a record: its values do not fit, break a constraint, or were refused by a trigger. */
const OF_RECORD = /^(22|23|44|54|P0001|P0004)/

/**
 * Codes of the server, of credentials and rights, and of tables and columns: these pass when somebody mends them. XX000 is not
 * one of them: types of extensions refuse a value with it.
 */
const OF_SERVER = /^(08|0A|25|28|3D|3F|40|42|53|55|57|58|XX00[12]|F0)/

/** Function of the server that refuses a row by a policy of its table. Its error has the code of missing rights. */
const POLICY_CHECK = 'ExecWithCheckOptions'

function isOfRecord({ code, routine }: ServerError): boolean {
  return OF_RECORD.test(code) || routine === POLICY_CHECK
}

/** Whether the server refused rows for what is in them, as far as its code tells: other rows may be taken. */
export function isOfRows(error: unknown): error is Error {
  return isServerError(error) && (isOfRecord(error) || !OF_SERVER.test(error.code))
}

/** Errors of the driver for connections that are broken, or do not come about in time. It gives them no code. */
const OF_CONNECTION = new RegExp(
  [
    'connection terminated',
    'timeout expired',
    'timeout exceeded when trying to connect',
    'not queryable',
    'client password must be',
    'SASL',
    'query read timeout',
    'after calling end on the pool',
    'does not support SSL',
    'establishing an SSL connection',
    'no reply of the server',
  ].join('|'),
  'i',
)

function isOfConnection(error: Error): boolean {
  return OF_CONNECTION.test(error.message) || failureClass(error) === 'unavailable'
}

/** Whether a request that failed with this error may succeed when it is made again at once. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof DatabaseError && error.serverCode === undefined) {
    return error.cause instanceof Error && isRetryable(error.cause)
  }
  const code = sqlState(error)
  if (code !== undefined) return PASSING.test(code)
  return error instanceof Error && isOfConnection(error) && !isOfCertificate(error) && !/SSL|SASL/.test(error.message)
}

/**
 * Makes a {@link DatabaseError} of an error of the driver or of the server, without the values of rows that these show. The
 * error of the server is not kept as its cause, as it holds such values.
 *
 * @param what - what failed, for the beginning of the message
 */
export function databaseError(what: string, thrown: unknown): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown
  const error = toError(thrown)
  if (!isServerError(error)) {
    const retryable = isOfConnection(error) ? true : undefined
    return new DatabaseError(`${what}: ${said(error)}`, { cause: error, retryable })
  }
  const { code } = error
  const retryable = isOfRecord(error) ? false : OF_SERVER.test(code) ? true : undefined
  return new DatabaseError(`${what}: ${withoutValues(error)}${advice(error)} (code ${code})`, {
    serverCode: code,
    retryable,
  })
}

/** What to do about some errors of the server, or of a pooler before it, by their code and message. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^53300|max_client_conn/, 'each inlet and outlet has up to maxPoolSize connections of its own'],
  [
    /^08P01 unsupported startup parameter/,
    'a pooler takes no options in the url: set them for the user, by ALTER ROLE',
  ],
  [/^08P01 .*statement pooling/, 'transactions are needed: set its pool_mode to transaction'],
]

function advice({ code, message }: ServerError): string {
  const [, found] = ADVICE.find(([error]) => error.test(`${code} ${message}`)) ?? []
  return found === undefined ? '' : `; ${found}`
}

const TRUST = { authority: 'tls.ca', serverName: 'tls.serverName' }

/** What an error of the driver says, and what to do where it is of a certificate. */
function said(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((one) => toError(one).message).join('; ')
  }
  const message = error.message || error.name
  if (message.includes('client password must be')) return 'the server asks for a password, and none is given'
  return `${message}${certificateHint(error, TRUST)}`
}

/** Function of the server that looks for the unique index of the keys of an upsert. */
const KEYS_CHECK = 'infer_arbiter_indexes'

/** Longest part of a message that is shown. */
const LONGEST = 300

/** Message of a server without the values of rows, which it quotes. Names of columns, tables and constraints stay. */
function withoutValues(error: ServerError): string {
  const { code, message, constraint, column, table, hint, routine } = error
  if (routine === KEYS_CHECK) return 'no unique index of the table has exactly the keys: create one'
  const names = new Set([constraint, column, table].filter((name) => name !== undefined))
  // what a trigger or function says may have any value in it
  const text = isRaised(error)
    ? `the function ${/PL\/pgSQL function "?([\w.]+)/.exec(error.where ?? '')?.[1] ?? 'of a trigger'} refused it`
    : OF_RECORD.test(code)
      ? message
          .replaceAll(/"((?:[^"]|"")*)"/g, (all, name: string) => (isNamed(message, name, names) ? all : '"\u2026"'))
          .replace(/^(invalid input (?:syntax|value) for [^:]*): [^]*$/, '$1')
          .replaceAll(/'[^']*'/g, "'\u2026'")
      : message
  const known = column !== undefined && !text.includes(column) ? ` in column "${column}"` : ''
  // it names the column that was probably meant
  if (code === NO_COLUMN && hint !== undefined && !isRaised(error)) return `${text}: ${hint.replace(/\.$/, '')}`
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\u2026` : `${text}${known}`
}

/** Function of the server that runs RAISE of PL/pgSQL. */
const RAISE = 'exec_stmt_raise'

/** Whether the text of an error is that of a trigger or function, which may have any code. */
function isRaised({ code, routine }: ServerError): boolean {
  return code.startsWith('P0') || routine === RAISE
}

/** Whether a quoted text is the name of something, and no value. */
function isNamed(message: string, name: string, names: ReadonlySet<string>): boolean {
  if (names.has(name)) return true
  return new RegExp(`(?:column|relation|constraint|table|type|index|domain|encoding) "${escaped(name)}"`).test(message)
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
