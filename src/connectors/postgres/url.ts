import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { ENCODE_HINT, shownUrl, splitsCredentials } from '../../base/url-credentials.js'
import type { TlsSettings } from './tls.js'

/** Parts of a connection string. */
export interface PostgresUrl {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly tls: boolean | TlsSettings | undefined
  readonly options: string | undefined
  /** Time to connect, in milliseconds. */
  readonly connectTimeout: number | undefined
  readonly applicationName: string | undefined
}

/** Parts of no connection string. */
export const NO_URL: PostgresUrl = {
  host: undefined,
  port: undefined,
  database: undefined,
  user: undefined,
  password: undefined,
  tls: undefined,
  options: undefined,
  connectTimeout: undefined,
  applicationName: undefined,
}

/** Parameters of a connection string that count. */
const PARAMETERS = [
  ...['host', 'port', 'dbname', 'user', 'password', 'application_name', 'connect_timeout', 'options'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey'],
]

/** Parameters of other clients that change nothing here. */
const WITHOUT_MEANING = new Set(['keepalives', 'gssencmode', 'fallback_application_name', 'channel_binding'])

/** Ways of encryption that a connection string may ask for. */
const MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const

/**
 * Checks a connection string, and takes it apart.
 *
 * @param option - name of the option, for the error, which shows no credentials
 * @throws {@link InvalidOptionError}
 */
export function checkUrl(option: string, given: unknown): PostgresUrl {
  const url = parsed(given)
  if (url === undefined) {
    const expected = 'a connection string of PostgreSQL, such as postgres://host:5432/database'
    throw new InvalidOptionError(option, expected, shownUrl(given), { hint: hintOf(given) })
  }
  const parameters = new Map<string, string>()
  for (const [name, value] of url.searchParams) {
    if (WITHOUT_MEANING.has(name)) continue
    if (!PARAMETERS.includes(name)) {
      const expected = `one of the parameters ${PARAMETERS.join(', ')}`
      // behind an & may be the rest of a password
      const hint = url.searchParams.has('password') ? ENCODE_HINT : hintAt(name, PARAMETERS)
      throw new InvalidOptionError(option, expected, hint === ENCODE_HINT ? 'another (not shown)' : name, { hint })
    }
    if (value !== '') parameters.set(name, value)
  }
  const part = (text: string) => (text === '' ? undefined : decoded(option, text))
  const database = part(url.pathname.replace(/^\//, ''))
  return {
    host: parameters.get('host') ?? part(url.hostname.replace(/^\[(.*)\]$/, '$1')),
    port: number(option, 'port', parameters.get('port') ?? (url.port === '' ? undefined : url.port), 65_535),
    database: parameters.get('dbname') ?? database,
    user: parameters.get('user') ?? part(url.username),
    password: parameters.get('password') ?? part(url.password),
    tls: tlsOf(option, parameters),
    options: parameters.get('options'),
    connectTimeout: seconds(number(option, 'connect_timeout', parameters.get('connect_timeout'), 1_000_000)),
    applicationName: parameters.get('application_name'),
  }
}

function parsed(given: unknown): URL | undefined {
  if (typeof given !== 'string' || !/^postgres(?:ql)?:\/\//.test(given)) return undefined
  if (splitsCredentials(given)) return undefined
  try {
    // without a host, which is that of the environment
    return new URL(given)
  } catch {
    return undefined
  }
}

/** What is wrong with a connection string, most likely. */
function hintOf(given: unknown): string | undefined {
  if (typeof given !== 'string' || !/^postgres(?:ql)?:\/\//.test(given)) return undefined
  if (/^[^/]*\/\/[^/@]*,/.test(given)) return 'it takes one host'
  return ENCODE_HINT
}

function decoded(option: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    const expected = 'a connection string whose percent signs are encoded as %25'
    throw new InvalidOptionError(option, expected, 'another', { hint: ENCODE_HINT })
  }
}

function number(option: string, name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new InvalidOptionError(option, `an integer up to ${most} as ${name}`, text)
}

function seconds(value: number | undefined): number | undefined {
  // 0 is for ever, in the words of libpq
  return value === undefined || value === 0 ? undefined : value * 1000
}

function tlsOf(option: string, parameters: ReadonlyMap<string, string>): boolean | TlsSettings | undefined {
  const mode = parameters.get('sslmode')
  const known = MODES.find((one) => one === mode)
  if (mode !== undefined && known === undefined) {
    throw new InvalidOptionError(option, `one of ${MODES.join(', ')} as sslmode`, mode, { hint: hintAt(mode, MODES) })
  }
  const files = { ca: parameters.get('sslrootcert'), cert: parameters.get('sslcert'), key: parameters.get('sslkey') }
  if (known === 'disable') return false
  if (known === undefined && Object.values(files).every((file) => file === undefined)) return undefined
  return { ...files, serverName: undefined, verify: known === 'verify-ca' ? 'ca' : known !== 'no-verify' }
}
