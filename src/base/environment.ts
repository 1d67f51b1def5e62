import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { EnvironmentError, InvalidOptionError } from './errors.js'
import { getLogger } from './log.js'
import { isHideable, SHORTEST_HIDDEN } from './secret-forms.js'
import { Secret, secretText, secretUrl } from './secret.js'
import { hintAt } from './suggestion.js'

/**
 * The value of a variable of the environment.
 *
 * @param name - such as `API_URL`
 * @param otherwise - value when it is not set; without one, a variable that is not set is an error
 * @throws {@link EnvironmentError} with the name, and the place that asked for it
 */
export function env(name: string, otherwise?: string): string {
  checkVariable('env', name)
  if (otherwise !== undefined && typeof otherwise !== 'string') {
    throw new InvalidOptionError(`env('${name}')`, 'a default that is a string', otherwise)
  }
  const value = process.env[name] ?? otherwise
  if (value !== undefined) return value
  throw failure(name, `is not set${similar(name)}`, env)
}

/**
 * A secret of the environment: the value of the variable `name`, or the content of the file that `name` with `_FILE` at its
 * end names, or of the credential `name` of systemd. One line end is cut off a file.
 *
 * It is read at once, in the thread that asks for it, and takes its value nowhere by itself. Connectors take it as `url`,
 * `headers` and `params`. ``secret.text`Bearer ${token}` `` makes a text with a secret, and ``secret.url`...` `` a URL.
 *
 * @throws {@link EnvironmentError} with what was looked for, and the place that asked for it; never with a value
 */
export const secret: SecretReader = Object.assign((name: string) => readSecret(name), {
  text: secretText,
  url: secretUrl,
})

/** Type of {@link secret}. */
export interface SecretReader {
  (name: string): Secret
  /** Tag of a template with secrets in it: gives the text as one secret. */
  readonly text: typeof secretText
  /** Tag of a template of a URL with secrets in it, which are percent-encoded. */
  readonly url: typeof secretUrl
}

/**
 * The environment of the process with more variables, for a program that is started.
 * @internal
 */
export function environmentWith(more: { readonly [name: string]: string }): NodeJS.ProcessEnv {
  return { ...process.env, ...more }
}

/** Most bytes of a file with a secret. */
const LARGEST_FILE = 1_048_576

function readSecret(name: string): Secret {
  checkVariable('secret', name)
  const { CREDENTIALS_DIRECTORY: credentials = '', [name]: direct = '', [`${name}_FILE`]: file = '' } = process.env
  if (direct !== '' && file !== '') {
    throw failure(name, `and ${name}_FILE are both set: unset one of them`, secret)
  }
  let value = direct
  if (direct === '') {
    const credential = credentials === '' ? '' : join(credentials, name)
    const path = file === '' ? credential : file
    const found = path === '' ? undefined : readSecretFile(path)
    if (found instanceof Error && (file !== '' || codeOf(found) !== 'ENOENT')) {
      const origin = file === '' ? `is the credential ${path}, which` : `is in ${path}, as ${name}_FILE says, which`
      throw failure(name, `${origin} cannot be read: ${found.message}`, secret)
    }
    if (found === undefined || found instanceof Error) {
      const where = credentials === '' ? '' : `, and there is no credential ${credential}`
      throw failure(name, `is not set, nor is ${name}_FILE${where}${similar(name)}`, secret)
    }
    value = found.replace(/\r?\n$/, '')
    if (value === '') throw failure(name, `is in ${path}, which is empty`, secret)
  }
  if (value.length < SHORTEST_HIDDEN) {
    const limit = `so short that errors and logs may show it: they hide those of ${SHORTEST_HIDDEN} characters and more`
    getLogger('databay.secret').warn(`${name} is ${limit}`)
  } else if (!isHideable(value)) {
    getLogger('databay.secret').warn(`${name} is the default name of something: errors and logs may show it`)
  }
  return new Secret(value)
}

function readSecretFile(path: string): string | Error {
  try {
    // a device or a pipe may have no end
    const stats = statSync(path)
    if (!stats.isFile()) return new Error('it is no file')
    if (stats.size > LARGEST_FILE) return new Error(`it has more than ${LARGEST_FILE} bytes`)
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  }
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined
}

/** Checks the name of a variable. It may be a value by mistake, which no error shows. */
function checkVariable(asker: string, name: unknown): void {
  const expected = `the name of a variable, as in ${asker}('API_TOKEN')`
  if (typeof name !== 'string' || !/^[A-Za-z_][\w.-]{0,199}$/.test(name)) {
    throw new InvalidOptionError(asker, expected, typeof name === 'string' ? 'another text (not shown)' : name)
  }
  if (process.env[name] !== undefined || process.env[`${name}_FILE`] !== undefined) return
  const meant = Object.entries(process.env).find(([, value]) => value === name)?.[0]
  if (meant !== undefined) throw new InvalidOptionError(asker, expected, `the value of ${meant}`)
}

/** What of the environment was probably meant, for the end of a message. */
function similar(name: string): string {
  const hint = hintAt(name, Object.keys(process.env))
  return hint === undefined ? '' : `: ${hint}`
}

/** @param asked - function that was called, behind whose frames on the stack the place is */
function failure(name: string, what: string, asked: (...args: never[]) => unknown): EnvironmentError {
  return new EnvironmentError(name, what, placeOf(asked))
}

/** File, line and column from which a function was called; `undefined` when it is not known. */
function placeOf(asked: (...args: never[]) => unknown): string | undefined {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, asked)
  const line = trace.stack?.split('\n')[1] ?? ''
  return /\(?([^()]+:\d+:\d+)\)?$/.exec(line.replace(/^\s*at (async )?/, ''))?.[1]
}
