import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, path, resolveOptions, type Spec } from '../../base/options.js'

/** Encryption of a connection to PostgreSQL. */
export interface PostgresTls {
  /**
   * Path of a PEM file of the authorities to trust, instead of those of Node.
   * @default undefined - those of Node
   */
  readonly ca?: string
  /**
   * Path of a PEM file with the certificate of the client.
   * @default undefined
   */
  readonly cert?: string
  /**
   * Path of a PEM file with the key of that certificate.
   * @default undefined
   */
  readonly key?: string
  /**
   * Name that the certificate of the server must have.
   * @default the host
   */
  readonly serverName?: string
  /**
   * Whether the certificate of the server is verified. Without that, anyone on the way can read and change all.
   * @default true
   */
  readonly verify?: boolean
}

/** {@link PostgresTls}, resolved. */
export interface TlsSettings {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly serverName: string | undefined
  /** Whether the certificate of the server is verified; `'ca'`: but for its name. */
  readonly verify: boolean | 'ca'
}

const TLS_OPTIONS = {
  ca: path('undefined - those of Node'),
  cert: path('undefined'),
  key: path('undefined'),
  serverName: custom(checkServerName, 'the host'),
  verify: flag(true),
} satisfies Spec<PostgresTls>

function checkServerName(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : checkPath(name, value)
}

/**
 * Checks the option `tls`.
 *
 * @throws {@link InvalidOptionError}
 */
export function checkTls(name: string, value: boolean | PostgresTls | undefined): boolean | TlsSettings | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidOptionError(name, 'a boolean, or an object with ca, cert, key, serverName and verify', value)
  }
  const settings = resolveOptions(name, value, TLS_OPTIONS)
  if ((settings.cert === undefined) !== (settings.key === undefined)) {
    const missing = settings.cert === undefined ? 'cert' : 'key'
    throw new InvalidOptionError(`${name}.${missing}`, 'cert and key together', undefined)
  }
  return settings
}
