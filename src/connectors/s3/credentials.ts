import { InvalidOptionError, toError } from '../../base/errors.js'
import { hideValue } from '../../base/scrub.js'
import { revealed, type Secret } from '../../base/secret.js'
import type { Environment } from '../http/environment.js'
import { HIDDEN } from '../http/request-headers.js'
import { S3Error } from './errors.js'

/** Credentials of S3, as the option `credentials` of an inlet or outlet gives them. */
export interface S3Credentials {
  readonly accessKeyId: string | Secret
  readonly secretAccessKey: string | Secret
  readonly sessionToken?: string | Secret | undefined
  /** Time at which they expire. */
  readonly expiration?: Date | undefined
}

/** Credentials that are used for a request. */
export interface UsedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
  /** Time at which they are asked for again, in milliseconds since 1970. */
  readonly refreshAt: number
}

/** Credentials of options: an access key, or a function that gives one. */
export type GivenCredentials = UsedCredentials | (() => Promise<S3Credentials> | S3Credentials)

/** Time before their end at which credentials are asked for again, in milliseconds. */
const MARGIN = 300_000
/** Least time between two calls of a function whose credentials are about to expire, in milliseconds. */
const PAUSE = 10_000

/** Options of credentials. */
interface CredentialOptions {
  readonly accessKeyId?: string | Secret | undefined
  readonly secretAccessKey?: string | Secret | undefined
  readonly sessionToken?: string | Secret | undefined
  readonly credentials?: (() => Promise<S3Credentials> | S3Credentials) | undefined
}

/**
 * Checks the credentials of options.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @returns `undefined` when there are none
 * @throws {@link InvalidOptionError} that shows no value
 */
export function checkGiven(connector: string, options: CredentialOptions): GivenCredentials | undefined {
  const { credentials, accessKeyId, secretAccessKey, sessionToken } = options
  const given = Object.entries({ accessKeyId, secretAccessKey, sessionToken }).filter(
    ([, value]) => value !== undefined,
  )
  if (credentials !== undefined) {
    const [both] = given
    if (both === undefined) return credentials
    throw new InvalidOptionError(`${connector}.${both[0]}`, 'none beside credentials', 'both')
  }
  if (given.length === 0) return undefined
  for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey })) {
    if (value === undefined) throw new InvalidOptionError(`${connector}.${name}`, `one beside ${given[0]?.[0]}`, value)
  }
  return checked({ accessKeyId, secretAccessKey, sessionToken }, (name, expected) => {
    throw new InvalidOptionError(`${connector}.${name}`, expected, HIDDEN)
  })
}

/** The credentials of one inlet or outlet, which are asked for again before they expire. */
export class CredentialSource {
  readonly #connector: string
  readonly #given: GivenCredentials | undefined
  readonly #environment: () => Environment
  #current: UsedCredentials | undefined
  #asking: Promise<UsedCredentials> | undefined

  /**
   * @param connector - name of the inlet or outlet, for errors
   * @param environment - gives the environment, whose variables are read when no option has credentials
   */
  constructor(connector: string, given: GivenCredentials | undefined, environment: () => Environment) {
    this.#connector = connector
    this.#given = given
    this.#environment = environment
  }

  /** Whether other credentials may be had when the storage does not take these any more. */
  get canRenew(): boolean {
    return typeof this.#given === 'function'
  }

  /** Asks for other credentials the next time. */
  expire(expired: UsedCredentials): void {
    if (this.#current === expired) this.#current = undefined
  }

  /**
   * Gives credentials that have not expired.
   *
   * @throws {@link S3Error} when there are none; it shows none of their values
   */
  async get(): Promise<UsedCredentials> {
    if (this.#current !== undefined && Date.now() < this.#current.refreshAt) return this.#current
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<UsedCredentials> {
    const given = this.#given
    if (typeof given !== 'function') return (this.#current = given ?? this.#ofEnvironment())
    let credentials: unknown
    try {
      credentials = await given()
    } catch (thrown) {
      throw this.#failure(`the function credentials failed: ${toError(thrown).message}`, thrown)
    }
    return (this.#current = checked(credentials, (name, expected) => {
      throw this.#failure(`the function credentials gave no usable ${name}: expected ${expected}`)
    }))
  }

  #ofEnvironment(): UsedCredentials {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = this.#environment()
    const credentials = {
      accessKeyId: AWS_ACCESS_KEY_ID || undefined,
      secretAccessKey: AWS_SECRET_ACCESS_KEY || undefined,
      sessionToken: AWS_SESSION_TOKEN || undefined,
    }
    return checked(credentials, (name) => {
      const variable = `AWS_${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`
      throw this.#failure(
        `no credentials: use the options accessKeyId and secretAccessKey, or credentials, or set ${variable}`,
      )
    })
  }

  #failure(message: string, cause?: unknown): S3Error {
    return new S3Error(`${this.#connector}: ${message}`, { cause, retryable: true })
  }
}

/**
 * Checks credentials, and hides what is secret of them wherever it may come up.
 *
 * @param fail - throws the error of a value that is not right
 */
function checked(credentials: unknown, fail: (name: string, expected: string) => never): UsedCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = (credentials ?? {}) as { [name: string]: unknown }
  const text = (name: string, value: unknown) => {
    const shown = revealed(value)
    // they are parts of a header
    if (typeof shown === 'string' && /^[\x21-\x7e]+$/.test(shown)) return shown
    return fail(name, 'a text without spaces')
  }
  const secret = text('secretAccessKey', secretAccessKey)
  const token = sessionToken === undefined ? undefined : text('sessionToken', sessionToken)
  const id = text('accessKeyId', accessKeyId)
  hideValue(secret, expiration !== undefined)
  if (token !== undefined) hideValue(token, true)
  const end = expiration === undefined ? Infinity : new Date(expiration as Date).getTime()
  if (Number.isNaN(end)) fail('expiration', 'a date')
  const now = Date.now()
  // those that live shortly are asked for again when half of their time has passed
  const refreshAt = Math.max(now + PAUSE, end - Math.min(MARGIN, (end - now) / 2))
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: token, refreshAt }
}
