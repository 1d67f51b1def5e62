import { InvalidOptionError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { hideValue } from '../../base/scrub.js'
import { revealed, type Secret } from '../../base/secret.js'
import { basicToken } from '../../base/url-credentials.js'

const http = lazy<typeof import('node:http')>('node:http')

/** Headers of a request. */
export interface HttpHeaders {
  readonly [name: string]: string | Secret
}

/**
 * Headers as they are sent, by their names in lower case.
 * @internal
 */
export interface SentHeaders {
  readonly [name: string]: string
}

/**
 * Text in an error for a value that may be secret.
 * @internal
 */
export const HIDDEN = 'something else (not shown)'

/**
 * Checks that a value is an object, as `checkObject` does, but never shows it: it may hold secrets.
 * @internal
 */
export function checkSecretObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, 'an object', HIDDEN)
  }
}

/**
 * Header for the credentials of a URL.
 *
 * @param isHidden - whether the URL is a secret
 * @internal
 */
export function authorization(url: URL, isHidden: boolean): SentHeaders {
  const token = basicToken(url)
  if (token === undefined) return {}
  if (isHidden) hideValue(token, true)
  return { authorization: `Basic ${token}` }
}

/**
 * Headers by their names in lower case.
 *
 * @param owner - connector that has the option `headers`
 * @param length - number of bytes of the body; `undefined` when each request has another
 * @throws {@link InvalidOptionError} that never shows a value
 * @internal
 */
export function checkHeaders(owner: string, given: HttpHeaders, length: number | undefined): SentHeaders {
  const option = `${owner}.headers`
  checkSecretObject(option, given)
  const headers: { [name: string]: string } = {}
  for (const [spelling, one] of Object.entries(given)) {
    const value = revealed(one)
    checkHeader(option, spelling, value)
    const name = spelling.toLowerCase()
    checkPurpose(`${option}.${spelling}`, spelling, name, value, length)
    if (Object.hasOwn(headers, name)) {
      throw new InvalidOptionError(`${option}.${spelling}`, 'each header once', spelling)
    }
    headers[name] = value
  }
  return headers
}

function checkHeader(option: string, name: string, value: unknown): void {
  const { validateHeaderName, validateHeaderValue } = http()
  try {
    validateHeaderName(name)
  } catch {
    // the name may be a whole header, put there by mistake
    throw new InvalidOptionError(option, 'names fit for headers', HIDDEN)
  }
  try {
    validateHeaderValue(name, value as string)
  } catch {
    throw new InvalidOptionError(`${option}.${name}`, 'a string fit for a header', HIDDEN)
  }
  if (typeof value !== 'string') {
    throw new InvalidOptionError(`${option}.${name}`, 'a string', HIDDEN)
  }
}

/** Headers that say how a connection is used, which undici does not let anybody set. */
const OF_CONNECTION = new Set(['expect', 'keep-alive', 'transfer-encoding', 'upgrade'])

/** Checks that a header may be set, as the error of undici would come with each pull. */
function checkPurpose(option: string, spelling: string, name: string, value: string, length: number | undefined): void {
  if (OF_CONNECTION.has(name)) {
    throw new InvalidOptionError(option, `no header of the connection (${[...OF_CONNECTION].join(', ')})`, spelling)
  }
  if (name === 'connection' && !/^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/.test(value.trim())) {
    throw new InvalidOptionError(option, 'names, like close or keep-alive', HIDDEN)
  }
  if (name === 'content-length' && length === undefined) {
    throw new InvalidOptionError(option, 'no length: it is that of the body', HIDDEN)
  }
  if (name === 'content-length' && value !== String(length)) {
    throw new InvalidOptionError(option, `the length of the body, ${length} bytes`, HIDDEN)
  }
  if (name === 'proxy-authorization') {
    throw new InvalidOptionError(option, 'no credentials of a proxy: see the option proxy', HIDDEN)
  }
}
